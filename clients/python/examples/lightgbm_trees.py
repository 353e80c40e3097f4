"""LightGBM on TF-IDF of texts or on pixels: params = { leaves = 31, rounds = 100, learning_rate = 0.1 }."""

import pathlib
import sys

import lightgbm
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

sys.path.append(str(pathlib.Path(__file__).parents[1]))
import bakeoff_model


class LightGbm(bakeoff_model.Model):
    name, version, inputs = "boosted trees of LightGBM", lightgbm.__version__, ("images", "texts")

    def fit(self, train, validation, fit):
        params = {"leaves": 31, "rounds": 100, "learning_rate": 0.1} | self.task.params
        kind, classes = (lightgbm.LGBMRegressor, None) if self.task.classes is None else (lightgbm.LGBMClassifier, self.task.classes)
        self.tfidf = None if self.task.kind == "images" else TfidfVectorizer(max_features=2000).fit(train.rows.first)
        self.trees = kind(num_leaves=params["leaves"], n_estimators=params["rounds"], learning_rate=params["learning_rate"],
                          random_state=self.task.seed, n_jobs=self.task.threads, deterministic=True, verbose=-1)
        progress = lambda step: fit.progress(step.iteration + 1, params["rounds"])
        self.trees.fit(self.encoded(train.rows), train.targets, callbacks=[progress])

    def predict(self, rows):
        if self.task.classes is None:
            return self.trees.predict(self.encoded(rows))
        # A class that no training row has gets no probability.
        found = np.zeros((len(rows), self.task.classes), np.float32)
        found[:, self.trees.classes_] = self.trees.predict_proba(self.encoded(rows))
        return found.argmax(1), found

    def encoded(self, rows):
        return rows.pixels.reshape(len(rows), -1) if self.tfidf is None else self.tfidf.transform(rows.first).astype(np.float32)


bakeoff_model.serve(LightGbm)
