"""A user's whole training loop, heard from outside: in an environment that writes down what it says, with ears on `learn`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from triptych.checkup.audit.verdict import Differs
from triptych.checkup.findings import Finding
from triptych.checkup.looks import NotSeen
from triptych.checkup.own import signals
from triptych.checkup.own.copying import MORE, Copies
from triptych.checkup.own.exploring import Choices
from triptych.checkup.own.memory.protocol import Recurrent
from triptych.checkup.own.protocol import Own, said_of
from triptych.checkup.own.recorded import Enough, Recorded
from triptych.utils.checks import InputError

STEPS = 500  # of the loop, after its warm-up
FIRST, EVERY, SAMPLES = 10, 25, 16  # batches that are looked up: the first ones and one in so many; samples of each


Weights = dict[str, np.ndarray]


class Ears:
    """What the loop hands to `learn`."""

    def __init__(self, own: Own, env: Recorded):
        self.own, self.env = own, env
        self.updates = self.looked_up = 0  # calls of `learn`; of them batches that could be read
        self.differs: tuple[Differs, int] | None = None

    def __call__(self, *given: Any) -> None:
        self.updates += 1
        if self.own.copies is not None:
            self.own.copies.look(self.env.taken)
        if self.differs or self.env.record is None or (self.updates > FIRST and self.updates % EVERY):
            return
        parts = given[0] if len(given) == 1 else given
        if not isinstance(parts, tuple | list) or len(parts) != len(self.own.kind._fields):
            return
        self.looked_up += 1
        steps = self.own.steps_of(self.own.read(parts))
        for one in self.env.record.judge(self.own, type(steps)(*(part[:SAMPLES] for part in steps))):
            if isinstance(one, Differs):
                self.differs = one, self.env.taken
                return


def loop(own: Own) -> Iterator[Finding]:
    """Lets the user's loop take five hundred steps after its warm-up, and go on until its target is copied."""
    steps, targets = STEPS + int(own.settings["warm_up"] or 0), {"values", "target_values"} <= own.has
    env = Recorded(own.env, steps, MORE if targets else 0)
    ears = Ears(own, env)
    if targets:
        own.copies = copies = Copies(own)
        env.goes_on = copies.waits
        if "learn" not in own.has:
            env.shown = lambda: copies.look(env.taken)
    if {"values", "epsilon"} <= own.has and not isinstance(own, Recurrent):
        env.choices = Choices(own)
    before = own.weights() if "weights" in own.has else {}
    if "learn" in own.has:
        listen(own, ears)
    try:
        own.given.train(env, env.most)
    except Enough:
        pass
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{own.name}: train fails: {said_of(error)}; allowed: a loop that runs") from error
    if not env.taken:
        raise NotSeen("train takes no step in the environment that it is given")
    if ears.differs:
        one, since = ears.differs
        told = f"in the loop: {one.measured}"
        yield Finding(signals.in_own(one.signal, "the loop"), told, one.expected, since)
    if env.choices is not None:
        yield from env.choices.judge()
    yield from learned(own, ears, before, own.weights() if before else {})
    if not env.cuts:
        yield Finding(signals.UNCUT, uncut(env))
    if not before and "learn" not in own.has:
        raise NotSeen("no method learn or weights, by which updates could be seen")
    if ears.updates and not ears.looked_up:
        fields = ", ".join(own.kind._fields)
        raise NotSeen(f"none of the {ears.updates:,} batches that learn was given is a tuple of {fields}")


def uncut(env: Recorded) -> str:
    """Why nothing is said of cuts."""
    return f"no episode was cut in {env.taken:,} steps of train: what the loop makes of a time limit was not looked at"


def learned(own: Own, ears: Ears, before: Weights, after: Weights) -> Iterator[Finding]:
    """Whether the loop made updates: `learn` was called, or else the weights moved, as where a loop has an update of its own."""
    taken, warm_up, hears = ears.env.taken, own.settings["warm_up"], "learn" in own.has
    still = [name for name in before if np.array_equal(before[name], after[name])]
    moved = len(still) < len(before)
    if still and (ears.updates or moved or (not hears and warm_up is not None)):
        measured = f"{len(still)} of {len(before)} tensors unchanged after {taken:,} steps ({', '.join(still[:4])})"
        yield Finding(signals.STILL, measured, "all of them moved")
    elif hears and not ears.updates and warm_up is not None and not moved:
        measured = f"no call of learn in {taken:,} steps of train{', and no tensor moved' if before else ''}"
        yield Finding(signals.UNLEARNED, measured, f"the first one soon after step {warm_up:,}, the setting warm_up")
    if ears.updates or not (hears or before):
        return
    if moved and hears:
        told = f"the loop moves its weights without a call of learn in {taken:,} steps: batches are looked up where train calls self.learn(batch)"
        yield Finding(signals.UNHEARD, told)
    elif warm_up is None:
        heard = "no call of learn" if hears else "no update"
        told = f"{heard} in {taken:,} steps of train: whether it learns was not seen. The setting warm_up says after how many steps the first one is due"
        yield Finding(signals.UNHEARD, told)


def listen(own: Own, ears: Ears) -> None:
    learn = own.given.learn

    def heard(*given: Any, **named: Any) -> Any:
        ears(*given, *named.values())
        return learn(*given, **named)

    try:
        own.given.learn = heard
    except AttributeError:
        raise InputError(f"{own.name}: learn cannot be heard; allowed: an object whose attributes can be set") from None
