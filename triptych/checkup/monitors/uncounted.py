"""Whether all updates are the run's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from triptych.checkup.findings import Finding, Signal
from triptych.checkup.monitors.base import Monitor
from triptych.training.callbacks.base import Run

UNCOUNTED = Signal(
    "updates-uncounted",
    "stop",
    "the learner makes updates that the run does not make",
    ("learning goes on while test games are played", "somebody else holds the same learner"),
    "whatever calls the learner's update besides the training",
)


class Uncounted(Monitor):
    """Updates that the learner was heard to make, against those that the run counts."""

    always = ("learned",)

    def __init__(self) -> None:
        self.heard = self.counted = 0
        self.apart = 0  # rounds, one after the other, in which they differ
        self.since = 0

    def begin(self, run: Run) -> None:
        self.counted = run.counters.updates

    def learned(self, player: int, batch: Any, rate: float, scalars: dict[str, Any]) -> None:
        self.heard += 1

    def judge(self, run: Run) -> Iterator[Finding]:
        made = run.counters.updates - self.counted
        if run.recipe.algorithm.family == "asynchronous" or self.heard <= made:
            self.apart = 0
            return
        self.apart += 1
        self.since = run.counters.steps if self.apart == 1 else self.since
        if self.apart > 1:
            yield Finding(UNCOUNTED, f"{self.heard:,} updates", f"{made:,}, as the run counts them", self.since)
