"""The audit of a user's replay: a small known stream is put in, and every sample that comes out is looked up in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from triptych.checkup.audit import signals as audited
from triptych.checkup.audit.expected import Makes
from triptych.checkup.audit.transitions import check_transitions
from triptych.checkup.audit.verdict import Differs
from triptych.checkup.findings import Finding
from triptych.checkup.own import signals
from triptych.checkup.own.made import made
from triptych.checkup.own.memory.probes import APART
from triptych.checkup.own.memory.protocol import Recurrent
from triptych.checkup.own.protocol import Batch, Own, discounts
from triptych.checkup.stream import Stream, fingerprints
from triptych.envs import Step
from triptych.spec.batches import Transition

STEPS, DRAWN = 300, 1_200  # of the known stream; samples


class Record:
    """A stream of one game, as it is played."""

    def __init__(self, rows: int, obs: np.ndarray):
        self.stream = Stream(rows, obs[None], np.zeros(1, bool))
        self.said: dict[int, np.ndarray] = {}  # of a network with a memory: what it said of each row, as it was played

    def step(self, action: int, obs: np.ndarray, reward: float, terminated: bool, truncated: bool) -> None:
        self.stream.send(np.array([action]))
        ends = np.array([terminated]), np.array([truncated])
        self.stream.receive(Step(obs[None], np.array([reward], float), *ends))

    def restart(self, obs: np.ndarray) -> None:
        """A new episode, after one that has ended or that is cut here."""
        self.stream.settle()
        if self.stream.last[self.stream.now, 0]:
            self.step(0, obs, 0.0, False, False)
        else:
            self.stream.show(obs[None])

    def judge(self, own: Own, batch: Batch) -> Iterator[Differs | tuple[int, int]]:
        """What differs in each transition of a batch, or where it stands."""
        gamma = float(own.settings["gamma"])
        given = Transition(
            unscaled(own, batch.obs),
            batch.action.astype(np.int64),
            batch.reward,
            discounts(batch, gamma) * (1 - batch.terminated.astype(np.float64)),
            unscaled(own, batch.next_obs),
            np.ones(len(batch.obs)),
        )
        makes = Makes(gamma, own.settings["reward"], n_step=int(own.settings["n_step"]))
        for one in check_transitions(self.stream, makes, given, np.arange(len(batch.obs))):
            if isinstance(one, Differs | tuple):
                yield one


def unscaled(own: Own, obs: np.ndarray) -> np.ndarray:
    """Pictures as bytes again, where they were stored as numbers up to 1."""
    if own.dtype == np.uint8 and obs.dtype.kind == "f":
        return np.round(obs * (255 if obs.max() <= 1 else 1)).astype(np.uint8)
    return obs


def fill(own: Own) -> Record:
    """Puts a stream into the user's replay whose observations are all different; episodes end, and are cut, in turn."""
    memory = own if isinstance(own, Recurrent) else None
    longest = 2 * int(own.settings["sequence_length"]) if memory else 7
    steps = max(STEPS, 6 * longest)
    rng, obs = np.random.default_rng(0), made(own, steps + steps // 2, seed=9)
    shown = iter(obs)
    now = next(shown)
    record, episode, left = Record(2 * steps, now), 0, 3
    state = memory.begin(1) if memory else None
    for _ in range(steps):
        after, left = next(shown), left - 1
        action, reward = int(rng.integers(own.actions)), float(np.round(rng.normal(), 2))
        terminated, truncated = left == 0 and episode % 2 == 0, left == 0 and episode % 2 == 1
        given = (now.copy(), action, reward, terminated, truncated, after.copy())
        own.call("observe", *given, *([state] if own.settings["stored_state"] and memory else []))
        if memory and own.settings["stored_state"]:
            said, state = memory.step(now[None], state)
            record.said[record.stream.count - 1] = said[0]
        record.step(action, after, reward, terminated, truncated)
        now = after
        if left == 0:
            episode, left, now = episode + 1, 3 + episode % longest, next(shown)
            record.restart(now)
            state = memory.begin(1) if memory else None
    return record


def replay(own: Own) -> Iterator[Finding]:
    """The first sample that is not as it was put in; and whether all that was put in comes out."""
    record = fill(own)
    seen: set[tuple[int, int]] = set()
    drawn = 0
    while drawn < DRAWN:
        batch = own.sample()
        drawn += max(1, len(batch.obs))
        for one in record.judge(own, batch):
            if isinstance(one, Differs):
                yield Finding(one.signal, one.measured, one.expected)
                return
            seen.add(one)
    if len(seen) < hoped(STEPS, drawn) / 2:
        wanted = f"about {hoped(STEPS, drawn):.0f} of {STEPS}"
        yield Finding(signals.DRAWS, f"{len(seen)} different steps in {drawn:,} draws", wanted)


def hoped(held: int, drawn: int) -> float:
    """How many different steps come of so many draws from those that are held."""
    return held * (1 - (1 - 1 / held) ** drawn)


def pieces(own: Any) -> Iterator[Finding]:
    """The first piece that is not as it was put in; and whether all that was put in comes out."""
    assert isinstance(own, Recurrent)
    stored = bool(own.settings["stored_state"])
    record = fill(own)
    seen: set[tuple[int, int]] = set()
    record.stream.settle()
    drawn, held = 0, record.stream.total
    while drawn < max(DRAWN, 4 * held):
        batch = own.sample()
        mask = np.asarray(batch.mask) > 0
        if (told := gaps(mask)) is not None:
            yield Finding(told.signal, told.measured, told.expected)
            return
        drawn += max(1, int(mask.sum()))
        for one in record.judge(own, own.steps_of(batch)):
            if isinstance(one, Differs):
                yield Finding(one.signal, one.measured, one.expected)
                return
            seen.add(one)
        starts = [record.stream.find(print_)[0] for print_ in fingerprints(unscaled(own, batch.obs[:, 0]))]
        if stored and (differs := state_differs(own, record, batch, starts)):
            yield differs
            return
    if len(seen) < hoped(held, drawn) / 2:
        wanted = f"about {hoped(held, drawn):.0f} of {held}"
        yield Finding(signals.DRAWS, f"{len(seen)} different steps in {drawn:,} draws", wanted)


def gaps(mask: np.ndarray) -> Differs | None:
    """A mask whose steps do not stand together at the beginning."""
    if not mask.any(axis=1).all():
        return Differs(audited.SEQUENCE, "a piece without a step: its mask is 0 everywhere", "at least one step")
    if (np.diff(mask.astype(int), axis=1) > 0).any():
        return Differs(audited.SEQUENCE, "a mask that is 0 before it is 1", "the steps first, the padding behind them")
    return None


def state_differs(own: Recurrent, record: Any, batch: Any, starts: list[np.ndarray]) -> Finding | None:
    """Whether the network says of each first observation, with the piece's state, what it said there when it was played."""
    found, _ = own.step(batch.obs[:, 0], batch.state)
    empty, _ = own.step(batch.obs[:, 0], own.begin(len(batch.obs)))
    size = max(1e-6, float(np.abs(found).max()))
    for index, rows in enumerate(starts):
        if not len(rows):
            continue
        row = int(rows[0])
        apart = float(np.abs(found[index] - record.said[row]).max())
        if apart <= APART * size:
            continue
        like = f"{apart:.3g} apart from then"
        if np.abs(found[index] - empty[index]).max() <= APART * size:
            like = "as with an empty memory"
        step = int(record.stream.at("step", row, 0))
        measured = f"the state of a piece that begins at step {step} of its episode is not the one before that step: with it the network answers {like}"
        return Finding(audited.STATE, measured, "the state that was stored with that step")
    return None
