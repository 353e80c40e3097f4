"""Tests of bakeoff_model.py: `python -m unittest discover clients/python`."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy as np

import bakeoff_model

HERE = pathlib.Path(__file__).parent
PROGRAM = """
import sys
sys.path.append({here!r})
import numpy as np
import bakeoff_model

class Length(bakeoff_model.Model):
    name, version, inputs = "the length of a text", "2", ("texts", "pairs")

    def __init__(self, task):
        super().__init__(task)
        if task.params.get("refuse"):
            raise bakeoff_model.Unsupported("it was told to refuse")

    def fit(self, train, validation, fit):
        print("this goes to the log")
        self.mean = train.targets.mean()
        self.score = fit.epoch(1, 1, float("nan"), self.predict(validation.rows))
        self.spent = fit.spent
        fit.progress(1, 1)

    def predict(self, rows):
        if self.task.params.get("raise"):
            raise RuntimeError("no")
        lengths = np.array([len(text) for text in rows.first]) % (self.task.classes or 100)
        if self.task.classes is None:
            return lengths + self.mean
        return lengths, np.eye(self.task.classes)[lengths]

bakeoff_model.serve(Length)
"""


class Conversation:
    """A program that is spoken to as the harness does."""

    def __init__(self, program=PROGRAM):
        self.folder = tempfile.TemporaryDirectory()
        path = pathlib.Path(self.folder.name) / "program.py"
        path.write_text(program.format(here=str(HERE)))
        self.process = subprocess.Popen([sys.executable, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)

    def ask(self, message, **blocks):
        self.send(message, **blocks)
        return self.read()

    def send(self, message, **blocks):
        kinds = {"|u1": "u8", "<u2": "u16", "<u8": "u64", "<f4": "f32"}
        if blocks:
            message["blocks"] = [{"name": name.replace("__", "."), "type": kinds[block.dtype.str], "shape": block.shape}
                                 for name, block in blocks.items()]
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.writelines(block.tobytes() for block in blocks.values())
        self.process.stdin.flush()

    def read(self):
        types = {"u8": "u1", "u16": "<u2", "u64": "<u8", "f32": "<f4"}
        message = json.loads(self.process.stdout.readline())
        for block in message.pop("blocks", []):
            array = np.empty(block["shape"], types[block["type"]])
            array.data.cast("B")[:] = self.process.stdout.read(array.nbytes)
            message[block["name"]] = array
        return message

    def task(self, target, **params):
        return {"inputs": {"kind": "texts"}, "target": target, "train_rows": 4, "params": params, "seed": 1,
                "threads": 1, "device": "cpu"}

    def end(self):
        _, log = self.process.communicate()
        self.folder.cleanup()
        return log.decode()


def texts(words, prefix=""):
    body = "".join(words).encode()
    ends = np.cumsum([0, *(len(word.encode()) for word in words)], dtype=np.uint64)
    return {f"{prefix}text": np.frombuffer(body, np.uint8), f"{prefix}text_offsets": ends}


CLASSES = {"kind": "classes", "count": 3}


class Tests(unittest.TestCase):
    def fit(self, target, targets):
        program = Conversation()
        self.assertEqual(program.ask({"type": "hello", "protocol": 1})["version"], "2")
        self.assertEqual(program.ask({"type": "task", **program.task(target)}), {"type": "ready"})
        name, values = targets
        rows = {f"train__{name}": values[:3], f"validation__{name}": values[3:]}
        epoch = program.ask({"type": "fit", "seconds_left": None}, **texts(["a", "", "é"], "train__"),
                            **texts(["abcd"], "validation__"), **rows)
        self.assertEqual((epoch["type"], epoch["loss"]), ("epoch", None))
        progress = program.ask({"type": "score", "score": 0.5, "spent": None})
        self.assertEqual(progress, {"type": "progress", "done": 1, "total": 1})
        self.assertEqual(program.read(), {"type": "fitted"})
        return program

    def test_classes_come_with_their_probabilities(self):
        program = self.fit(CLASSES, ("labels", np.array([0, 1, 2, 0], np.uint16)))
        answer = program.ask({"type": "predict"}, **texts(["", "abcd", "éé"]))
        self.assertEqual(answer["labels"].tolist(), [0, 1, 2])
        self.assertEqual(answer["probabilities"].tolist(), np.eye(3)[[0, 1, 2]].tolist())
        self.assertEqual(program.ask({"type": "echo"}, **texts(["a"])), {"type": "echo"})
        self.assertGreater(program.ask({"type": "footprint"})["parameters"], 0)
        program.send({"type": "bye"})
        self.assertIn("this goes to the log", program.end())
        self.assertEqual(program.process.returncode, 0)

    def test_a_saved_model_predicts_the_same_in_another_process(self):
        value = {"kind": "value"}
        program = self.fit(value, ("values", np.array([1, 2, 3, 4], np.float32)))
        before = program.ask({"type": "predict"}, **texts(["ab"]))["values"]
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(program.ask({"type": "save", "folder": folder}), {"type": "saved"})
            program.send({"type": "bye"})
            program.end()
            other = Conversation()
            self.assertEqual(other.ask({"type": "load", "folder": folder, **other.task(value)}), {"type": "loaded"})
        self.assertEqual(other.ask({"type": "predict"}, **texts(["ab"]))["values"], before)
        self.assertEqual(before, [4.0])
        other.send({"type": "bye"})
        other.end()

    def test_a_table_comes_as_columns_by_their_names_with_what_is_missing(self):
        numbers = np.array([[1, 2], [np.nan, 4]], np.float32)
        words = texts(["Rome", "", "red", "blue"])
        blocks = {"numbers": numbers, "numbers columns": ["age", "income"], "categories": words["text"],
                  "category_offsets": words["text_offsets"], "category_offsets columns": ["city", "colour"]}
        rows = bakeoff_model._rows(blocks)
        self.assertEqual((len(rows), list(rows.columns)), (2, ["age", "income", "city", "colour"]))
        np.testing.assert_array_equal(rows["age"], [1, np.nan])
        self.assertEqual((rows["city"].tolist(), rows["colour"].tolist()), (["Rome", "red"], [None, "blue"]))

    def test_a_model_may_refuse_a_task_with_a_reason(self):
        program = Conversation()
        answer = program.ask({"type": "task", **program.task(CLASSES, refuse=True)})
        self.assertEqual(answer, {"type": "unsupported", "reason": "it was told to refuse"})
        program.end()

    def test_an_exception_is_an_error_and_its_trace_is_in_the_log(self):
        program = Conversation()
        program.ask({"type": "task", **program.task(CLASSES, **{"raise": True})})
        answer = program.ask({"type": "predict"}, **texts(["a"]))
        self.assertEqual(answer, {"type": "error", "message": "RuntimeError: no"})
        self.assertIn("Traceback", program.end())
        self.assertEqual(program.process.returncode, 1)

    def test_a_program_ends_with_the_harness(self):
        program = Conversation()
        program.ask({"type": "hello", "protocol": 1})
        program.end()
        self.assertEqual(program.process.returncode, 0)


if __name__ == "__main__":
    unittest.main()
