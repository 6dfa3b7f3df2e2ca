"""Whether a batch reaches the network as fast as its bytes allow."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from triptych.checkup.findings import Finding, Signal
from triptych.checkup.monitors.base import Sampled
from triptych.spec import parts_of
from triptych.training.callbacks.base import Run

SLOW = Signal(
    "conversion-slow",
    "warn",
    "observations take long to become the framework's",
    (
        "a list of arrays, or a tuple, that is made a tensor number by number: stack it in NumPy first",
        "a conversion through Python's numbers, or through another dtype",
    ),
    "where a batch is made a tensor; `triptych train --profile`",
)
TIMES = 30.0  # a plain copy of the same bytes
LEAST = 0.003  # seconds
TRIES = 3
FIRST, SELDOM = 3, 10  # rounds with batches in which it is measured: the first ones, then one in so many


class Transfer(Sampled):
    """The time of the learner's own conversion against that of a copy. A processor that is busy slows both down."""

    def __init__(self) -> None:
        self.run: Any = None
        self.rounds = self.measured = self.batches = 0
        self.acts = False  # whether acting was measured since a batch was
        self.slow: list[tuple[int, float, float]] = []

    def begin(self, run: Run) -> None:
        self.run = run

    def acted(self, player: int, given: tuple[Any, ...], answer: Any) -> None:
        """What the network was asked is turned into the framework's at each step, wherever batches come from."""
        if self.run is not None and self.rounds >= self.measured and not self.acts:
            self.acts = True
            self.measure(given[0])

    def fed(self, player: int, batch: Any) -> None:
        if self.run is None or self.rounds < self.measured:
            return
        self.batches += 1
        self.measured = self.rounds + (1 if self.batches < FIRST else SELDOM)
        self.acts = False
        self.measure(getattr(getattr(batch, "batch", batch), "obs", None))

    def measure(self, obs: Any) -> None:
        if obs is None:
            return
        arrays = [part for part in parts_of(obs).values() if isinstance(part, np.ndarray)]  # not on the device already
        learner = self.run.training.learner
        if not arrays or not hasattr(learner, "to_device"):
            return
        part = max(arrays, key=lambda one: one.nbytes)
        taken = seconds(lambda: learner.to_device(part), TRIES)
        if taken < LEAST:
            return
        copied = seconds(part.copy, TRIES)
        if taken > TIMES * copied:
            self.slow.append((self.run.counters.steps, taken, copied))

    def judge(self, run: Run) -> Iterator[Finding]:
        self.rounds += 1
        if len(self.slow) >= 2:
            step, taken, copied = min(self.slow, key=lambda one: one[1] / one[2])
            told = f"{1e3 * taken:.1f} ms, {taken / copied:,.0f} times what a copy of the same bytes takes"
            yield Finding(SLOW, told, f"at most {TIMES:.0f} times", step)


def seconds(what: Callable[[], Any], tries: int) -> float:
    """The shortest of some tries."""
    found = []
    for _ in range(tries):
        start = time.perf_counter()
        what()
        found.append(time.perf_counter() - start)
    return min(found)
