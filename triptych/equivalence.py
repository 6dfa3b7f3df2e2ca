"""Whether runs of two frameworks score the same but for a margin: two one-sided tests."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from triptych.checks import InputError, check


@dataclass(frozen=True)
class Equivalence:
    """Whether another framework's runs score what the first one's do, but for a margin."""

    frameworks: list[str]  # the first one, the other
    difference: float  # of their mean scores
    low: float  # 90 % interval over runs
    high: float
    margin: float
    equivalent: bool  # the interval lies within the margin; False: not shown, which is no difference shown


def check_margin(margin: float | None, seeds: int) -> None:
    """Refuses a test that cannot be made, before anything is trained.

    Raises:
        InputError: the margin or the number of seeds is too small, or SciPy is missing.
    """
    if margin is None:
        return
    check(margin > 0, "margin", margin, "above 0")
    check(seeds > 1, "seeds", seeds, "2 or more with a margin, as runs are compared")
    if importlib.util.find_spec("scipy") is None:
        raise InputError("margin needs scipy, which is not installed: pip install 'triptych[report]'")


def equivalences(scores: dict[str, list[float]], margin: float) -> list[Equivalence]:
    """Each further framework against the first; one with fewer than two runs is left out.

    Args:
        scores: of each framework's runs.
    """
    (first, own), *others = scores.items()
    found = []
    for name, other in others:
        if min(len(own), len(other)) > 1:
            difference, low, high = difference_of_means(own, other)
            is_within = -margin < low and high < margin
            found.append(Equivalence([first, name], difference, low, high, margin, is_within))
    return found


def difference_of_means(a: Sequence[float], b: Sequence[float]) -> tuple[float, float, float]:
    """How much higher `a` is on average than `b`, with Welch's 90 % t interval (1947): no equal variances assumed.

    Where it lies within a margin on both sides, two one-sided tests at 5 % each have shown that the means are no
    farther apart than that (Schuirmann 1987).

    Returns:
        difference, low, high. Two values of each are needed.
    """
    from scipy.stats import ttest_ind

    difference = float(np.mean(a) - np.mean(b))
    if np.ptp(a) == np.ptp(b) == 0:  # no spread to judge by: SciPy would give nothing
        return difference, difference, difference
    interval = ttest_ind(a, b, equal_var=False).confidence_interval(0.90)
    return difference, float(interval.low), float(interval.high)
