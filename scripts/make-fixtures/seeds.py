#!/usr/bin/env python3
"""Comparisons over seeds by deepsig, rliable, baycomp and statsmodels, for reports/tests/seeds.rs to agree with.

usage: python -P scripts/make-fixtures/seeds.py > reports/tests/fixtures/seeds.json

-P keeps statistics.py, which lies beside this script, from being taken for Python's own module.
"""

import json
import math
import platform
from importlib.metadata import version

import mpmath
import numpy as np
from baycomp.single import CorrelatedTTest
from deepsig import aso
from deepsig.aso import compute_violation_ratio
from rliable.metrics import probability_of_improvement
from scipy.optimize import brentq
from scipy.stats import norm
from statsmodels.stats.power import TTestPower

SEED = 2026

# The spacing of deepsig's grid for the ratios, and for the bound, where that is its default.
FINE, COARSE = 1e-4, 5e-3


def order(rng):
    """Scores of two models, higher being better; the second has other sizes and deviations.

    The bound takes deepsig long, so only the first cases have one. In the others it would mostly be 1.
    """
    bounded = [(3, 7, 1.5), (10, 10, 1.0), (12, 8, 1.5), (8, 8, 2.0)]
    undecided = [(5, 5, 0.0), (4, 6, 0.2), (10, 10, 0.3), (20, 15, 0.5), (30, 30, -0.5), (7, 1, 0.0)]
    cases = []
    for n, m, shift in bounded + undecided:
        first, second = rng.normal(shift, 1.0, size=n).round(6), rng.normal(0.0, 1.5, size=m).round(6)
        bound = resampled = None
        if (n, m, shift) in bounded:
            bound = float(aso(first, second, num_bootstrap_iterations=1000, dt=COARSE, show_progress=False, seed=SEED))
            resampled = resampled_bound(rng, first, second)
        cases.append(
            {
                "first": first.tolist(),
                "second": second.tolist(),
                "ratio": float(compute_violation_ratio(first, second, dt=FINE)),
                "grid": FINE,
                "bound": bound,
                "resampled_bound": resampled,
            }
        )
    return cases


def resampled_bound(rng, first, second, pairs=200_000):
    """The bound without a grid and almost without noise: both quantile functions have steps of the same widths here."""
    n, m = len(first), len(second)
    steps = math.lcm(n, m)

    def ratios(first, second):
        first = np.repeat(np.sort(first, axis=1), steps // n, axis=1)
        second = np.repeat(np.sort(second, axis=1), steps // m, axis=1)
        squares = (second - first) ** 2
        violation, distance = np.where(second > first, squares, 0.0).sum(axis=1), squares.sum(axis=1)
        return np.where(distance > 0, violation / np.where(distance > 0, distance, 1.0), 0.5)

    ratio = ratios(first[None], second[None])[0]
    deviation = ratios(rng.choice(first, (pairs, n)), rng.choice(second, (pairs, m))).std()
    return float(np.clip(ratio + norm.ppf(0.95) * deviation, 0, 1))


def improvement(rng):
    """Scores (seeds x tasks); rounded ones have ties, and one task has the same scores for both."""
    cases = []
    for n, m, tasks, digits in [(3, 3, 1, 6), (5, 4, 6, 6), (5, 5, 4, 0), (10, 20, 3, 1)]:
        first, second = rng.normal(0.3, 1.0, size=(n, tasks)).round(digits), rng.normal(size=(m, tasks)).round(digits)
        if n == m and tasks > 1:
            second[:, 0] = first[:, 0]
        cases.append(
            {
                "first": first.T.tolist(),
                "second": second.T.tolist(),
                "probability": float(probability_of_improvement(first, second)),
            }
        )
    return cases


def equivalence(rng):
    cases = []
    for n in [2, 3, 5, 10, 100]:
        for effect, region in [(0.0, 0.01), (0.02, 0.01), (-0.05, 0.02), (0.01, 0.0), (0.3, 0.01)]:
            first = rng.normal(0.8, 0.02, size=n)
            second = first + rng.normal(effect, 0.02, size=n)
            mean, variance, degrees = CorrelatedTTest.compute_statistics(first, second)
            found = CorrelatedTTest(first, second, region).probs()
            below, within, above = found if region > 0 else (found[0], 0.0, found[1])
            cases.append(
                {
                    "effect": float(mean),
                    "error": math.sqrt(variance),
                    "degrees": int(degrees),
                    "region": region,
                    "below": float(below),
                    "within": float(within),
                    "above": float(above),
                }
            )
    return cases


def power():
    """The effect in standard errors at which statsmodels' power is 0.8. Its own solve_power stops at about 1e-5."""
    test = TTestPower()
    cases = []
    for degrees in [2, 3, 4, 9, 29, 100, 1000, 10000]:
        nobs = degrees + 1
        at = lambda effect: test.power(effect / math.sqrt(nobs), nobs, 0.05, alternative="two-sided") - 0.8
        cases.append({"by": "statsmodels", "degrees": degrees, "effect": float(brentq(at, 2.5, 6.0, xtol=1e-14))})
    # scipy's noncentral t, which statsmodels calls, is no number there.
    cases.append({"by": "mpmath", "degrees": 1, "effect": exact(1)})
    return cases


def exact(degrees):
    """The same from the definition, by mpmath: T = (Z + effect) / S, where df S² is a chi-square."""
    mpmath.mp.dps = 25
    t = mpmath.tan(mpmath.pi * (mpmath.mpf("0.975") - mpmath.mpf("0.5")))
    assert degrees == 1, "the quantile above is Cauchy's"

    def missing(effect):
        within = lambda s: mpmath.ncdf(t * s - effect) - mpmath.ncdf(-t * s - effect)
        density = lambda s: mpmath.sqrt(2 / mpmath.pi) * mpmath.exp(-s * s / 2)
        middle = effect / t
        ends = [0, middle - 6 / t, middle, middle + 6 / t, 4, 8, mpmath.inf]
        return mpmath.quad(lambda s: density(s) * within(s), sorted(end for end in ends if end >= 0)) - mpmath.mpf("0.2")

    return float(mpmath.findroot(missing, (16, 17), solver="anderson", tol=1e-30))


def main():
    rng = np.random.default_rng(SEED)
    names = ["numpy", "scipy", "deepsig", "rliable", "baycomp", "statsmodels", "mpmath"]
    fixture = {
        "made_by": "scripts/make-fixtures/seeds.py",
        "versions": {"python": platform.python_version(), **{name: version(name) for name in names}},
        "order": order(rng),
        "improvement": improvement(rng),
        "equivalence": equivalence(rng),
        "power": power(),
    }
    print(json.dumps(fixture, indent=1))


if __name__ == "__main__":
    main()
