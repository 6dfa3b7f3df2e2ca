"""Whether the target network is one: the online network's weights of a while ago, copied when the period says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from triptych.checkup.audit.expected import periods
from triptych.checkup.findings import Finding, Signal
from triptych.checkup.monitors.base import Sampled
from triptych.training.callbacks.base import Run
from triptych.training.counting import Tick

UNSET = Signal(
    "target-not-initialised",
    "stop",
    "the target network does not begin as the online network",
    ("it was made with weights of its own, and nothing is copied before the first period",),
    "where the target network is made",
)
COPY = Signal(
    "target-copy-wrong",
    "stop",
    "right after a copy the target network is not the online network",
    (
        "some tensors are not copied",
        "the copy goes the other way round, or to another object",
        "an average in place of a copy",
    ),
    "the learner's sync_target",
)
SAME = Signal(
    "target-is-online",
    "stop",
    "the target network is the online network",
    ("both share their tensors: an assignment where a copy was meant", "it is copied after each update"),
    "where the target network is made, and the learner's sync_target; algorithm.target_every",
)
MOVES = Signal(
    "target-moves",
    "warn",
    "the target network changes between its copies",
    (
        "the optimiser holds its tensors too",
        "tensors that are shared with the online network",
        "a gradient through the target",
    ),
    "the optimiser's parameters, the learner's sync_target",
)
RARE = Signal(
    "target-not-copied",
    "stop",
    "the target network is not copied when its period has passed",
    (
        "a period counted in another unit: updates, episodes, frames",
        "a condition that is never true",
        "a copy that does nothing",
    ),
    "algorithm.target_every; the place that calls the learner's sync_target",
)
OFTEN = Signal(
    "target-copied-too-often",
    "warn",
    "the target network is copied more often than its period says",
    ("a period counted in another unit", "a copy at each update or episode"),
    "algorithm.target_every; the place that calls the learner's sync_target",
)
UPDATES = 4  # since a copy, after which both must differ
SLACK = 1  # copies that may be just over or just to come


class Target(Sampled):
    """Distances between online and target network, and how often the one became the other."""

    always = ("synced",)

    def __init__(self) -> None:
        self.run: Any = None
        self.copies = 0  # that were heard
        self.copied_at = 0  # updates at the last one
        self.period = 0  # the newest one that has passed
        self.due, self.due_at = 0, 0  # copies that the settings ask for, and updates at the last one
        self.wrong: tuple[int, str] | None = None  # a copy that was none
        self.before: dict[str, np.ndarray] = {}  # the target at the last round
        self.before_copies = self.before_at = 0
        self.online: dict[str, np.ndarray] = {}

    def begin(self, run: Run) -> None:
        if not run.recipe.algorithm.has_target or run.recipe.teacher_alone:
            return
        self.run, self.copied_at = run, run.counters.copied_at
        self.every = run.recipe.algorithm.target_every  # type: ignore[attr-defined]
        self.period, self.due_at = periods(self.every, run.counters), run.counters.copied_at
        self.copies = self.due = 0
        if run.counters.steps == 0:
            online, target = self.both()
            self.unset = largest(online, target)
        else:
            self.unset = 0.0

    def step(self, run: Run, tick: Tick) -> None:
        """Counts the copies that are due: one where a period has passed and something was learned since the last one."""
        if self.run is None:
            return
        period, updates = periods(self.every, run.counters), run.counters.updates
        if period > self.period:
            self.period = period
            if updates > self.due_at:
                self.due, self.due_at = self.due + 1, updates

    def both(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        state = self.run.training.learner.get_state()
        found = []
        for part in ("online/", "target/"):
            found.append({name.removeprefix(part): array for name, array in state.items() if name.startswith(part)})
        return found[0], found[1]

    def synced(self, player: int) -> None:
        if self.run is None:
            return
        self.copies += 1
        self.copied_at = self.run.counters.updates
        if self.copies & (self.copies - 1) == 0:  # the 1st, 2nd, 4th, ...: it costs a copy of all weights
            online, target = self.both()
            if self.wrong is None and (far := largest(online, target)):
                self.wrong = self.run.counters.steps, f"a weight differs by {far:.3g} right after copy {self.copies:,}"

    def judge(self, run: Run) -> Iterator[Finding]:
        if self.run is None:
            return
        if self.unset:
            yield Finding(UNSET, f"a weight differs by {self.unset:.3g} before the first update", "0", 0)
        if self.wrong is not None:
            yield Finding(COPY, self.wrong[1], "0", self.wrong[0])
        yield from self.counted(run)
        if run.counters.updates and run.counters.updates - self.copied_at >= UPDATES:
            yield from self.compared(run)

    def counted(self, run: Run) -> Iterator[Finding]:
        """Copies against those that were due."""
        number, unit = self.every
        told = f"{self.copies:,} copies where {self.due:,} were due, one every {number:,} {unit}"
        if self.copies < self.due - SLACK:
            yield Finding(RARE, told, "one in each period, once updates are made")
        if self.copies > self.due + SLACK:
            yield Finding(OFTEN, told, "one in each period at most")

    def compared(self, run: Run) -> Iterator[Finding]:
        online, target = self.both()
        since = run.counters.updates - self.copied_at
        moved = bool(self.online) and largest(online, self.online) > 0
        if moved and not largest(online, target):
            yield Finding(
                SAME, f"no weight differs, {since:,} updates after the last copy", "a difference", run.counters.steps
            )
        elif self.before and self.copies == self.before_copies and (far := largest(target, self.before)):
            yield Finding(MOVES, f"a weight of it moved by {far:.3g}, and no copy was made", "no move", self.before_at)
        self.before, self.before_copies, self.before_at = target, self.copies, run.counters.steps
        self.online = online


def largest(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> float:
    """The largest distance of a weight in two networks; where they have other tensors, infinity."""
    if one.keys() != other.keys() or any(one[name].shape != other[name].shape for name in one):
        return float("inf")
    return max((float(np.max(np.abs(one[name] - other[name]), initial=0.0)) for name in one), default=0.0)
