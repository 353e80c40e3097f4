"""A finished ONNX file that gives a score for each class of an image: params = { file = "/models/resnet.onnx" }. Its fit learns nothing."""

import pathlib
import sys

import numpy as np
import onnxruntime

sys.path.append(str(pathlib.Path(__file__).parents[1]))
import bakeoff_model


class OnnxFile(bakeoff_model.Model):
    name, version, inputs, targets = "a finished ONNX file", onnxruntime.__version__, ("images",), ("classes",)

    def fit(self, train, validation, fit):
        print("the file is finished, so this fit learns nothing")
        self.open(pathlib.Path(self.task.params["file"]).read_bytes())

    def open(self, file):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.task.threads
        self.file, self.session = file, onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])

    def predict(self, rows):
        (scores,) = self.session.run(None, {self.session.get_inputs()[0].name: rows.pixels.astype(np.float32) / 255})
        shares = np.exp(scores - scores.max(1, keepdims=True))
        return scores.argmax(1), shares / shares.sum(1, keepdims=True)

    def footprint(self):
        return bakeoff_model.Footprint(max(1, len(self.file) // 4))

    def save(self, folder):
        (folder / "model.onnx").write_bytes(self.file)

    def load(self, folder):
        self.open((folder / "model.onnx").read_bytes())


bakeoff_model.serve(OnnxFile)
