"""Means with honest intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

RESAMPLES = 10_000


def bootstrap_mean(groups: Sequence[Sequence[float]], level: float = 0.95) -> tuple[float, float, float]:
    """The mean of the groups' means and its percentile bootstrap interval (Efron 1979).

    One group (the games of one run): games are resampled. Several (runs of several seeds): the runs'
    means are resampled, since games of one run share its luck. The draws are seeded, so the same
    scores give the same interval. Over fewer than about ten values a percentile interval is too narrow.

    Returns:
        mean, low, high; low and high equal the mean where there is one value only.
    """
    values = np.asarray(groups[0] if len(groups) == 1 else [np.mean(group) for group in groups], dtype=np.float64)
    rng = np.random.default_rng(0)
    means = values[rng.integers(len(values), size=(RESAMPLES, len(values)))].mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(values.mean()), float(low), float(high)


def bootstrap_iqm(scores: Sequence[float], level: float = 0.95) -> tuple[float, float, float]:
    """The interquartile mean of the runs' scores (Agarwal et al. 2021) and its percentile bootstrap interval over runs.

    A quarter of the runs, rounded down, is left out at each end. The draws are seeded.

    Returns:
        mean, low, high.
    """
    values = np.asarray(scores, np.float64)
    cut = len(values) // 4

    def iqm(draws: np.ndarray) -> np.ndarray:
        return np.sort(draws, axis=-1)[..., cut : len(values) - cut].mean(axis=-1)

    rng = np.random.default_rng(0)
    low, high = np.quantile(
        iqm(values[rng.integers(len(values), size=(RESAMPLES, len(values)))]), [(1 - level) / 2, (1 + level) / 2]
    )
    return float(iqm(values)), float(low), float(high)
