#!/usr/bin/env python3
"""What scipy and statsmodels say of made-up nights, for reports/tests/nights.rs to agree with.

usage: python -P scripts/make-fixtures/nights.py > reports/tests/fixtures/nights.json
"""

import json
import math
import platform

import numpy as np
import scipy
import statsmodels
from scipy import stats
from statsmodels.robust.scale import Huber
from statsmodels.tsa.stattools import acf

random = np.random.default_rng(15)


def series(n, outliers=0, step=0.0, digits=6):
    values = random.normal(size=n).cumsum() * 0.2 + random.normal(size=n)
    values[n // 3 :] += step
    values[random.choice(n, outliers, replace=False)] += 30
    return [round(float(value), digits) for value in values]


def adjusted(p):
    return {"p": p, "adjusted": stats.false_discovery_control(p, method="bh").tolist()}


def robust(values):
    location, scale = Huber(c=1.5, tol=1e-12, maxiter=500)(np.array(values))
    return {"values": values, "level": float(location), "deviation": float(scale)}


def line(values):
    slope = stats.theilslopes(values).slope
    rest = np.array(values) - slope * np.arange(len(values))
    return {"values": values, "end": float(np.median(rest) + slope * (len(values) - 1))}


def split(values, least):
    """The rank sum of every split by scipy's Mann-Whitney test, which takes ties into account."""
    n = len(values)
    found = []
    for at in range(least, n - least + 1):
        after, before = values[at:], values[:at]
        test = lambda side: stats.mannwhitneyu(after, before, use_continuity=False, method="asymptotic", alternative=side)
        larger, smaller = test("greater").pvalue, test("less").pvalue
        # The small p has all digits.
        found.append((at, float(stats.norm.isf(larger) if larger < smaller else -stats.norm.isf(smaller))))
    at, z = max(found, key=lambda one: (round(abs(one[1]), 9), -one[0]))
    size, share = abs(z), least / n
    bonferroni = (n - 2 * least + 1) * 2 * stats.norm.sf(size)
    process = stats.norm.pdf(size) * ((size - 1 / size) * 2 * math.log((1 - share) / share) + 4 / size)
    return {"values": values, "least": least, "at": at, "z": z, "p": float(min(bonferroni, process, 1))}


def neighbours(values):
    """The plain estimate, with what estimating the mean takes from it."""
    n = len(values)
    plain = float(acf(values, nlags=1, fft=False)[1])
    return {"values": values, "levels": 1, "autocorrelation": min(max((n * plain + 1) / (n - 4), 0), 0.9)}


def variance(count, rho):
    """By the matrix of all correlations."""
    lags = np.abs(np.subtract.outer(np.arange(count), np.arange(count)))
    return {"count": count, "autocorrelation": rho, "variance": float((rho**lags).sum() / count**2)}


def prediction(deviation, of_level, degrees, distance):
    """Independent numbers: the interval of one more, and the p of the mean of three more."""
    of_one = deviation * math.sqrt(1 + 1 / of_level)
    of_three = deviation * math.sqrt(1 / 3 + 1 / of_level)
    return {
        "deviation": deviation,
        "of_level": of_level,
        "degrees": degrees,
        "distance": distance,
        "half": float(stats.t.ppf(0.975, degrees) * of_one),
        "p": float(2 * stats.t.sf(distance / of_three, degrees)),
    }


made = {
    "made_with": f"Python {platform.python_version()}, numpy {np.__version__}, scipy {scipy.__version__}, statsmodels {statsmodels.__version__}",
    "benjamini_hochberg": [
        adjusted([0.01, 0.02, 0.03, 0.04]),
        adjusted([0.001, 0.9, 0.03, 0.03, 0.2, 1.0]),
        adjusted([0.5]),
        adjusted([round(float(p), 6) for p in random.uniform(size=40) ** 3]),
    ],
    "huber": [robust(series(n, outliers)) for n, outliers in [(10, 0), (12, 1), (60, 2), (200, 10), (28, 4)]],
    "theil_sen": [line(series(n, outliers, step)) for n, outliers, step in [(5, 0, 0), (28, 3, 2), (40, 0, 5)]],
    "rank_split": [
        split(series(n, outliers, step, digits), least)
        for n, outliers, step, digits, least in [
            (10, 0, 2, 6, 5),
            (30, 0, 2, 6, 5),
            (60, 3, 3, 6, 5),
            (60, 0, 1, 0, 5),
            (200, 5, 0, 6, 5),
            (365, 9, 0.5, 1, 10),
        ]
    ],
    "autocorrelation": [neighbours(series(n)) for n in [10, 30, 100, 365]],
    "variance_of_mean": [variance(count, rho) for count in [1, 2, 3, 7, 60] for rho in [0.0, 0.2, 0.5, 0.9]],
    "prediction": [
        prediction(*arguments)
        for arguments in [(1.0, 10, 9.0, 2.0), (0.01, 60, 42.5, 0.05), (0.02, 5, 3.2, 0.2), (0.5, 90, 400.0, 3.0)]
    ],
}
print(json.dumps(made, indent=1))
