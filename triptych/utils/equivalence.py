"""Whether runs of two frameworks score the same but for a margin: two one-sided tests."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from triptych.utils.checks import InputError, check
from triptych.utils.install import install_hint


@dataclass(frozen=True)
class Equivalence:
    """Whether two frameworks' runs score the same but for a margin."""

    frameworks: list[str]  # two
    difference: float  # of their mean scores, the first less the second
    low: float  # 90 % interval over runs
    high: float
    margin: float
    equivalent: bool | None  # the interval lies within the margin; False: not shown; None: scores without any spread


def check_margin(margin: float | None, seeds: int, frameworks: int) -> None:
    """Refuses a test that cannot be made, before anything is trained.

    Raises:
        InputError: the margin, or the number of seeds or frameworks is too small, or SciPy is missing.
    """
    if margin is None:
        return
    check(margin > 0, "margin", margin, "above 0")
    check(seeds > 1, "seeds", seeds, "2 or more with a margin, as runs are compared")
    check(frameworks > 1, "frameworks", frameworks, "2 or more with a margin")
    if importlib.util.find_spec("scipy") is None:
        raise InputError(f"margin needs scipy, which is not installed: {install_hint('report')}")


def equivalences(scores: dict[str, list[float]], margin: float) -> list[Equivalence]:
    """Each pair of frameworks; one of which fewer than two runs are left cannot be tested and is not among them.

    Args:
        scores: of each framework's runs.
    """
    found = []
    for one, other in combinations([name for name, values in scores.items() if len(values) > 1], 2):
        difference, low, high = difference_of_means(scores[one], scores[other])
        has_spread = max(np.ptp(scores[one]), np.ptp(scores[other])) > 0
        is_within = -margin < low and high < margin if has_spread else None
        found.append(Equivalence([one, other], difference, low, high, margin, is_within))
    return found


def difference_of_means(a: Sequence[float], b: Sequence[float]) -> tuple[float, float, float]:
    """How much higher `a` is on average than `b`, with Welch's 90 % t interval (1947): no equal variances assumed.

    Where it lies within a margin on both sides, two one-sided tests at 5 % each have shown that the means are no
    farther apart than that (Schuirmann 1987). Without any spread it is a point, and shows nothing.

    Returns:
        difference, low, high. Two values of each are needed.
    """
    from scipy.stats import ttest_ind

    difference = float(np.mean(a) - np.mean(b))
    if np.ptp(a) == np.ptp(b) == 0:
        return difference, difference, difference
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # that values are nearly equal is what is asked here
        interval = ttest_ind(a, b, equal_var=False).confidence_interval(0.90)
    return difference, float(interval.low), float(interval.high)
