"""What can be told of a run before its first step: its settings against each other, and a few probes of its agent."""

from __future__ import annotations

from collections.abc import Iterator

from triptych.checkup.findings import Finding
from triptych.checkup.monitors.base import Monitor
from triptych.checkup.probes import probe_quickly
from triptych.checkup.probes.initial import first_weights
from triptych.checkup.probes.subject import Subject
from triptych.checkup.settings import judge_settings
from triptych.training.base import Training
from triptych.training.callbacks.base import Run


class Before(Monitor):
    """Looks once, where the run begins. Everything is put back: the probes change no number of the run."""

    def __init__(self) -> None:
        self.found: list[Finding] = []

    def begin(self, run: Run) -> None:
        if run.counters.steps:
            return
        self.found = list(judge_settings(run.recipe))
        if can_be_probed(run.training):
            subject = Subject(run.training)
            self.found += probe_quickly(subject)
            if getattr(run, "weights_drawn", False):  # else they are somebody's, as of a network that is carried over
                self.found += first_weights(subject)

    def judge(self, run: Run) -> Iterator[Finding]:
        yield from self.found


def can_be_probed(training: Training) -> bool:
    """Not where its players are in other processes, nor where a teacher looks on, whose lesson is a part of the loss."""
    return bool(training.players()) and training.repeats and training.teacher is None
