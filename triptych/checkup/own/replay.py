"""The audit of a user's replay: a small known stream is put in, and every sample that comes out is looked up in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from triptych.checkup.audit.expected import Makes
from triptych.checkup.audit.transitions import check_transitions
from triptych.checkup.audit.verdict import Differs
from triptych.checkup.findings import Finding
from triptych.checkup.own import signals
from triptych.checkup.own.probes import made
from triptych.checkup.own.protocol import Batch, Own, discounts
from triptych.checkup.stream import Stream
from triptych.envs import Step
from triptych.spec.batches import Transition

STEPS, DRAWN = 300, 1_200  # of the known stream; samples


class Record:
    """A stream of one game, as it is played."""

    def __init__(self, rows: int, obs: np.ndarray):
        self.stream = Stream(rows, obs[None], np.zeros(1, bool))

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
    rng, obs = np.random.default_rng(0), made(own, STEPS + STEPS // 2, seed=9)
    shown = iter(obs)
    now = next(shown)
    record, episode, left = Record(2 * STEPS, now), 0, 3
    for _ in range(STEPS):
        after, left = next(shown), left - 1
        action, reward = int(rng.integers(own.actions)), float(np.round(rng.normal(), 2))
        terminated, truncated = left == 0 and episode % 2 == 0, left == 0 and episode % 2 == 1
        own.call("observe", now.copy(), action, reward, terminated, truncated, after.copy())
        record.step(action, after, reward, terminated, truncated)
        now = after
        if left == 0:
            episode, left, now = episode + 1, 3 + episode % 7, next(shown)
            record.restart(now)
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
    hoped = STEPS * (1 - (1 - 1 / STEPS) ** drawn)
    if len(seen) < hoped / 2:
        yield Finding(signals.DRAWS, f"{len(seen)} different steps in {drawn:,} draws", f"about {hoped:.0f} of {STEPS}")
