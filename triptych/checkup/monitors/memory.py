"""Whether a network's memory is carried from step to step, in its own game, and begins anew with each episode."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from triptych.checkup.findings import Finding, Signal
from triptych.checkup.monitors.base import Sampled
from triptych.envs import Step
from triptych.training.callbacks.base import Run

LOST = Signal(
    "memory-lost",
    "stop",
    "the memory is not carried from step to step",
    (
        "a state that is set to zeros at each step, or never kept",
        "states that are handed to other games, or a step late",
    ),
    "what keeps the state that the network returned, and hands it back",
)
NOT_RESET = Signal(
    "memory-not-reset",
    "stop",
    "the memory is not told that an episode begins",
    ("a reset flag that is never set, or a step late", "ends by a time limit that do not count as ends"),
    "where episodes' starts are handed to the network",
)
RESET_ALWAYS = Signal(
    "memory-always-reset",
    "stop",
    "the memory is told at each step that an episode begins",
    ("a reset flag that is never taken back",),
    "where episodes' starts are handed to the network",
)
IGNORED = Signal(
    "memory-reset-ignored",
    "stop",
    "the network does not zero its state where an episode begins",
    ("a reset flag that is not looked at", "a reset that comes behind the step"),
    "the network's memory layer",
)
UNUSED = Signal(
    "memory-unused",
    "warn",
    "what the network answers does not depend on its memory",
    ("a state that is not fed into the layers above", "a memory whose output is cut or zeroed"),
    "the network's memory layer",
)
EVENTS = ("acted", "sent", "received", "reset")
OFTEN = 3  # steps that must look wrong
PROBES = 3  # rounds at first in which the network is asked itself; then each so many


class Memory(Sampled):
    """What the network is given as its state against what it returned, and the reset flag against the games' ends."""

    rests = True

    def __init__(self) -> None:
        self.run: Any = None
        self.last: Any = None  # (given, state after) of the newest question
        self.carried: dict[int, np.ndarray] = {}  # by player: the state after its last step
        self.starts: dict[int, np.ndarray] = {}  # by player: [N] whether its next observation is an episode's first
        self.ended: dict[int, np.ndarray] = {}
        self.wrong = {name: 0 for name in ("lost", "zeroed", "other", "missed", "false")}
        self.since: dict[str, int] = {}
        self.steps = self.rounds = 0
        self.probed: list[tuple[float, bool]] = []

    def begin(self, run: Run) -> None:
        if run.recipe.has_memory and run.training.players():
            self.run, self.always = run, EVENTS

    def acted(self, player: int, given: tuple[Any, ...], answer: tuple[np.ndarray, Any]) -> None:
        if self.run is not None and len(given) == 3:
            self.last = given, answer[1]

    def wake(self, run: Run) -> None:
        self.last = None
        for known in (self.carried, self.starts, self.ended):
            known.clear()

    def reset(self, player: int, obs: Any) -> None:
        self.carried.pop(player, None)
        self.starts.pop(player, None)
        self.ended.pop(player, None)

    def sent(self, player: int, actions: np.ndarray) -> None:
        """The newest question was the one behind these actions."""
        if self.run is None or self.last is None:
            return
        (_, state, reset), after = self.last
        state, reset = np.asarray(state), np.asarray(reset, bool)
        if len(reset) != len(actions):
            return
        self.steps += 1
        starts = self.starts.get(player)
        if starts is not None:
            self.note("missed", bool((starts & ~reset).any()))
            self.note("false", bool((reset & ~starts).any()))
        before = self.carried.get(player)
        if before is not None and before.shape == state.shape:
            self.compare(before, state, reset)
        self.carried[player] = after

    def compare(self, before: np.ndarray, state: np.ndarray, reset: np.ndarray) -> None:
        wrong = (state != before).any(axis=1) & ~reset
        if not wrong.any():
            return
        self.note("lost", True)
        self.note("zeroed", not state[wrong].any())
        others = [(state[game] == before).all(axis=1).any() for game in np.flatnonzero(wrong)]
        self.note("other", all(others))

    def note(self, name: str, is_wrong: bool) -> None:
        if is_wrong:
            self.wrong[name] += 1
            self.since.setdefault(name, self.run.counters.steps)

    def received(self, player: int, step: Step) -> None:
        if self.run is None:
            return
        ended = step.terminated | step.truncated
        if player in self.ended:
            broken = False if step.broken is None else step.broken
            self.starts[player] = self.ended[player] | broken
        self.ended[player] = ended

    def judge(self, run: Run) -> Iterator[Finding]:
        if self.run is None:
            return
        wrong, since = self.wrong, self.since
        if wrong["lost"] >= OFTEN:
            how = ": it is zeros" if wrong["zeroed"] == wrong["lost"] else ""
            how = how or (": it is another game's" if wrong["other"] == wrong["lost"] else "")
            told = f"in {wrong['lost']:,} of {self.steps:,} steps the state is not the one that came out of the step before{how}"
            yield Finding(LOST, told, "in none", since["lost"])
        if wrong["missed"] >= OFTEN:
            yield Finding(
                NOT_RESET, f"{wrong['missed']:,} steps that begin an episode without it", "none", since["missed"]
            )
        if wrong["false"] >= OFTEN:
            told = f"{wrong['false']:,} of {self.steps:,} steps in the middle of an episode with a reset"
            yield Finding(RESET_ALWAYS, told, "none", since["false"])
        yield from self.asked(run)

    def asked(self, run: Run) -> Iterator[Finding]:
        """The network itself, with the same observations: a reset, a state of zeros, a state as it was."""
        if self.last is None:
            return
        self.rounds += 1
        if self.rounds > PROBES and self.rounds % 10:
            return
        obs, state, reset = self.last[0]
        learner = run.training.players()[0].learner
        if not np.asarray(state).any():
            return
        none, every = np.zeros(len(reset), bool), np.ones(len(reset), bool)
        anew, zeros, kept = (
            np.asarray(type(learner).act(learner, obs, given, flags)[0], np.float64)
            for given, flags in ((state, every), (np.zeros_like(state), none), (state, none))
        )
        size = np.abs(zeros).max() + 1e-6
        if float(np.abs(anew - zeros).max()) > 1e-3 * size:
            told = f"an answer differs by {np.abs(anew - zeros).max():.2g} between a reset and a state of zeros"
            yield Finding(IGNORED, told, "0", run.counters.steps)
        self.probed.append((0.0, bool(np.array_equal(kept, zeros))))
        if len(self.probed) >= 2 and all(same for _, same in self.probed):
            yield Finding(UNUSED, "the same answers with its state and with zeros", "other answers", run.counters.steps)
