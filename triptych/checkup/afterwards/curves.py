"""A log's columns as curves."""

from __future__ import annotations

from typing import Any

import numpy as np

from triptych.report.logs import Log

FEWEST = 100  # rows, below which a curve says nothing
WINDOWS = 20  # that a run is cut into: what is told is told of whole windows, not of single numbers


class Curve:
    """A column beside its steps, of the rows that have both."""

    def __init__(self, log: Log, name: str):
        self.steps, self.values = np.zeros(0), np.zeros(0)
        for part in log.parts:
            if name in part and len(part[name]) > len(self.values):
                values = array(part[name])
                steps = array(part["steps"]) if "steps" in part else np.arange(len(values), dtype=float)
                kept = np.isfinite(values) & np.isfinite(steps)
                if kept.sum() > len(self.values):
                    self.steps, self.values = steps[kept], values[kept]

    def __len__(self) -> int:
        return len(self.values)

    def windows(self) -> list[np.ndarray]:
        return np.array_split(self.values, WINDOWS)

    def middles(self) -> np.ndarray:
        """The median of each window."""
        return np.array([np.median(window) for window in self.windows()])

    def since(self, window: int) -> int:
        """Steps at which a window begins."""
        return int(np.array_split(self.steps, WINDOWS)[window][0])


def array(column: Any) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in column], np.float64)
