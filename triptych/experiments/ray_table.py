"""What runs where: a live table on a terminal, and a line where something changes elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from triptych.utils.console import heard, say

EVERY = 0.5  # seconds between two tables


class LiveTable:
    """A context manager: while it is entered, `show` draws the jobs that are under way."""

    def __init__(self, quiet: bool):
        console = Console(file=heard(sys.stderr), quiet=quiet)
        self.quiet = quiet
        self.live = (
            Live(console=console, auto_refresh=False, transient=True) if console.is_terminal and not quiet else None
        )
        self.shown = 0.0
        self.states: dict[str, str] = {}

    def __enter__(self) -> LiveTable:
        if self.live is not None:
            self.live.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        if self.live is not None:
            self.live.__exit__(None, None, None)

    def show(self, jobs: Sequence[Any], waiting: int) -> None:
        """Draws jobs (`RayJob`) as they are now.

        Args:
            waiting: how many more wait here.
        """
        if self.quiet or time.monotonic() - self.shown < EVERY:
            return
        self.shown = time.monotonic()
        if self.live is not None:
            self.live.update(table_of(jobs, waiting), refresh=True)
            return
        for job in jobs:
            state = f"{job.state} on {job.node}" if job.node else job.state
            if job.state == "runs" and self.states.get(job.name) != state:
                say(f"{job.name} {state}, {job.cores} {'core' if job.cores == 1 else 'cores'}")
            self.states[job.name] = state


def table_of(jobs: Sequence[Any], waiting: int) -> Table:
    """A row a job: run, node, cores, what it does, steps, running reward."""
    table = Table(title=None, box=None, pad_edge=False)
    for name in ("run", "node"):
        table.add_column(name, overflow="fold")
    for name in ("cores", "steps", "running reward"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for job in jobs:
        if job.state != "waiting":
            reward = "" if job.reward is None else f"{job.reward:.1f}"
            table.add_row(job.name, job.node, str(job.cores), f"{job.steps:,}", reward, job.state)
    left = waiting + sum(job.state == "waiting" for job in jobs)
    if left:
        table.add_row(f"{left} more wait for cores")
    return table
