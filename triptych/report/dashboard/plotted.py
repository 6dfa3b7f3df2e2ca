"""Curves for the page: a column over an axis, smoothed over rows, thinned so that no peak is lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from triptych.report import curves
from triptych.report.dashboard.tail import Tail

MOST_POINTS = 2_000  # of a curve
MEAN_POINTS = 1_000  # of each curve that goes into a mean
MOST_SMOOTH = 10_000  # rows
SPEED = "steps_per_second"  # made of steps and seconds
OF_METRICS = ("epsilon", "loss")  # in both logs; the rows of metrics.csv are evenly apart, so they tell more


def needed(logs: tuple[Tail, Tail], column: str, axis: str) -> list[Tail]:
    """The logs that a curve is made of; the other one need not be read."""
    found = [log for log in logs if column == SPEED or column in log.heads()]
    return found if all(axis in log.heads() for log in found) else list(logs)


def curve(episodes: Tail, metrics: Tail, column: str, axis: str, smooth: int, points: int) -> dict[str, Any]:
    """One run's curve: `x`, `y`, and, where it is smoothed, the `raw` one. Empty lists where there is nothing.

    Args:
        smooth: rows whose mean a point is, those before it and its own; 1: as it was logged.
        points: how many at most.
    """
    x, y = values(episodes, metrics, column, axis)
    points = max(2, min(points, MOST_POINTS))
    found: dict[str, Any] = drawn(x, running_mean(y, smooth), points)
    if smooth > 1 and len(y):
        found["raw"] = drawn(x, y, points)
    return found


def mean(
    runs: Sequence[tuple[Tail, Tail]], column: str, axis: str, smooth: int, points: int
) -> dict[str, list[float]] | None:
    """The mean of several runs' curves as the report has it: `x`, `mean`, and `low`, `high` of its 95 % bootstrap interval.

    None where the runs share no stretch.
    """
    found = []
    for episodes, metrics in runs:
        x, y = values(episodes, metrics, column, axis)
        y = running_mean(y, smooth)
        kept = curves.thin(len(y), MEAN_POINTS)
        found.append((x[kept].tolist(), y[kept].tolist()))
    return curves.over_seeds(found, grid=max(2, min(points, curves.GRID)))


def values(episodes: Tail, metrics: Tail, column: str, axis: str) -> tuple[np.ndarray, np.ndarray]:
    """Where a column has values, and these: along the axis as that log has it, or as the other one has it at those steps."""
    logs = [metrics, episodes] if column in OF_METRICS else [episodes, metrics]
    for log in logs:
        y = speeds(log) if column == SPEED and log is metrics else log.column(column)
        if y is None or not np.isfinite(y).any():
            continue
        x = log.column(axis)
        if x is None or not np.isfinite(x).any():
            x = from_other(log, episodes if log is metrics else metrics, axis)
        if x is not None:
            there = np.isfinite(x) & np.isfinite(y)
            return x[there], y[there]
    return np.empty(0), np.empty(0)


def from_other(log: Tail, other: Tail, axis: str) -> np.ndarray | None:
    """An axis that only the other log counts, by the steps that both have."""
    steps, known, at = log.column("steps"), other.column("steps"), other.column(axis)
    if steps is None or known is None or at is None:
        return None
    there = np.isfinite(known) & np.isfinite(at)
    return np.interp(steps, known[there], at[there]) if there.any() else None


def speeds(log: Tail) -> np.ndarray | None:
    """Steps a second between two rows."""
    steps, seconds = log.column("steps"), log.column("seconds")
    if steps is None or seconds is None or len(steps) < 2:
        return None
    took = np.diff(seconds, prepend=np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(took > 0, np.diff(steps, prepend=np.nan) / took, np.nan)


def running_mean(y: np.ndarray, rows: int) -> np.ndarray:
    """Of each value and those before it, `rows` together; fewer at the beginning."""
    rows = min(rows, MOST_SMOOTH, len(y))
    if rows <= 1:
        return y
    sums = np.cumsum(np.insert(y, 0, 0.0))
    places = np.arange(1, len(y) + 1)
    starts = np.maximum(places - rows, 0)
    return (sums[places] - sums[starts]) / (places - starts)


def drawn(x: np.ndarray, y: np.ndarray, points: int) -> dict[str, list[float]]:
    kept = thin(y, points)
    return {"x": [exact(value) for value in x[kept].tolist()], "y": [short(value) for value in y[kept].tolist()]}


def thin(y: np.ndarray, points: int) -> np.ndarray:
    """Places of at most `points` values: the first, the last, and the lowest and highest of each stretch between."""
    if len(y) <= points:
        return np.arange(len(y))
    stretches = max(1, (points - 2) // 2)
    length = -(-len(y) // stretches)
    whole = len(y) // length * length
    grid = y[:whole].reshape(-1, length)
    starts = np.arange(len(grid)) * length
    ends = [starts + grid.argmin(axis=1), starts + grid.argmax(axis=1)]
    if whole < len(y):
        ends.append(whole + np.array([y[whole:].argmin(), y[whole:].argmax()]))
    return np.unique(np.concatenate([*ends, [0, len(y) - 1]]))


def exact(value: float) -> float:
    return int(value) if value.is_integer() else float(f"{value:.10g}")


def short(value: float) -> float:
    return float(f"{value:.6g}")
