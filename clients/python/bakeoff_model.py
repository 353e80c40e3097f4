"""A Python program as a model of bakeoff, in one file that needs numpy only.

A model is a class with `fit` and `predict`. `serve(Model)` speaks the protocol of docs/protocol.md over standard input and output:

    import bakeoff_model

    class Majority(bakeoff_model.Model):
        name, version = "the most frequent class", "1"

        def fit(self, train, validation, fit):
            self.label = np.bincount(train.targets).argmax()

        def predict(self, rows):
            return np.full(len(rows), self.label)

    bakeoff_model.serve(Majority)

What a program prints goes to standard error, so that `print` breaks nothing.
"""

from __future__ import annotations

import json
import os
import pathlib
import pickle
import sys
import traceback
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NoReturn, Sequence

import numpy as np

PROTOCOL = 1
_TYPES = {"u8": np.dtype("u1"), "u16": np.dtype("<u2"), "u64": np.dtype("<u8"), "f32": np.dtype("<f4")}


class _HarnessEnded(Exception):
    """The harness has closed the pipe."""


class Unsupported(Exception):
    """Raised by a model's `__init__`: it cannot do this task, with the reason."""


@dataclass(frozen=True)
class Task:
    """What a model knows about a task before it sees data."""

    kind: str
    """What its rows are: `images`, `texts`, `pairs` or `table`."""
    image_shape: tuple[int, int, int] | None
    """Channels, height and width of an image."""
    classes: int | None
    """How many classes there are. `None` if a number is to be predicted."""
    train_rows: int
    """Rows to learn from, validation included."""
    params: dict[str, Any]
    """The parameters of the suite."""
    seed: int
    """From which every random choice follows, in 0..2**32."""
    threads: int
    """How many threads the model may use."""
    device: str
    """Where it computes: `cpu`, `cuda` or `cuda:1`."""


class Images:
    """Images of one size: `pixels` is `rows x channels x height x width`, in 0..=255."""

    def __init__(self, pixels: np.ndarray):
        self.pixels = pixels

    def __len__(self) -> int:
        return len(self.pixels)


class Texts:
    """Texts, or pairs of them: `first` and, of pairs, `second` are lists of strings."""

    def __init__(self, first: list[str], second: list[str] | None):
        self.first, self.second = first, second

    def __len__(self) -> int:
        return len(self.first)


class Table:
    """Rows of a table, by the names of their columns. A column of numbers is an array of float32, with NaN where one is missing. A column of
    categories is an array of strings, with None where one is missing."""

    def __init__(self, columns: dict[str, np.ndarray]):
        self.columns = columns

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


Rows = Images | Texts | Table


@dataclass(frozen=True)
class Split:
    """Rows with their targets: classes as whole numbers from 0, or numbers."""

    rows: Rows
    targets: np.ndarray

    def __len__(self) -> int:
        return len(self.targets)


@dataclass(frozen=True)
class Footprint:
    """How large a fitted model is. `None` for what cannot be counted."""

    parameters: int
    flops_per_example: int | None = None
    weight_bytes: int | None = None


