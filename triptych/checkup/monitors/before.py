"""What can be told of a run before its first step: its settings against each other."""

from __future__ import annotations

from collections.abc import Iterator

from triptych.checkup.findings import Finding
from triptych.checkup.monitors.base import Monitor
from triptych.checkup.settings import judge_settings
from triptych.training.callbacks.base import Run


class Before(Monitor):
    """Looks once, where the run begins."""

    def __init__(self) -> None:
        self.found: list[Finding] = []

    def begin(self, run: Run) -> None:
        if not run.counters.steps:
            self.found = list(judge_settings(run.recipe))

    def judge(self, run: Run) -> Iterator[Finding]:
        yield from self.found
