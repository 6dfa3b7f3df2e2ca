"""At which step of the environments an update was made, as metrics.csv tells."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from pathlib import Path

from triptych.runs.checkpoints import newest_manifest
from triptych.trackers.rows import Reader, safe_sizes


class Steps:
    """The steps behind a run's updates, as far as the safe rows of metrics.csv tell; it is read when somebody asks."""

    def __init__(self, folder: Path):
        self.folder = folder

    @cached_property
    def rows(self) -> list[tuple[int, int]]:
        """(updates, step) of the rows, from (0, 0), in their order."""
        found = [(0, 0)]
        for step, _, row in Reader(self.folder).lines("metrics", safe_sizes(self.folder)["metrics"]):
            if (updates := int(row["values"].get("updates", 0))) >= found[-1][0]:
                found.append((updates, step))
        return found

    @property
    def newest(self) -> int:
        """The step of the newest checkpoint, or of the last row where there is none."""
        newest = newest_manifest(self.folder)
        return self.rows[-1][1] if newest is None else int(newest["step"])

    @property
    def newest_update(self) -> int:
        return self.rows[-1][0]

    def at(self, updates: int) -> int:
        """The step of an update: that of the last row which was written by then."""
        return self.rows[bisect_right(self.rows, updates, key=lambda row: row[0]) - 1][1]
