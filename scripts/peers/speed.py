#!/usr/bin/env python3
"""How many examples a second networks learn from on a device: ours, and PyTorch's by turns with it.

An epoch is the same work on both sides: all training rows in batches of the same size, a step of the same optimiser for each, and the
outputs of the validation rows. Rows are not augmented. PyTorch has all rows on the device from the start. The first epoch of every fit is
not counted: PyTorch compiles and chooses its kernels in it, and ours has done so before the fit. Ours is a whole `bakeoff run` on data that
this script makes from the samples in datasets/samples, with the times of its curves.csv.

Every measurement is a line of OUT/speed.jsonl, and so is one that failed or for which no time was left. Without PyTorch, ours is measured
alone. Standard library and what PyTorch needs, nothing else. `scripts/gpu` runs it.
"""

import argparse
import collections
import csv
import dataclasses
import gzip
import json
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import time

try:
    import numpy as np
    import torch

    import networks
    from data import Images, Texts

    NO_TORCH = None
except ImportError as error:
    NO_TORCH = f"PyTorch is not here: {error}"

ROOT = pathlib.Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "datasets" / "samples"
RECORD = 1 + 3 * 32 * 32
EPOCHS = 4
# Both sides start from weights of their own, and few steps move a loss a lot.
LOSS_TOLERANCE = 0.2
SGD = {"optimizer": "sgd", "learning_rate": 0.05, "weight_decay": 1e-4}
ADAMW = {"optimizer": "adamw", "learning_rate": 5e-4, "weight_decay": 0.01}


@dataclasses.dataclass
class Work:
    """A network, its recipe and its rows."""

    label: str
    model: str
    network: dict
    recipe: dict
    batch: int
    # Words of each text; 0 for images.
    words: int = 0

    @property
    def task(self):
        return f"texts-{self.words}" if self.words else "images"

    @property
    def name(self):
        shape = ", ".join(f"{name} {value}" for name, value in self.network.items() if name != "dropout")
        return f"{self.model}: {shape}{f', {self.words} tokens' if self.words else ''}; batch {self.batch}"


def works(is_tiny):
    """What is measured, and the rows of each task."""
    if is_tiny:
        blocks = {"width": 16, "layers": 1, "heads": 2, "feed_forward": 32, "dropout": 0.1}
        return [Work("resnet-8", "resnet", {"depth": 8, "width": 4}, SGD, 20),
                Work("transformer-16x1", "transformer", blocks, ADAMW, 20, 16),
                Work("lstm-16", "lstm", {"embedding": 8, "hidden": 16, "dropout": 0.3}, ADAMW, 20, 16)
                ], {"images": 200, "texts-16": 200}
    small = {"width": 128, "layers": 4, "heads": 4, "feed_forward": 512, "dropout": 0.1}
    minilm = {"width": 384, "layers": 6, "heads": 12, "feed_forward": 1536, "dropout": 0.1}
    return [Work("resnet-20-b128", "resnet", {"depth": 20, "width": 16}, SGD, 128),
            Work("resnet-20-b1024", "resnet", {"depth": 20, "width": 16}, SGD, 1024),
            Work("transformer-128x4", "transformer", small, ADAMW, 64, 64),
            Work("transformer-minilm", "transformer", minilm, ADAMW, 32, 128),
            Work("lstm-256", "lstm", {"embedding": 128, "hidden": 256, "dropout": 0.3}, ADAMW, 64, 64)
            ], {"images": 10_000, "texts-64": 5000, "texts-128": 2000}


def make_images(folder, rows):
    """The sample of CIFAR-10 again and again, each time with the pixels of its images moved on by one more place."""
    train = gzip.decompress((SAMPLES / "cifar10-train.bin.gz").read_bytes())
    sample = len(train) // RECORD
    with open(folder / "images.bin", "wb") as file:
        for row in range(rows):
            record, shift = train[row % sample * RECORD :][:RECORD], row // sample
            planes = (record[at : at + 1024] for at in range(1, RECORD, 1024))
            file.write(record[:1] + b"".join(plane[shift:] + plane[:shift] for plane in planes))
    test = gzip.decompress((SAMPLES / "cifar10-test.bin.gz").read_bytes())
    (folder / "images-test.bin").write_bytes(test[: 50 * RECORD])


