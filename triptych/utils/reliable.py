"""Scores of several runs on several tasks against each other: the measures of Agarwal et al. 2021 (rliable), from few runs.

Scores come task by task: an array of one score a run for each. Tasks may have different numbers of runs. Intervals are
percentile bootstraps over runs within each task (stratified), with seeded draws: the same scores give the same interval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

Scores = Sequence[Sequence[float]]  # task -> run -> score
RESAMPLES = 2_000  # as many as rliable takes for these two


class Estimate(NamedTuple):
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float


class Profile(NamedTuple):
    """The share of runs above each score, with its 95 % interval point by point; arrays as long as the scores asked for."""

    share: np.ndarray
    low: np.ndarray
    high: np.ndarray


def probability_of_improvement(ours: Scores, theirs: Scores, resamples: int = RESAMPLES) -> Estimate:
    """How likely a run of ours scores higher than one of theirs, equal scores counted half, averaged over tasks.

    Task by task this is Mann and Whitney's U divided by the number of pairs.
    """
    rng = np.random.default_rng(0)
    values, draws = [], []
    for a, b in zip(ours, theirs, strict=True):
        wins = won(np.asarray(a, np.float64), np.asarray(b, np.float64))  # [runs of ours, runs of theirs]
        values.append(wins.mean())
        rows, columns = (rng.integers(size, size=(resamples, size)) for size in wins.shape)
        draws.append(np.array([wins[np.ix_(*pair)].mean() for pair in zip(rows, columns, strict=True)]))
    low, high = np.quantile(np.mean(draws, axis=0), [0.025, 0.975])
    return Estimate(float(np.mean(values)), float(low), float(high))


def won(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of each pair 1 where the first is higher, 0.5 where both are equal, else 0."""
    difference = a[:, None] - b[None, :]
    return (difference > 0) + 0.5 * (difference == 0)


def performance_profile(scores: Scores, points: Sequence[float], resamples: int = RESAMPLES) -> Profile:
    """The run-score distribution: which share of the runs scores more than each of `points`, averaged over tasks."""
    at = np.asarray(points, np.float64)
    above = [(np.asarray(runs, np.float64)[:, None] > at).astype(np.float64) for runs in scores]  # [runs, points] each
    rng = np.random.default_rng(0)
    draws = [runs[rng.integers(len(runs), size=(resamples, len(runs)))].mean(axis=1) for runs in above]
    low, high = np.quantile(np.mean(draws, axis=0), [0.025, 0.975], axis=0)
    return Profile(np.mean([runs.mean(axis=0) for runs in above], axis=0), low, high)


def interquartile_mean(scores: Scores, resamples: int = RESAMPLES) -> Estimate:
    """The mean of the middle half of all runs' scores over all tasks; a quarter, rounded down, is left out at each end."""
    return estimate(scores, lambda every: trimmed(every), resamples)


def trimmed(scores: np.ndarray) -> np.ndarray:
    """The mean over the last axis without the lowest and the highest quarter."""
    count = scores.shape[-1]
    return np.sort(scores, axis=-1)[..., count // 4 : count - count // 4].mean(axis=-1)


def estimate(scores: Scores, measure: Callable[[np.ndarray], np.ndarray], resamples: int) -> Estimate:
    """A measure of all scores at once, [..., scores] -> [...], and its interval."""
    tasks = [np.asarray(runs, np.float64) for runs in scores]
    rng = np.random.default_rng(0)
    drawn = [runs[rng.integers(len(runs), size=(resamples, len(runs)))] for runs in tasks]
    low, high = np.quantile(measure(np.concatenate(drawn, axis=-1)), [0.025, 0.975])
    return Estimate(float(measure(np.concatenate(tasks))), float(low), float(high))
