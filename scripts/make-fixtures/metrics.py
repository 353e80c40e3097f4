#!/usr/bin/env python3
"""Scores random and degenerate predictions with scikit-learn, for harness/tests/scoring.rs to agree with.

The correlations of numbers are scipy's, which has no value for them where a side does not vary.

usage: scripts/make-fixtures/metrics.py > harness/tests/fixtures/metrics.json
"""

import json
import platform
import warnings

import numpy as np
import scipy
import sklearn
from scipy import stats
from sklearn import metrics

SEED = 2026


def class_case(name, classes, targets, predictions, probabilities=None):
    """Every class metric of one set of predictions; `probabilities` are rounded to single precision first."""
    targets, predictions = np.asarray(targets), np.asarray(predictions)
    average = {"average": "macro", "zero_division": 0}
    scores = {
        "accuracy": metrics.accuracy_score(targets, predictions),
        "recall_macro": metrics.recall_score(targets, predictions, **average),
        "precision_macro": metrics.precision_score(targets, predictions, **average),
        "f1_macro": metrics.f1_score(targets, predictions, **average),
        "matthews": metrics.matthews_corrcoef(targets, predictions),
    }
    if classes == 2:
        # Of class 1 whatever occurs: `labels` says so also where scikit-learn would see one class only.
        positive = {"labels": [1], "average": "macro", "zero_division": 0}
        scores["recall_positive"] = metrics.recall_score(targets, predictions, **positive)
        scores["precision_positive"] = metrics.precision_score(targets, predictions, **positive)
        scores["f1_positive"] = metrics.f1_score(targets, predictions, **positive)
    if probabilities is not None:
        probabilities = np.asarray(probabilities, dtype=np.float32).astype(np.float64)
        scores["brier"] = metrics.brier_score_loss(
            targets, probabilities, labels=list(range(classes)), scale_by_half=False
        )
        # In double precision, but clipped as scikit-learn clips probabilities of single precision.
        clipped = np.clip(probabilities, np.finfo(np.float32).eps, 1.0)
        scores["bits_per_example"] = -np.mean(np.log2(clipped[np.arange(len(targets)), targets]))
        exact = metrics.log_loss(targets, probabilities, labels=list(range(classes))) / np.log(2)
        if probabilities[np.arange(len(targets)), targets].min() > np.finfo(np.float32).eps:
            # Up to the sums of the rows, which scikit-learn takes as they are and which are 1 to single precision only.
            assert abs(scores["bits_per_example"] - exact) < 1e-6, (scores["bits_per_example"], exact)
        probabilities = probabilities.tolist()
    return {
        "name": name,
        "classes": classes,
        "targets": targets.tolist(),
        "predictions": predictions.tolist(),
        "probabilities": probabilities,
        "scores": {key: float(value) for key, value in scores.items()},
    }


def value_case(name, targets, predictions):
    """Every regression metric of one set of predictions, all rounded to single precision first."""
    targets = np.asarray(targets, dtype=np.float32).astype(np.float64)
    predictions = np.asarray(predictions, dtype=np.float32).astype(np.float64)
    scores = {
        "mse": metrics.mean_squared_error(targets, predictions),
        "mae": metrics.mean_absolute_error(targets, predictions),
    }
    if len(targets) > 1:
        scores["r2"] = metrics.r2_score(targets, predictions)
        if np.ptp(targets) > 0 and np.ptp(predictions) > 0:
            scores["pearson"] = stats.pearsonr(targets, predictions).statistic
            scores["spearman"] = stats.spearmanr(targets, predictions).statistic
    return {
        "name": name,
        "targets": targets.tolist(),
        "predictions": predictions.tolist(),
        "scores": {key: float(value) for key, value in scores.items()},
    }


def random_classes(random, name, classes, count, skill):
    """Predictions that agree with the targets a little more often than by chance."""
    targets = random.integers(0, classes, count)
    logits = random.normal(size=(count, classes))
    logits[np.arange(count), targets] += skill
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return class_case(name, classes, targets, probabilities.argmax(axis=1), probabilities)


def main():
    warnings.simplefilter("ignore")  # of the degenerate cases, which are here on purpose
    random = np.random.default_rng(SEED)
    angles = random.uniform(-60, 60, 60)
    # Drawn apart, so that the cases before stay as they were.
    apart = np.random.default_rng(SEED + 1)
    grades, ties = apart.integers(0, 26, 80) / 5, apart.normal(0, 1, 80)
    certain = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    fixtures = {
        "made_by": "scripts/make-fixtures/metrics.py",
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scikit-learn": sklearn.__version__,
            "scipy": scipy.__version__,
        },
        "classes": [
            random_classes(random, "two classes", 2, 60, 1.0),
            random_classes(random, "ten classes", 10, 60, 1.5),
            random_classes(random, "three classes, no skill", 3, 60, 0.0),
            class_case("perfect", 3, [0, 1, 2, 1], [0, 1, 2, 1], [certain[i] for i in (0, 1, 2, 1)]),
            class_case("all wrong and certain of it", 3, [0, 1, 2], [1, 2, 0], [certain[i] for i in (1, 2, 0)]),
            class_case("a class never predicted", 3, [0, 1, 2, 2, 1], [0, 1, 1, 0, 1]),
            class_case("a class that no target has", 3, [0, 0, 1, 1], [0, 2, 1, 2]),
            class_case("a class that occurs nowhere", 4, [0, 1, 3, 3], [1, 1, 3, 0], np.full((4, 4), 0.25)),
            class_case("one class only, right", 5, [2, 2, 2], [2, 2, 2]),
            class_case("one class only, wrong", 5, [2, 2, 2], [4, 4, 4]),
            class_case("two classes, no positive target", 2, [0, 0, 0, 0], [0, 1, 0, 0], [[0.5, 0.5]] * 4),
            class_case("two classes, none predicted positive", 2, [0, 1, 1, 0], [0, 0, 0, 0]),
            class_case("two classes, no positive anywhere", 2, [0, 0, 0], [0, 0, 0]),
            class_case("one example", 2, [1], [1], [[0.25, 0.75]]),
        ],
        "values": [
            value_case("angles with errors", angles, angles + random.normal(0, 12, 60)),
            value_case("worse than the mean", angles, -angles),
            value_case("far from zero", 1e4 + angles / 100, 1e4 + angles / 90),
            value_case("perfect", angles[:20], angles[:20]),
            value_case("constant targets, right", [3.5] * 4, [3.5] * 4),
            value_case("constant targets, wrong", [3.5] * 4, [3.5, 3.5, 3.0, 4.0]),
            value_case("one example", [2.0], [1.0]),
            value_case("many ties", grades, np.clip(np.round(grades + ties, 0), 0, 5)),
            value_case("monotone, not linear", angles, np.exp(angles / 10)),
            value_case("a constant answer", angles[:5], [0.1] * 5),
            value_case("two examples", [1.0, 2.0], [3.0, -1.0]),
        ],
    }
    # One case a line: small, and a change shows as the lines it touches.
    parts = []
    for key, value in fixtures.items():
        if isinstance(value, list):
            value = "[\n" + ",\n".join(json.dumps(case) for case in value) + "\n]"
        else:
            value = json.dumps(value)
        parts.append(f"{json.dumps(key)}: {value}")
    print("{\n" + ",\n".join(parts) + "\n}")


if __name__ == "__main__":
    main()
