"""Curves over seeds with their intervals, and what random play scores."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

GRID = 200  # points of a curve over several runs
SMALL_GRID = 80  # the same in a small figure
MOST_POINTS = 1_000  # points of one run's curve; more would only cost time


def thin(count: int, most: int = MOST_POINTS) -> np.ndarray:
    """Indices of at most `most` of `count` rows, evenly apart, the last one among them."""
    return np.arange(count) if count <= most else np.unique(np.linspace(0, count - 1, most).round().astype(int))


def on_grid(grid: np.ndarray, x: Sequence[float | None], y: Sequence[float | None]) -> np.ndarray:
    """A curve's values at `grid`, None where it has none (outside its own range)."""
    pairs = [
        (a, b)
        for a, b in zip(x, y, strict=True)
        if a is not None and b is not None and math.isfinite(a) and math.isfinite(b)
    ]
    if not pairs:
        return np.full(len(grid), np.nan)
    known_x, known_y = np.array(pairs).T
    return np.interp(grid, known_x, known_y, left=np.nan, right=np.nan)


def over_seeds(
    curves: Sequence[tuple[Sequence[float | None], Sequence[float | None]]], grid: int = GRID
) -> dict[str, list[float]] | None:
    """The mean of several runs' curves, with its 95 % bootstrap interval over runs, where all of them have values.

    Args:
        grid: points of the curve.

    Returns:
        `x`, `mean`, `low`, `high`; None where the runs share no stretch.
    """
    spans = [
        [a for a, b in zip(x, y, strict=True) if a is not None and b is not None and math.isfinite(a)]
        for x, y in curves
    ]
    if len(curves) < 2 or not all(spans):
        return None
    start, end = max(min(span) for span in spans), min(max(span) for span in spans)
    if not start < end:
        return None
    points = np.linspace(start, end, grid)
    values = np.array([on_grid(points, x, y) for x, y in curves])
    there = np.isfinite(values).all(axis=0)
    if not there.any():
        return None
    points, values = points[there], values[:, there]
    draws = np.random.default_rng(0).integers(len(values), size=(1_000, len(values)))
    low, high = np.quantile(values[draws].mean(axis=1), [0.025, 0.975], axis=0)
    rounded = {"x": points, "mean": values.mean(axis=0), "low": low, "high": high}
    return {name: [float(f"{value:.6g}") for value in array] for name, array in rounded.items()}
