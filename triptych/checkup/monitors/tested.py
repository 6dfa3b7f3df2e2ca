"""Whether test games are played by the run's own network as it is now, and begin with an empty memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from triptych.checkup.findings import Finding, Signal
from triptych.checkup.monitors.base import Sampled
from triptych.training.callbacks.base import Run

OTHER = Signal(
    "tested-other-weights",
    "stop",
    "test games are not played with the weights of now",
    (
        "the target's weights, or those of an earlier moment, are taken up for tests",
        "a file that is read in part, or layers that keep their first weights",
    ),
    "what loads weights before test games are played",
)
UNASKED = Signal(
    "tested-another-network",
    "stop",
    "test games are not played by the run's own network",
    ("a copy of the network that was made earlier and is not brought up to date", "actions that come from elsewhere"),
    "what plays test games",
)
BEGUN = Signal(
    "tested-with-a-state",
    "stop",
    "test games begin with the memory of other games",
    ("the state of the training's games is handed on", "a reset that is not told to the memory in tests"),
    "the state and the starts of episodes that test games begin with",
)
MANY = 10  # steps


class InTests(Sampled):
    """The weights before test games and in them; what a memory is given at their first step."""

    always = ("tests_begin", "tests_asked", "tests_unasked", "tested")

    def __init__(self) -> None:
        self.run: Any = None
        self.sum = 0  # of the weights when the tests began
        self.other: int | None = None
        self.state: tuple[int, int, int] | None = None
        self.steps = self.unasked = 0  # of test games, and those before which the network was not asked

    def begin(self, run: Run) -> None:
        self.run = run

    def checksum(self) -> int:
        weights = self.run.weights()
        return zlib.crc32(b"".join(np.ascontiguousarray(weights[name]).tobytes() for name in sorted(weights)))

    def tests_begin(self) -> None:
        self.sum = self.checksum()

    def tests_asked(self, given: tuple[Any, ...]) -> None:
        steps = self.run.counters.steps
        if self.other is None and self.checksum() != self.sum:
            self.other = steps
        if len(given) == 3 and self.state is None:
            state, reset = np.asarray(given[1]), np.asarray(given[2], bool)
            if wrong := int((state.any(axis=1) & ~reset).sum()):
                self.state = steps, wrong, len(reset)

    def tested(self, outputs: Any, actions: np.ndarray) -> None:
        self.steps += 1

    def tests_unasked(self, actions: np.ndarray) -> None:
        self.steps += 1
        self.unasked += 1

    def judge(self, run: Run) -> Iterator[Finding]:
        if self.other is not None:
            told = "in test games the network has other weights than right before them"
            yield Finding(OTHER, told, "the same", self.other)
        if self.unasked > max(MANY, 0.5 * self.steps):
            told = f"it was not asked before {self.unasked:,} of {self.steps:,} steps of test games"
            yield Finding(UNASKED, told, "a question before each", run.counters.steps)
        if self.state is not None:
            step, wrong, games = self.state
            told = f"{wrong} of {games} test games begin with a state that is not zero, and no reset"
            yield Finding(BEGUN, told, "zeros in each", step)