class Model:
    """What a program of bakeoff is. Only `fit` and `predict` must be written."""

    name = "a Python model"
    version = "1"
    inputs: Sequence[str] = ("images", "texts", "pairs", "table")
    """The kinds of rows that it reads."""
    targets: Sequence[str] = ("classes", "value")
    """What it predicts."""
    devices: Sequence[str] = ("cpu",)
    learns_from_validation = False
    """Whether `fit` learns from the validation rows too, as it does if it chooses nothing by them."""

    def __init__(self, task: Task):
        self.task = task

    def fit(self, train: Split, validation: Split, fit: Fit) -> None:
        """Learns. A second call begins afresh."""
        raise NotImplementedError

    def predict(self, rows: Rows) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """One prediction a row, in order: labels, or labels and probabilities (`rows x classes`), or numbers."""
        raise NotImplementedError

    def footprint(self) -> Footprint:
        """How large the fitted model is. By default, what `save` writes is counted in numbers of four bytes."""
        return Footprint(max(1, len(pickle.dumps(self.__dict__)) // 4))

    def save(self, folder: pathlib.Path) -> None:
        """Writes all that `load` needs to an empty folder. By default, the attributes, by pickle."""
        (folder / "model.pickle").write_bytes(pickle.dumps(self.__dict__))

    def load(self, folder: pathlib.Path) -> None:
        """Reads what `save` wrote."""
        task = self.task
        self.__dict__.update(pickle.loads((folder / "model.pickle").read_bytes()))
        # Where the model is served, it may have fewer threads or another device.
        self.task = task


@dataclass
class Fit:
    """What a fit may say, and what it is told."""

    seconds_left: float | None
    """The seconds until the case is ended. `None` if nothing ends it."""
    _pipe: _Pipe = field(repr=False)
    _task: Task = field(repr=False)
    spent: float | None = None
    """The share of the fit's budget that is used up, after an epoch. `None` if there is none."""

    def epoch(self, epoch: int, epochs: int, loss: float, predictions: Any) -> float | None:
        """Reports an epoch, counted from 1, with the predictions of the validation rows. Gives their score: larger is better, and `None` if it
        is undefined."""
        self._pipe.send({"type": "epoch", "epoch": epoch, "epochs": epochs, "loss": float(loss) if np.isfinite(loss) else None},
                        _predictions(predictions, self._task))
        answer, _ = self._pipe.receive()
        self.spent = answer["spent"]
        return answer["score"]

    def progress(self, done: int, total: int) -> None:
        """Reports the steps of a fit without epochs."""
        self._pipe.send({"type": "progress", "done": done, "total": total})


class _Pipe:
    """Messages: a line of JSON, and the bytes of the blocks that it lists."""

    def __init__(self, read: BinaryIO, write: BinaryIO):
        self._read, self._write = read, write

    def receive(self) -> tuple[dict[str, Any], dict[str, Any]]:
        line = self._read.readline()
        if not line:
            raise _HarnessEnded
        message = json.loads(line)
        blocks: dict[str, Any] = {}
        for block in message.pop("blocks", ()):
            blocks[block["name"]] = self._block(block)
            if "columns" in block:
                blocks[f"{block['name']} columns"] = block["columns"]
        return message, blocks

    def _block(self, block: dict[str, Any]) -> np.ndarray:
        array = np.empty(block["shape"], _TYPES[block["type"]])
        # An array without numbers has no view of its bytes.
        view = memoryview(array.reshape(-1)).cast("B") if array.size else memoryview(b"")
        while view:
            count = self._read.readinto(view)
            if not count:
                raise _HarnessEnded
            view = view[count:]
        return array

    def send(self, message: dict[str, Any], blocks: dict[str, tuple[str, np.ndarray]] | None = None) -> None:
        if not blocks:
            self._write.write(json.dumps(message).encode() + b"\n")
        else:
            arrays = {name: np.ascontiguousarray(array, _TYPES[kind]) for name, (kind, array) in blocks.items()}
            message["blocks"] = [{"name": name, "type": blocks[name][0], "shape": array.shape} for name, array in arrays.items()]
            self._write.write(b"".join([json.dumps(message).encode(), b"\n", *(array.tobytes() for array in arrays.values())]))
        self._write.flush()


def _predictions(predictions: Any, task: Task) -> dict[str, tuple[str, np.ndarray]]:
    if task.classes is None:
        return {"values": ("f32", np.asarray(predictions, np.float32))}
    labels, probabilities = predictions if isinstance(predictions, tuple) else (predictions, None)
    labels = np.asarray(labels)
    if labels.size and not (0 <= labels.min() and labels.max() < task.classes):
        raise ValueError(f"a predicted label is outside 0..{task.classes - 1}: {labels.min()} to {labels.max()}")
    blocks = {"labels": ("u16", labels.astype(np.uint16))}
    if probabilities is not None:
        blocks["probabilities"] = ("f32", np.asarray(probabilities, np.float32))
    return blocks


def _texts(blocks: dict[str, Any], prefix: str, name: str, offsets: str) -> list[str]:
    body, places = blocks[f"{prefix}{name}"].tobytes(), blocks[f"{prefix}{offsets}"].tolist()
    return [body[start:end].decode() for start, end in zip(places, places[1:])]


def _columns(blocks: dict[str, Any], prefix: str) -> dict[str, np.ndarray]:
    columns = {}
    if (numbers := blocks.get(f"{prefix}numbers")) is not None:
        columns.update(zip(blocks[f"{prefix}numbers columns"], numbers.T))
    if f"{prefix}categories" in blocks:
        names = blocks[f"{prefix}category_offsets columns"]
        words = [word or None for word in _texts(blocks, prefix, "categories", "category_offsets")]
        columns.update(zip(names, np.array(words, object).reshape(-1, len(names)).T))
    return columns


def _rows(blocks: dict[str, Any], prefix: str = "") -> Rows:
    if (pixels := blocks.get(f"{prefix}pixels")) is not None:
        return Images(pixels)
    if f"{prefix}text" not in blocks:
        return Table(_columns(blocks, prefix))
    second = _texts(blocks, prefix, "second", "second_offsets") if f"{prefix}second" in blocks else None
    return Texts(_texts(blocks, prefix, "text", "text_offsets"), second)


def _split(blocks: dict[str, Any], prefix: str) -> Split:
    labels = blocks.get(f"{prefix}labels")
    targets = blocks[f"{prefix}values"] if labels is None else labels.astype(np.int64)
    return Split(_rows(blocks, prefix), targets)


def _task(message: dict[str, Any]) -> Task:
    inputs, target = message["inputs"], message["target"]
    shape = (inputs["channels"], inputs["height"], inputs["width"]) if inputs["kind"] == "images" else None
    return Task(inputs["kind"], shape, target.get("count"), message["train_rows"], message["params"], message["seed"],
                message["threads"], message["device"])


class _Server:
    """Answers the messages of the harness by calls of a model."""

    def __init__(self, model: type[Model], pipe: _Pipe):
        self.entry, self.pipe = model, pipe
        self.model: Model | None = None

    def answer(self, message: dict[str, Any], blocks: dict[str, Any]) -> None:
        kind = message["type"]
        # The most frequent one first.
        if kind == "predict":
            self.pipe.send({"type": "predictions"}, _predictions(self.model.predict(_rows(blocks)), self.model.task))
        elif kind == "echo":
            _rows(blocks)
            self.pipe.send({"type": "echo"})
        elif kind == "hello":
            entry = self.entry
            self.pipe.send({"type": "hello", "protocol": PROTOCOL, "name": entry.name, "version": entry.version,
                            "inputs": list(entry.inputs), "targets": list(entry.targets), "devices": list(entry.devices),
                            "learns_from_validation": entry.learns_from_validation})
        elif kind == "task":
            try:
                self.model = self.entry(_task(message))
            except Unsupported as reason:
                self.pipe.send({"type": "unsupported", "reason": str(reason)})
            else:
                self.pipe.send({"type": "ready"})
        elif kind == "load":
            self.model = self.entry(_task(message))
            self.model.load(pathlib.Path(message["folder"]))
            self.pipe.send({"type": "loaded"})
        elif kind == "fit":
            fit = Fit(message["seconds_left"], self.pipe, self.model.task)
            self.model.fit(_split(blocks, "train."), _split(blocks, "validation."), fit)
            self.pipe.send({"type": "fitted"})
        elif kind == "footprint":
            self.pipe.send({"type": "footprint", **self.model.footprint().__dict__})
        elif kind == "save":
            self.model.save(pathlib.Path(message["folder"]))
            self.pipe.send({"type": "saved"})
        else:
            raise ValueError(f"no such message: {kind}")


def serve(model: type[Model]) -> NoReturn:
    """Speaks the protocol until the harness says bye. An exception ends the program, and its last line is in the row of the case."""
    # Whatever the program or a library prints must not be taken for a message.
    write = os.fdopen(os.dup(1), "wb", buffering=1 << 16)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    pipe = _Pipe(os.fdopen(0, "rb", buffering=1 << 16, closefd=False), write)
    server = _Server(model, pipe)
    try:
        while True:
            message, blocks = pipe.receive()
            if message["type"] == "bye":
                break
            server.answer(message, blocks)
    except _HarnessEnded:
        pass
    except Exception as error:  # noqa: BLE001: whatever a model raises is told
        traceback.print_exc()
        pipe.send({"type": "error", "message": f"{type(error).__name__}: {error}"})
        sys.exit(1)
    sys.exit(0)
