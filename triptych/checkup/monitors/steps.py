"""Whether an update moves the weights as the optimiser's equations say, worked out in float64 from its state before and after."""

from __future__ import annotations

import math
import zlib
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from triptych.checkup.findings import Finding, Signal
from triptych.checkup.monitors.base import Sampled
from triptych.checkup.monitors.equations import State, forgotten, judged, same
from triptych.checkup.monitors.weights import MOVED_WITHOUT
from triptych.checkup.monitors.weights import told as named
from triptych.checkup.probes.learning import LARGE, WHOLE
from triptych.training.callbacks.base import Run

WRONG = Signal(
    "step-wrong",
    "stop",
    "an update moves the weights otherwise than the optimiser's equations say",
    (
        "gradients that are cut one by one, not by the norm of all of them, or not at all",
        "an epsilon at another place, or of another size; other decays of the moments",
        "a learning rate, weight decay or momentum that the settings do not name",
    ),
    "how the optimiser is made; optimiser.*, max_norm",
)
OTHER = Signal(
    "gradient-changed",
    "stop",
    "the gradient that is applied is none that was taken",
    (
        "gradients of several workers that are added up, or scaled, on the way",
        "a gradient that is cut, rounded or applied to other tensors",
    ),
    "what brings a worker's gradient to the run's own network",
)
MOMENTS = Signal(
    "moments-changed",
    "stop",
    "the optimiser's moments change otherwise than by updates",
    (
        "an optimiser that is made anew on the way: at a copy of the target, a test, a new rate",
        "moments that are zeroed, or loaded from an earlier checkpoint",
    ),
    "where the optimiser is made, and whatever sets its state",
)
# Rounds with updates in which it is looked at: the first ones, then one in so many of a large network.
FIRST, SELDOM = 8, 10
EACH, BIG = 2, 200_000  # looks in a first round, where a network has fewer weights than that; else one
SURE = 4  # looks that are taken whatever they cost, in a small network sixteen times as many
KEPT = 64  # gradients that are remembered until one is applied
IN_A_ROW = 3  # looks at large steps, one after the other
SHARE = 0.1  # of the weights' size, which no healthy update comes near


