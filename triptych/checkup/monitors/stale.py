"""Whether those who play with weights of their own take new ones now and then."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from triptych.checkup.findings import Finding, Signal
from triptych.checkup.monitors.base import Sampled
from triptych.training.callbacks.base import Run

OLD = Signal(
    "acts-on-old-weights",
    "stop",
    "games are played with weights that never change",
    (
        "workers that take the run's weights once, at their start",
        "a copy that is handed out in place of what the learner has learned since",
    ),
    "when a worker takes weights, and which ones",
)
EACH = 4  # looks in a round
FEWEST, TURNS = 8, 10  # looks; updates of each player


class Stale(Sampled):
    """Checksums of the weights behind what is answered, where they are not the learner's own."""

    def __init__(self) -> None:
        self.run: Any = None
        self.here = self.looks = 0
        self.seen: set[int] = set()
        self.since = self.updates = 0
        self.late = 0  # looks after so many updates that weights must be newer

    def begin(self, run: Run) -> None:
        self.run = run

    def acted(self, player: int, given: tuple[Any, ...], answer: Any) -> None:
        if self.here >= EACH or len(self.seen) > 1:
            return
        learner = self.run.training.players()[player].learner
        if learner is self.run.training.learner:
            return
        self.here += 1
        if not self.looks:
            self.since, self.updates = self.run.counters.steps, self.run.counters.updates
        self.looks += 1
        self.late += self.run.counters.updates - self.updates >= TURNS * len(self.run.training.players())
        weights = learner.get_weights()
        self.seen.add(zlib.crc32(b"".join(np.ascontiguousarray(weights[name]).tobytes() for name in sorted(weights))))

    def judge(self, run: Run) -> Iterator[Finding]:
        self.here = 0
        made = run.counters.updates - self.updates
        if len(self.seen) > 1 or self.late < FEWEST or made < TURNS * len(run.training.players()):
            return
        told = f"the same weights in {self.looks:,} looks, while {made:,} updates were made"
        yield Finding(OLD, told, "newer ones after each rollout", self.since)
