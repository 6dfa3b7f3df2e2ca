"""At which step of the environments an update was made, as metrics.csv tells."""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path

from triptych.runs.checkpoints import newest_manifest
from triptych.trackers.rows import Reader, safe_sizes


class Steps:
    """The steps behind a run's updates, as far as the safe rows of metrics.csv tell; None: of no run."""

    def __init__(self, folder: Path | None):
        self.updates, self.steps = [0], [0]
        self.newest = 0  # of the newest checkpoint, or of the last row where there is none
        if folder is None:
            return
        for step, _, row in Reader(folder).lines("metrics", safe_sizes(folder)["metrics"]):
            if (updates := int(row["values"].get("updates", 0))) >= self.updates[-1]:
                self.updates.append(updates)
                self.steps.append(step)
        newest = newest_manifest(folder)
        self.newest = self.steps[-1] if newest is None else newest["step"]

    @property
    def newest_update(self) -> int:
        return self.updates[-1]

    def at(self, updates: int) -> int:
        """The step of an update: that of the last row which was written by then."""
        return self.steps[bisect_right(self.updates, updates) - 1]
