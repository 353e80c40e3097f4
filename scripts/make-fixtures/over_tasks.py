#!/usr/bin/env python3
"""Tests over tasks by scipy, scikit-posthocs and autorank, for reports/tests/over_tasks.rs to agree with.

usage: python -P scripts/make-fixtures/over_tasks.py > reports/tests/fixtures/over_tasks.json

-P keeps statistics.py, which lies beside this script, from being taken for Python's own module.
"""

import itertools
import json
import math
import platform
from importlib.metadata import version

import numpy as np
import pandas
import scikit_posthocs
import scipy
from autorank._util import _critical_distance, get_sorted_rank_groups
from scipy.stats import f, friedmanchisquare, rankdata, studentized_range, wilcoxon

SEED = 2026


def enumerated(differences):
    """The two-sided p over all signs, for ties, which scipy's exact method does not take."""
    left = [x for x in differences if x != 0]
    ranks = rankdata(np.abs(left))
    observed = sum(rank for rank, x in zip(ranks, left) if x > 0)
    sums = [sum(itertools.compress(ranks, signs)) for signs in itertools.product([0, 1], repeat=len(left))]
    below = sum(s <= observed for s in sums)
    above = sum(s >= observed for s in sums)
    return min(1.0, 2.0 * min(below, above) / len(sums))


def signed_rank(rng):
    cases = []
    for n in [1, 2, 3, 5, 6, 10, 25, 50, 200]:
        for shift in [0.0, 0.4, 1.0]:
            differences = rng.normal(shift, 1.0, size=n).round(9)
            p = wilcoxon(differences, method="exact").pvalue
            cases.append({"by": "scipy", "differences": differences.tolist(), "p": float(p)})
    for n in [2, 4, 7, 10, 13, 15]:
        for shift in [0, 1]:
            differences = (rng.integers(-3, 4, size=n) + shift).astype(float)
            cases.append({"by": "all signs", "differences": differences.tolist(), "p": enumerated(differences)})
    return cases


def friedman(rng):
    """Scores of models (columns) on tasks (rows), higher being better. Rounded scores have ties."""
    cases = []
    for tasks, models, digits in [(2, 3, 9), (3, 4, 9), (10, 3, 9), (10, 5, 1), (30, 8, 9), (30, 8, 0), (12, 20, 1)]:
        scores = (rng.normal(size=(tasks, models)) + np.linspace(0, 1, models)).round(digits)
        found = friedmanchisquare(*scores.T)
        chi_square = float(found.statistic)
        statistic = (tasks - 1) * chi_square / (tasks * (models - 1) - chi_square)
        cases.append(
            {
                "scores": scores.tolist(),
                "mean_ranks": np.mean([rankdata(-task) for task in scores], axis=0).tolist(),
                "chi_square": chi_square,
                "chi_square_p": float(found.pvalue),
                "f": float(statistic),
                "f_p": float(f.sf(statistic, models - 1, (models - 1) * (tasks - 1))),
            }
        )
    return cases


def studentised_range():
    """None stands for infinite degrees of freedom."""
    groups, degrees = [2, 3, 5, 10, 20, 50], [1, 2, 5, 8.5, 30, 120, 1000, math.inf]
    probabilities = [
        {"groups": k, "degrees": None if math.isinf(df) else df, "q": q, "p": float(studentized_range.cdf(q, k, df))}
        for k in groups
        for df in degrees
        for q in [0.1, 1, 2, 3, 4, 6, 40]
    ]
    quantiles = [
        {"groups": k, "degrees": None if math.isinf(df) else df, "p": p, "q": float(studentized_range.ppf(p, k, df))}
        for k in [2, 10, 50]
        for df in [1, 8.5, 30, 1000, math.inf]
        for p in [0.05, 0.5, 0.95, 0.999]
    ]
    return probabilities, quantiles


def nemenyi(rng):
    cases = []
    for tasks, models in [(5, 3), (8, 5), (14, 6), (30, 10), (100, 20)]:
        scores = (rng.normal(size=(tasks, models)) + np.linspace(0, 2, models)).round(6)
        ranks = np.mean([rankdata(-task) for task in scores], axis=0)
        critical = studentized_range.ppf(0.95, models, np.inf) / math.sqrt(2) * math.sqrt(
            models * (models + 1) / (6 * tasks)
        )
        # The columns are in the order of their ranks, so that the groups of autorank are ranges of them.
        order = np.argsort(ranks, kind="stable")

        class Result:
            rankdf = pandas.DataFrame({"meanrank": ranks[order]}, index=[str(model) for model in order])
            cd = critical

        _, names, groups = get_sorted_rank_groups(Result, False)
        p = scikit_posthocs.posthoc_nemenyi_friedman(scores).to_numpy()
        cases.append(
            {
                "mean_ranks": ranks.tolist(),
                "tasks": tasks,
                "scipy": float(critical),
                "autorank": float(_critical_distance(0.05, models, tasks)),
                "groups": [[int(name) for name in names[low : high + 1]] for low, high in groups],
                "p_of_pairs": p.tolist(),
            }
        )
    return cases


def main():
    rng = np.random.default_rng(SEED)
    probabilities, quantiles = studentised_range()
    fixture = {
        "made_by": "scripts/make-fixtures/over_tasks.py",
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "scikit-posthocs": version("scikit-posthocs"),
            "autorank": version("autorank"),
        },
        "signed_rank": signed_rank(rng),
        "friedman": friedman(rng),
        "probabilities": probabilities,
        "quantiles": quantiles,
        "nemenyi": nemenyi(rng),
    }
    # One case a line.
    lines = []
    for key, value in fixture.items():
        if isinstance(value, list):
            lines.append(f" {json.dumps(key)}: [\n  " + ",\n  ".join(json.dumps(case) for case in value) + "\n ]")
        else:
            lines.append(f" {json.dumps(key)}: {json.dumps(value)}")
    print("{\n" + ",\n".join(lines) + "\n}")


if __name__ == "__main__":
    main()