def make_texts(folder, rows, words):
    """Texts of exactly so many words, cut out of all sentences of a label. Only words that are in many of them, so that both sides have the
    same vocabulary, whichever rows are for validation."""
    parts = {part: gzip.decompress((SAMPLES / f"sst2-{part}.tsv.gz").read_bytes()).decode().splitlines()[1:]
             for part in ("train", "dev")}
    found = collections.Counter(word for line in parts["train"] for word in set(words_of(line)))
    for part, count, path in [("train", rows, f"texts-{words}.tsv"), ("dev", 40, f"texts-{words}-test.tsv")]:
        with open(folder / path, "w", encoding="utf-8") as file:
            file.write("label\ttext\n")
            for label in "01":
                heap = [word for line in parts[part] if line.endswith(f"\t{label}") for word in words_of(line)
                        if found[word] >= 20]
                for row in range(count // 2):
                    at = row * (len(heap) - words) // (count // 2)
                    file.write(f"{label}\t{' '.join(heap[at : at + words])}\n")


def words_of(line):
    return re.findall(r"[a-z]{2,}", line.lower())


class Ours:
    """Our side: a run of one case."""

    name = "ours"

    def __init__(self, arguments, every, folder):
        self.arguments, self.folder, self.suite = arguments, folder, folder / "speed.toml"
        self.is_processor = arguments.device == "cpu"
        tasks = sorted({work.task for work in every})
        self.suite.write_text("\n".join([
            "# Written by scripts/peers/speed.py.", 'name = "speed"', 'about = "how fast networks learn"', "latency_examples = 1",
            "timeout_s = 3600", "memory_limit_gib = 1000.0", "checkpoint_s = 86400", *map(task_table, tasks),
            *map(self.model_table, every), ""]), encoding="utf-8")

    def shard(self, work):
        """Batch normalisation sees a shard. PyTorch's sees the batch, and a device computes both at once. On the processor, shards are what
        threads share."""
        return min(32, work.batch) if self.is_processor else work.batch

    def model_table(self, work):
        params = work.network | work.recipe | {"batch": work.batch, "epochs": EPOCHS, "shard": self.shard(work)}
        if work.words:
            params |= {"word_dropout": 0.0, "max_tokens": work.words} | ({"bidirectional": False} if work.model == "lstm" else {})
        else:
            params |= {"flip": False, "crop": 0}
        lines = [f"{name} = {json.dumps(value)}" for name, value in params.items()]
        return "\n".join(["[[model]]", f'name = "{work.model}"', f'label = "{work.label}"', f'tasks = ["{work.task}"]',
                          "[model.params]", *lines])

    def measure(self, work, number, seconds):
        run = self.folder / f"run-{work.label}-{number}"
        command = [self.arguments.program, "run", self.suite, "--task", work.task, "--model", work.label, "--device",
                   self.arguments.device, "--seed", str(number), "--out", run]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            try:
                said, _ = process.communicate(timeout=seconds)
            except BaseException:
                # The time is used up, or this script was interrupted. The run ends its cases, and with them what they hold of the card.
                process.send_signal(signal.SIGINT)
                raise
        (self.folder / f"{run.name}.log").write_text(said, encoding="utf-8")
        rows = read(run / "records.csv") if run.is_dir() else []
        if not any(row["status"] == "ok" or row["status"] == "below-floor" for row in rows):
            note = next((row["note"] for row in rows if row["metric"] == "wall_s"), said.strip()[-300:])
            raise RuntimeError(f"bakeoff run ended with {process.returncode}: {note}")
        values = {row["metric"]: float(row["value"]) for row in rows if row["phase"] in ("fit", "case") and row["value"]}
        epochs = read(run / "curves.csv")
        ends = [float(epoch["elapsed_s"]) for epoch in epochs]
        # Rows that do not fill a shard are left out of an epoch.
        learned, shard = int(values["train_examples"]), self.shard(work)
        return {"epoch_s": [end - start for start, end in zip(ends, ends[1:])], "first_s": ends[0],
                "rows": learned // shard * shard, "loss": statistics.mean(float(epoch["train_loss"]) for epoch in epochs),
                "parameters": int(values["parameters"]), "prepare_s": values.get("prepare_s")}


def task_table(task):
    how = ['format = "cifar"', 'train = "images.bin"', 'test = "images-test.bin"'] if task == "images" else [
        'format = "tsv"', f'train = "{task}.tsv"', f'test = "{task}-test.tsv"', 'text = "text"', 'label = "label"']
    return "\n".join(["[[task]]", f'name = "{task}"', "[task.data]", *how])


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


if NO_TORCH is None:

    class DeviceImages(Images):
        """Pixels that are on the device from the start."""

        def __init__(self, pixels, device):
            super().__init__(pixels)
            self.bytes = torch.from_numpy(pixels).to(device)
            self.mean, self.std = self.mean.to(device), self.std.to(device)

        def batch(self, rows, recipe=None):
            return (self.bytes[rows].float().div_(255).sub_(self.mean).div_(self.std),)

    class DeviceTexts:
        """Numbered words that are on the device from the start. All texts are equally long."""

        def __init__(self, texts, device):
            self.ids, self.vocabulary = torch.tensor(texts.ids, device=device), texts.vocabulary

        def __len__(self):
            return len(self.ids)

        def batches(self, order, size):
            return order.split(size)

        def batch(self, rows, recipe=None):
            return (self.ids[rows],)


class PyTorch:
    """The other side: networks as one would write them in PyTorch, all in 32-bit floats."""

    def __init__(self, name, device, folder, is_compiled=False, is_tf32=False):
        self.name, self.device, self.folder = name, device, folder
        self.is_compiled, self.is_tf32, self.made = is_compiled, is_tf32, {}

    def rows(self, work, ours):
        """The first rows of the file, as many as ours learns from, and the last ones for validation."""
        if work.words:
            labels, texts = zip(*((line["label"], line["text"]) for line in
                                  csv.DictReader(open(self.folder / f"{work.task}.tsv", encoding="utf-8"), delimiter="\t")))
            # Rows of both labels in each part.
            order = [row for pair in zip(range(len(texts) // 2), range(len(texts) // 2, len(texts))) for row in pair]
            texts = Texts([texts[row] for row in order], longest=work.words)
            every, labels = DeviceTexts(texts, self.device), np.array([int(labels[row]) for row in order])
        else:
            records = np.frombuffer((self.folder / "images.bin").read_bytes(), np.uint8).reshape(-1, RECORD)
            every = DeviceImages(records[:, 1:].reshape(-1, 3, 32, 32).copy(), self.device)
            labels = records[:, 0].astype(np.int64)
        return every, torch.from_numpy(labels[: ours["rows"]]).to(self.device)

    def prepare(self, work, ours):
        every, targets = self.rows(work, ours)
        torch.manual_seed(1)
        classes = int(targets.max()) + 1
        if work.model == "resnet":
            network = networks.ResNet(classes, **work.network)
        elif work.model == "transformer":
            network = networks.Transformer(classes, every.vocabulary, tokens=work.words, **work.network)
        else:
            network = networks.Recurrent(torch.nn.LSTM, classes, every.vocabulary, both=False, **work.network)
        network = network.to(self.device)
        start = {name: value.clone() for name, value in network.state_dict().items()}
        return every, targets, network, start, torch.compile(network) if self.is_compiled else network

    def measure(self, work, ours):
        """Trains from the same weights in every round; what was compiled in the first one stays."""
        torch.set_float32_matmul_precision("high" if self.is_tf32 else "highest")
        torch.backends.cudnn.allow_tf32 = self.is_tf32
        if work.label not in self.made:
            self.made[work.label] = self.prepare(work, ours)
        every, targets, network, start, runs = self.made[work.label]
        network.load_state_dict(start)
        recipe = work.recipe | {"batch": work.batch, "epochs": EPOCHS}
        validation = torch.arange(len(every) - len(every) // 10, len(every), device=self.device)

        def validate():
            runs.eval()
            with torch.no_grad():
                runs(*every.batch(validation)).cpu()

        told = networks.train(runs, every, targets, recipe, validate)
        return {"epoch_s": [seconds for seconds, _ in told[1:]], "first_s": told[0][0], "rows": len(targets),
                "loss": statistics.mean(loss for _, loss in told), "parameters": networks.parameters(network)}


class Rounds:
    """Measures by turns, as long as there is time, and writes down what was measured and what was not."""

    def __init__(self, end, file):
        self.end, self.file, self.took, self.ours = end, file, {}, {}

    def write(self, **line):
        self.file.write(json.dumps(line) + "\n")
        self.file.flush()

    def measure(self, work, side, number):
        named = {"work": work.label, "name": work.name, "side": side.name, "round": number}
        left, needs = self.end - time.monotonic(), self.took.get((work.label, side.name), 0)
        if needs is None:
            return
        if left < max(needs, 1):
            return self.write(**named, failed="no time was left")
        start = time.monotonic()
        try:
            if isinstance(side, Ours):
                found = self.ours[work.label] = side.measure(work, number, left)
            elif work.label not in self.ours:
                raise RuntimeError("ours was not measured, so how many rows it learns from is not known")
            else:
                found = side.measure(work, self.ours[work.label])
        except subprocess.TimeoutExpired:
            found = {"failed": f"it was stopped after {left:.0f} s, when the time was used up"}
        except Exception as error:  # Whatever is wrong with one of them, the others are measured.
            found = {"failed": (str(error) or type(error).__name__).strip().splitlines()[0]}
        took = time.monotonic() - start
        # What failed once is not tried again. Nothing is compiled again.
        self.took[work.label, side.name] = None if "failed" in found else took - found["first_s"]
        self.write(**named, **found, took_s=took)
        said = found.get("failed") or f"{found['rows'] / statistics.median(found['epoch_s']):,.0f} examples/s"
        print(f"round {number}: {work.name}: {side.name}: {said} ({took:.0f} s)", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, type=lambda path: pathlib.Path(path).resolve(), help="bakeoff")
    parser.add_argument("--device", default="cuda", help="as `bakeoff run` names it; PyTorch takes cuda, or else the processor")
    parser.add_argument("--out", required=True, type=pathlib.Path, help="a new folder, for speed.jsonl, the data and the runs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3600, help="no measurement begins for which these will not suffice")
    parser.add_argument("--tiny", action="store_true", help="tiny networks: tries everything, measures nothing")
    arguments = parser.parse_args()
    end = time.monotonic() + arguments.seconds
    arguments.out.mkdir(parents=True)
    folder = arguments.out.resolve()
    every, rows = works(arguments.tiny)
    for task, count in rows.items():
        make_images(folder, count) if task == "images" else make_texts(folder, count, int(task.split("-")[1]))
    ours, plain, compiled, missing = Ours(arguments, every, folder), [], [], NO_TORCH
    is_cuda = arguments.device.startswith("cuda")
    if missing is None and is_cuda and not torch.cuda.is_available():
        missing = f"torch {torch.__version__} finds no card"
    if missing is None:
        device = torch.device(arguments.device if is_cuda else "cpu")
        plain = [PyTorch("eager", device, folder)]
        # A processor has no TF32.
        plain += [PyTorch("eager, TF32", device, folder, is_tf32=True)] if is_cuda else []
        compiled = [PyTorch("compiled", device, folder, is_compiled=True)]
    with open(folder / "speed.jsonl", "w", encoding="utf-8") as file:
        rounds = Rounds(end, file)
        version, there = (None, None) if missing else (torch.__version__, str(device))
        rounds.write(epochs=EPOCHS, tolerance=LOSS_TOLERANCE, torch=version, torch_device=there, missing=missing)
        if missing:
            print(missing, flush=True)
        for number in range(1, arguments.rounds):
            for work in every:
                for side in [ours, *plain]:
                    rounds.measure(work, side, number)
        # To compile takes longest, so it comes last, and then all take turns once more.
        for work in every:
            for side in [ours, *compiled, *plain, *compiled]:
                rounds.measure(work, side, arguments.rounds)


if __name__ == "__main__":
    main()
