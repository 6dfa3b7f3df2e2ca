"""Tasks by variants in one table: what a study came to, at a glance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """What a variant came to on a task, and whether the others can be told from the highest."""

    value: float
    low: float
    high: float
    is_best: bool
    is_near: bool  # its interval overlaps with that of the highest


@dataclass(frozen=True)
class Matrix:
    labels: list[str]
    rows: list[tuple[str, list[Score | None]]]  # a task each; None: the variant was not run there


def matrix(scores: Mapping[str, Mapping[str, tuple[float, float, float]]]) -> Matrix:
    """The table of `task -> variant -> (mean, low, high)`, tasks and variants in the order in which they come first."""
    labels = list(dict.fromkeys(label for row in scores.values() for label in row))
    rows = []
    for task, row in scores.items():
        best = max(row, key=lambda label, row=row: (round(row[label][0], 6), row[label][1]))  # type: ignore[misc]
        low = row[best][1]
        cells = [
            Score(*row[label], is_best=label == best, is_near=label != best and row[label][2] >= low)
            if label in row
            else None
            for label in labels
        ]
        rows.append((task, cells))
    return Matrix(labels, rows)
