#!/usr/bin/env python3
"""Intervals and paired tests by statsmodels and scipy, for reports/tests/statistics.rs to agree with.

usage: scripts/make-fixtures/statistics.py > reports/tests/fixtures/statistics.json
"""

import json
import platform

import numpy as np
import scipy
import scipy.stats
import statsmodels
from scipy.stats import bootstrap, pearsonr
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

SEED = 2026


def wilson(right, n):
    low, high = proportion_confint(right, n, alpha=0.05, method="wilson")
    return {"right": right, "n": n, "low": float(low), "high": float(high)}


def paired(only_first, only_second):
    p = mcnemar([[50, only_first], [only_second, 50]], exact=True).pvalue
    return {"only_first": only_first, "only_second": only_second, "p": float(p)}


def holm(p_values):
    return {"p": p_values, "adjusted": multipletests(p_values, method="holm")[1].tolist()}


def percentile(rng, n):
    """A skewed set, as squared errors are; its interval depends on the resamples drawn, so many are."""
    values = (rng.normal(size=n) ** 2 * 30.0).round(6)
    found = bootstrap((values,), np.mean, n_resamples=200_000, batch=1000, method="percentile", random_state=rng)
    interval = found.confidence_interval
    return {"values": values.tolist(), "low": float(interval.low), "high": float(interval.high)}


def correlation(rng, n):
    """Pairs that agree somewhat, and the interval of their Pearson correlation."""
    left = rng.normal(size=n).round(6)
    right = (0.5 * left + rng.normal(size=n)).round(6)
    found = bootstrap(
        (left, right),
        lambda x, y, axis: pearsonr(x, y, axis=axis).statistic,
        paired=True,
        n_resamples=100_000,
        batch=1000,
        method="percentile",
        random_state=rng,
    )
    interval = found.confidence_interval
    return {
        "pairs": [list(pair) for pair in zip(left.tolist(), right.tolist())],
        "low": float(interval.low),
        "high": float(interval.high),
    }


def folds(rng, folds, repeats):
    """Scores of a cross-validation: the corrected interval and test of Nadeau and Bengio (2003), their equation 9."""
    scores = (rng.normal(0.01, 0.02, size=folds * repeats)).round(6)
    deviation = np.sqrt(np.var(scores, ddof=1) * (1 / len(scores) + 1 / (folds - 1)))
    student = scipy.stats.t(df=len(scores) - 1)
    half = student.ppf(0.975) * deviation
    return {
        "scores": scores.tolist(),
        "folds": folds,
        "low": float(scores.mean() - half),
        "high": float(scores.mean() + half),
        "p": float(2 * student.sf(abs(scores.mean() / deviation))),
    }


def main():
    rng = np.random.default_rng(SEED)
    fixture = {
        "made_by": "scripts/make-fixtures/statistics.py",
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "statsmodels": statsmodels.__version__,
        },
        "wilson": [wilson(*pair) for pair in [(0, 10), (10, 10), (1, 1), (37, 100), (4420, 10000), (650, 872)]],
        "mcnemar": [paired(*pair) for pair in [(0, 0), (5, 5), (0, 6), (12, 30), (300, 371), (1500, 1400), (0, 1300)]],
        "holm": [holm(p) for p in [[], [0.04], [0.01, 0.04, 0.03, 0.005], [0.5, 0.02, 0.02, 1.0]] if p],
        "bootstrap": [percentile(rng, n) for n in [40, 400]],
        "correlation": [correlation(rng, n) for n in [40, 400]],
        "folds": [folds(rng, *pair) for pair in [(2, 1), (5, 1), (10, 1), (5, 3), (10, 10)]],
    }
    print(json.dumps(fixture, indent=1))


if __name__ == "__main__":
    main()
