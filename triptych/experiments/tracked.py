"""The trackers that follow a run in a process of its own, as its job says."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from triptych.trackers.following import Following


@contextlib.contextmanager
def following(job: dict[str, Any]) -> Iterator[list[Following]]:
    """The trackers that follow a job's run, until its tests have been played, as callbacks."""
    names, path = job.get("track", ()), Path(job["runs_dir"]) / job["run_name"]
    with Following(path, names, job.get("quiet", True), job.get("group")) as one:
        yield [one] if names else []
