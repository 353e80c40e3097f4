#!/usr/bin/env python3
"""How many queries early stopping needs, by scipy's regularised incomplete beta function, for
reports/src/statistics/early_stopping.rs to agree with.

usage: python -P scripts/make-fixtures/early_stopping.py > reports/tests/fixtures/early_stopping.json
"""

import json
import platform

import numpy as np
import scipy
from scipy.special import betainc

CONFIDENCE = 0.99


def holds(share, under, over):
    """Whether so many queries under and over a latency show that it is above the percentile."""
    return betainc(under, over + 1, share) < 1 - CONFIDENCE


def queries_needed(share, over):
    """h + over, with the smallest h that holds: it holds for all larger ones too."""
    low, high = 0, 1
    while not holds(share, high, over):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(share, middle, over) else (middle, high)
    return {"share": share, "over": over, "queries": high + over}


def most_over(share, queries):
    """The largest number over the latency with which so many queries hold; null if not even none is enough."""
    low, high = -1, queries
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(share, queries - middle, middle) else (low, middle)
    return {"share": share, "queries": queries, "over": None if low < 0 else low}


shares = [0.5, 0.9, 0.95, 0.99, 0.999]
made = {
    "made_with": f"Python {platform.python_version()}, numpy {np.__version__}, scipy {scipy.__version__}",
    "needed": [
        queries_needed(share, over) for share in shares for over in [0, 1, 2, 3, 10, 77, 1023, 1024, 1025, 2000, 9768]
    ],
    "most": [
        most_over(share, queries)
        for share in shares
        for queries in [1, 10, 44, 458, 459, 661, 662, 2009, 10_000, 200_000, 1_000_000]
    ],
}
print(json.dumps(made, indent=1))