class Steps(Sampled):
    """The learner's state before an update and after it."""

    def __init__(self) -> None:
        self.run: Any = None
        self.rounds = self.due = self.looks = self.here = 0
        self.before: State | None = None
        self.after: State | None = None  # right after the update before
        self.known: tuple[int, State] | None = None  # updates, and the moments at an earlier look
        self.forgot: tuple[int, str, str] | None = None
        self.wrong: list[tuple[int, tuple[str, str]]] = []
        self.large: list[tuple[int, float]] = []
        self.moved: tuple[int, str] | None = None
        self.small = True
        self.taken: deque[int] = deque(maxlen=KEPT)  # checksums of the gradients that were taken
        self.changed: int | None = None  # steps at which the first one was applied that nobody took
        self.strange = 0  # of these

    def begin(self, run: Run) -> None:
        self.run = run
        self.small = sum(array.size for array in run.weights().values()) < BIG

    def slept(self) -> None:
        self.before = self.after = None
        self.taken.clear()

    def state(self) -> State:
        return {name: np.array(array) for name, array in self.run.training.learner.get_state().items()}

    def fed(self, player: int, batch: Any) -> None:
        if self.run.recipe.algorithm.family != "asynchronous":
            self.take()

    def differentiated(self, player: int, gradients: Any) -> None:
        self.taken.append(checksum(gradients))

    def applying(self, gradients: Any) -> None:
        self.take()
        if self.taken and checksum(gradients) not in self.taken:
            self.strange += 1
            self.changed = self.changed or self.run.counters.steps

    def take(self) -> None:
        """The state before an update, if it is looked at."""
        after, self.after = self.after, None
        if after is not None:
            self.alone(after)
        if self.rounds < self.due or (self.looks >= (16 * SURE if self.small else SURE) and not self.budget.affords()):
            return
        self.before = self.state()
        self.remember(self.before)
        moments = f"{self.run.recipe.optimiser.kind}/"
        moved = [
            name for name, old in (after or {}).items() if name.startswith(moments) and not same(old, self.before[name])
        ]
        if moved and self.forgot is None:
            told = f"{named(moved)} changed between two updates"
            self.forgot = self.run.counters.steps, told, "no change"

    def alone(self, after: State) -> None:
        """The weights against those right after the update before."""
        now = self.run.training.learner.get_weights()
        moved = [name for name in now if (own := after.get(f"online/{name}")) is not None and not same(own, now[name])]
        if moved and self.moved is None:
            self.moved = self.run.counters.steps, named(moved)

    def remember(self, now: State) -> None:
        """The squares' mean against what an earlier look saw: an update may add to it, and shrinks it by its decay alone."""
        updates, spec = self.run.counters.updates, self.run.recipe.optimiser
        if self.known is not None and self.forgot is None:
            before, then = self.known
            lost = forgotten(spec, then, now, updates - before)
            if lost is not None:
                self.forgot = self.run.counters.steps, *lost
        kept = {name: now[name] for name in now if name.startswith((f"{spec.kind}/v/", f"{spec.kind}/s"))}
        self.known = updates, kept

    def learned(self, player: int, batch: Any, rate: float, scalars: dict[str, Any]) -> None:
        if math.isnan(float(rate)):  # gradients alone
            return
        if self.before is None:
            self.after = None  # an update that was not looked at, as those of A3C's workers without a delay
        else:
            self.look(float(rate), scalars.get("gradient_norm"))

    def applied(self, rate: float, norm: Any) -> None:
        if self.before is not None:
            self.look(float(rate), norm)

    def look(self, rate: float, norm: Any) -> None:
        before, self.before = self.before, None
        assert before is not None
        after = self.state()
        self.looks += 1
        self.here += 1
        early = self.rounds < FIRST
        if self.here >= (EACH if self.small and early else 1):
            self.due = self.rounds + (1 if self.small or early else SELDOM)
        found = judged(self.run.recipe.optimiser, before, after, rate, None if norm is None else float(norm))
        steps = self.run.counters.steps
        self.wrong = [*self.wrong, (steps, found.wrong)] if found.wrong else self.wrong
        if len(self.large) < IN_A_ROW:
            self.large = [*self.large, (steps, found.share)] if found.share > SHARE else []
        if found.share > WHOLE:
            self.large = IN_A_ROW * [(steps, found.share)]
        self.after = after

    def judge(self, run: Run) -> Iterator[Finding]:
        self.rounds += 1 if run.counters.updates else 0
        self.here = 0
        if len(self.wrong) >= 2:
            step, (measured, expected) = self.wrong[0]
            yield Finding(WRONG, measured, expected, step)
        if self.forgot is not None:
            step, measured, wanted = self.forgot
            yield Finding(MOMENTS, measured, wanted, step)
        if self.moved is not None:
            yield Finding(MOVED_WITHOUT, f"{self.moved[1]} changed between two updates", "no change", self.moved[0])
        if self.changed is not None and self.strange > 1:
            told = f"{self.strange:,} gradients that were applied are not bit by bit one of those taken right before"
            yield Finding(OTHER, told, "none", self.changed)
        if len(self.large) >= IN_A_ROW:
            step, share = self.large[0]
            yield Finding(LARGE, f"one update moves them by {share:.0%} of their size", f"at most {SHARE:.0%}", step)


def checksum(gradients: Mapping[str, np.ndarray]) -> int:
    """Of some numbers of each tensor."""
    some = [np.ravel(gradients[name])[:: max(1, np.size(gradients[name]) // 64)] for name in sorted(gradients)]
    return zlib.crc32(b"".join(np.ascontiguousarray(part, np.float64).tobytes() for part in some))
