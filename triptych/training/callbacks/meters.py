"""Means and clocks that the callbacks share."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Mean:
    """The mean of scalars; each is fetched from its device when the next one comes. The order of addition is fixed.

    Kept there until a row is written, thousands of them would lie in memory between the freed arrays of the updates, and
    no later array would fit into the gaps: gigabytes.
    """

    def __init__(self, total: float = 0.0, count: int = 0):
        self.total, self.count = total, count
        self.pending: Any = None  # the last scalar: its update may not be done yet
        self.newest = 0.0  # of those that were fetched

    def add(self, value: Any) -> None:
        self.settle()
        self.pending = value

    def settle(self) -> tuple[float, int]:
        """Fetches what is pending: (sum, count)."""
        if self.pending is not None:
            self.newest = float(self.pending)
            self.total += self.newest
            self.count += 1
            self.pending = None
        return self.total, self.count

    def take(self) -> float | None:
        """The mean since the last take (None: nothing came), then starts anew."""
        total, count = self.settle()
        self.total, self.count = 0.0, 0
        return total / count if count else None


class Largest(Mean):
    """The largest of the scalars; `total` is it."""

    def settle(self) -> tuple[float, int]:
        if self.pending is not None:
            self.newest = float(self.pending)
            self.total = max(self.total, self.newest) if self.count else self.newest
            self.count += 1
            self.pending = None
        return self.total, self.count

    def take(self) -> float | None:
        largest, count = self.settle()
        self.total, self.count = 0.0, 0
        return largest if count else None


class Clock:
    """Seconds since the run's start, over all its sessions, and the part of them spent in the loop."""

    def __init__(self, before: float = 0.0):
        self.before = before
        self.start = time.perf_counter()
        self.pauses = 0.0

    def restart(self) -> None:
        """Counts from now: what came before was set-up."""
        self.start = time.perf_counter()

    def seconds(self) -> float:
        return round(self.before + time.perf_counter() - self.start, 3)

    def playing(self) -> float:
        """Seconds of this session, without evaluations and checkpoints."""
        return time.perf_counter() - self.start - self.pauses

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Around what is not play or learning."""
        start = time.perf_counter()
        yield
        self.pauses += time.perf_counter() - start
