"""Any estimator of scikit-learn, on TF-IDF of texts or on pixels: params = { estimator = "sklearn.svm.LinearSVC", C = 0.5 }."""

import importlib
import pathlib
import sys

import numpy as np
import sklearn
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline

sys.path.append(str(pathlib.Path(__file__).parents[1]))
import bakeoff_model


class ScikitLearn(bakeoff_model.Model):
    name, version, inputs = "an estimator of scikit-learn", sklearn.__version__, ("images", "texts")

    def fit(self, train, validation, fit):
        params = dict(self.task.params)
        module, name = params.pop("estimator").rsplit(".", 1)
        estimator = getattr(importlib.import_module(module), name)
        params |= {"random_state": self.task.seed} if "random_state" in estimator().get_params() else {}
        encoders = [] if self.task.kind == "images" else [TfidfVectorizer()]
        self.pipeline = make_pipeline(*encoders, estimator(**params)).fit(raw(train.rows), train.targets)

    def predict(self, rows):
        if self.task.classes is None or not hasattr(self.pipeline, "predict_proba"):
            return self.pipeline.predict(raw(rows))
        # A class that no training row has gets no probability.
        found = np.zeros((len(rows), self.task.classes), np.float32)
        found[:, self.pipeline.classes_] = self.pipeline.predict_proba(raw(rows))
        return found.argmax(1), found


def raw(rows):
    return rows.pixels.reshape(len(rows), -1) / np.float32(255) if hasattr(rows, "pixels") else rows.first


bakeoff_model.serve(ScikitLearn)
