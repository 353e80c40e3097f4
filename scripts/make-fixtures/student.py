#!/usr/bin/env python3
"""What the learners of a student learn from a teacher's answers, and the answers that follow from their numbers, by NumPy and SciPy in
double precision, for models/src/student.rs to agree with. Probabilities, labels and numbers are random.

usage: scripts/make-fixtures/student.py > models/tests/fixtures/student.json
"""

import json
import platform

import numpy as np
import scipy.stats
from scipy.special import logit, softmax

SEED, ROWS, LEAST = 2026, 8, 1e-4


def single(values):
    """Rounded to the single precision in which the numbers are read."""
    return np.asarray(values, dtype=np.float32).astype(np.float64)


def classes(random, count, truth):
    answers = random.dirichlet(np.full(count, 0.5), ROWS)
    # A teacher can be certain.
    answers[0] = np.eye(count)[count - 1]
    answers, labels = single(answers), random.integers(0, count, ROWS)
    mixed = np.maximum((1 - truth) * answers + truth * np.eye(count)[labels], LEAST)
    numbers = single(random.normal(0, 2, (1 if count == 2 else count, ROWS)))
    if count == 2:
        learned = logit(mixed[:, 1:] / mixed.sum(1, keepdims=True)).T
        outputs = np.stack([np.zeros(ROWS), numbers[0]], axis=1)
    else:
        learned = np.log(mixed / scipy.stats.gmean(mixed, axis=1, keepdims=True)).T
        outputs = numbers.T
    return {"classes": count, "truth": truth, "answers": answers.ravel().tolist(), "labels": labels.tolist(),
            "learned": learned.tolist(), "numbers": numbers.tolist(), "probabilities": softmax(outputs, axis=1).ravel().tolist()}


def main():
    random = np.random.default_rng(SEED)
    fixture = {
        "made_by": "scripts/make-fixtures/student.py",
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__},
        "cases": [classes(random, count, truth) for count in (2, 3, 10) for truth in (0.0, 0.25, 1.0)],
    }
    print(json.dumps(fixture))


main()
