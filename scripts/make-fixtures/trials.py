#!/usr/bin/env python3
"""Means over seeds and test rows with their errors, for reports/tests/trials.rs to agree with. The mean squares are those of
statsmodels' analysis of variance of two crossed factors; quantiles and p-values are scipy's.

usage: scripts/make-fixtures/trials.py > reports/tests/fixtures/trials.json
"""

import json
import platform

import numpy as np
import pandas
import scipy
import scipy.optimize
import scipy.stats
import statsmodels
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

SEED = 2026


def trials(rng, seeds, rows, of_seed, of_row):
    """Scores of rows by trial, and the mean with the interval of Cochran and Cox (1957)."""
    noise = rng.normal(0, 1, size=(seeds, rows))
    scores = (0.3 + of_seed * rng.normal(size=(seeds, 1)) + of_row * rng.normal(size=(1, rows)) + noise).round(4)
    mean = scores.mean()
    student = scipy.stats.t.ppf
    if seeds == 1:
        error, quantile, variances = scores.std(ddof=1) / np.sqrt(rows), student(0.975, rows - 1), None
    else:
        table = pandas.DataFrame(
            [(str(seed), str(row), scores[seed, row]) for seed in range(seeds) for row in range(rows)],
            columns=["seed", "row", "score"],
        )
        squares = anova_lm(ols("score ~ C(seed) + C(row)", table).fit())["mean_sq"]
        m_seed, m_row, rest = squares["C(seed)"], squares["C(row)"], squares["Residual"]
        row_part = max(m_row - rest, rest - m_seed, 0.0)
        error = np.sqrt((m_seed + row_part) / (seeds * rows))
        quantile = (student(0.975, seeds - 1) * m_seed + student(0.975, rows - 1) * row_part) / (m_seed + row_part)
        variances = [max(m_seed - rest, 0.0) / rows, max(m_row - rest, 0.0) / seeds]
    low, high = sorted([seeds - 1, rows - 1])
    if seeds == 1:
        df = rows - 1
        p = 2 * scipy.stats.t.sf(abs(mean / error), df)
    else:
        df = scipy.optimize.brentq(lambda df: student(0.975, df) - quantile, low, high, xtol=1e-13, rtol=1e-14)
        parts = [(m_seed, seeds - 1), (row_part, rows - 1)]
        at = lambda log_p: sum(part * scipy.stats.t.isf(np.exp(log_p) / 2, of) for part, of in parts) / sum(part for part, _ in parts)
        p = np.exp(scipy.optimize.brentq(lambda log_p: at(log_p) - abs(mean / error), -34, 0, xtol=1e-13, rtol=1e-14))
    return {
        "scores": scores.tolist(),
        "low": mean - quantile * error,
        "high": mean + quantile * error,
        "df": df,
        "p": p,
        "variances": variances,
    }


def main():
    rng = np.random.default_rng(SEED)
    shapes = [(1, 20, 0, 1), (2, 12, 0.1, 1), (2, 12, 2, 0), (3, 15, 0, 0), (3, 15, 1, 3), (5, 30, 0.5, 0.5), (10, 20, 0.2, 2)]
    fixture = {
        "made_by": "scripts/make-fixtures/trials.py",
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "statsmodels": statsmodels.__version__,
        },
        "trials": [trials(rng, *shape) for shape in shapes],
    }
    print(json.dumps(fixture, indent=1))


if __name__ == "__main__":
    main()
