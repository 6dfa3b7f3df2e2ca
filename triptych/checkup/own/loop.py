"""A user's whole training loop, heard from outside: in an environment that writes down what it says, with ears on `learn`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np

from triptych.checkup.audit.verdict import Differs
from triptych.checkup.findings import Finding
from triptych.checkup.monitors.updates import NEVER
from triptych.checkup.own import signals
from triptych.checkup.own.exploring import Choices
from triptych.checkup.own.memory.protocol import Recurrent
from triptych.checkup.own.protocol import Own
from triptych.checkup.own.replay import Record
from triptych.utils.checks import InputError

STEPS = 500  # of the loop
FIRST, EVERY, SAMPLES = 10, 25, 16  # batches that are looked up: the first ones and one in so many; samples of each


class Enough(Exception):
    """The loop has gone on long enough."""


class Recorded(gymnasium.Wrapper):
    """Writes down every step, and ends the loop after so many."""

    def __init__(self, env: Any, steps: int):
        super().__init__(env)
        self.record: Record | None = None
        self.left, self.rows = steps, 2 * steps
        self.taken = 0
        self.choices: Choices | None = None
        self.now: Any = None  # what is shown

    def reset(self, **how: Any) -> Any:
        obs, info = self.env.reset(**how)
        self.now = np.array(obs)
        if self.record is None:
            self.record = Record(self.rows, np.array(obs))
        else:
            self.record.restart(np.array(obs))
        return obs, info

    def step(self, action: Any) -> Any:
        if self.left == 0:
            raise Enough
        if self.choices is not None:
            self.choices.heard(self.taken, self.now, int(action))
        self.left -= 1
        self.taken += 1
        answer = self.env.step(action)
        self.now = np.array(answer[0])
        if self.record is not None:
            self.record.step(int(action), np.array(answer[0]), float(answer[1]), bool(answer[2]), bool(answer[3]))
        return answer


class Ears:
    """What the loop hands to `learn`."""

    def __init__(self, own: Own, env: Recorded):
        self.own, self.env = own, env
        self.updates = self.first = 0  # the first one after so many steps
        self.differs: tuple[Differs, int] | None = None

    def __call__(self, *given: Any) -> None:
        self.updates += 1
        self.first = self.first or self.env.taken
        if self.differs or self.env.record is None or (self.updates > FIRST and self.updates % EVERY):
            return
        parts = given[0] if len(given) == 1 else given
        if not isinstance(parts, tuple | list) or len(parts) != len(self.own.kind._fields):
            return
        steps = self.own.steps_of(self.own.read(parts))
        for one in self.env.record.judge(self.own, type(steps)(*(part[:SAMPLES] for part in steps))):
            if isinstance(one, Differs):
                self.differs = one, self.env.taken
                return


def loop(own: Own) -> Iterator[Finding]:
    """Lets the user's loop take five hundred steps."""
    env = Recorded(own.env, STEPS)
    ears = Ears(own, env)
    if {"values", "epsilon"} <= own.has and not isinstance(own, Recurrent):
        env.choices = Choices(own)
    before = own.weights() if "weights" in own.has else {}
    if "learn" in own.has:
        listen(own, ears)
    try:
        own.given.train(env, STEPS)
    except Enough:
        pass
    except InputError:
        raise
    except Exception as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        raise InputError(f"{own.name}: train fails: {said}; allowed: a loop that runs") from error
    if "learn" in own.has and not ears.updates and env.taken:
        yield Finding(
            NEVER, f"no call of learn in {env.taken:,} steps of train", "the first one soon after the warm-up"
        )
    if ears.differs:
        one, since = ears.differs
        yield Finding(one.signal, one.measured, one.expected, since)
    if env.choices is not None:
        yield from env.choices.judge()
    after = own.weights() if before else {}
    still = [name for name in before if np.array_equal(before[name], after[name])]
    if still and (ears.updates or "learn" not in own.has):
        measured = f"{len(still)} of {len(before)} tensors unchanged after {env.taken:,} steps ({', '.join(still[:4])})"
        yield Finding(signals.STILL, measured, "all of them moved")


def listen(own: Own, ears: Ears) -> None:
    learn = own.given.learn

    def heard(*given: Any, **named: Any) -> Any:
        ears(*given, *named.values())
        return learn(*given, **named)

    try:
        own.given.learn = heard
    except AttributeError:
        raise InputError(f"{own.name}: learn cannot be heard; allowed: an object whose attributes can be set") from None
