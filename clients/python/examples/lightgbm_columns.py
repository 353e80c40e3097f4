"""LightGBM on the columns of a table, which it gets by their names: categories are numbered, and what is missing stays missing."""

import pathlib
import sys

import lightgbm
import numpy as np

sys.path.append(str(pathlib.Path(__file__).parents[1]))
import bakeoff_model


class Columns(bakeoff_model.Model):
    name, version, inputs = "LightGBM on columns", lightgbm.__version__, ("table",)

    def fit(self, train, validation, fit):
        words = {name: column for name, column in train.rows.columns.items() if column.dtype == object}
        self.numbers_of = {name: {word: n for n, word in enumerate(sorted(set(column) - {None}))} for name, column in words.items()}
        kind = lightgbm.LGBMRegressor if self.task.classes is None else lightgbm.LGBMClassifier
        self.model = kind(n_estimators=self.task.params.get("rounds", 100), random_state=self.task.seed, n_jobs=self.task.threads,
                          deterministic=True, force_row_wise=True, verbose=-1)
        places = [place for place, name in enumerate(train.rows.columns) if name in words]
        self.model.fit(self.matrix(train.rows), train.targets, categorical_feature=places)

    def predict(self, rows):
        if self.task.classes is None:
            return self.model.predict(self.matrix(rows))
        found = np.zeros((len(rows), self.task.classes), np.float32)
        found[:, self.model.classes_] = self.model.predict_proba(self.matrix(rows))
        return found.argmax(1), found

    def matrix(self, rows):
        def numbers(name, column):
            known = self.numbers_of.get(name)
            return column if known is None else np.array([known.get(word, np.nan) for word in column], np.float32)

        return np.stack([numbers(name, column) for name, column in rows.columns.items()], 1)


bakeoff_model.serve(Columns)
