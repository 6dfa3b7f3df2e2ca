"""A small known stream that is put into a user's replay, further and further: until it is full and its oldest steps are overwritten."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

import numpy as np

from triptych.checkup.audit.expected import Makes
from triptych.checkup.audit.transitions import check_transitions
from triptych.checkup.audit.verdict import Differs
from triptych.checkup.own.made import made
from triptych.checkup.own.memory.protocol import Recurrent
from triptych.checkup.own.protocol import Batch, Own, discounts
from triptych.checkup.stream import Stream
from triptych.envs import Step
from triptych.spec.batches import Transition

STEPS, MOST = 300, 30_000  # of the stream, before the first samples and at most
BYTES = 2**28  # that a replay may take here
LONGEST = 9  # steps of an episode
CHUNK = 64  # observations that are made together


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


def longest(own: Own) -> int:
    """Steps of the longest episode of the stream; of a network with a memory some hold more than two pieces."""
    return 2 + 2 * int(own.settings["sequence_length"]) if isinstance(own, Recurrent) else LONGEST


def stages(own: Own) -> tuple[list[int], bool]:
    """After how many steps samples are drawn, and whether a replay of the size that the settings say is full at the last one.

    Before it is full, rows that were never written show; once it has gone round, those that are overwritten.
    """
    base, size = max(STEPS, 6 * longest(own)), own.settings["replay_size"]
    most = min(MOST, BYTES // (2 * int(np.prod(own.shape)) * own.dtype.itemsize))
    last = None if size is None else max(base, ceil(1.5 * size))
    if size is None or last is None or last > max(most, 2 * base):
        return [base, 2 * base], False
    first = min(base, size - 1)
    return [first, last] if first >= int(own.settings["batch_size"]) else [last], True


class Filling:
    """A stream whose observations are all different; episodes end, and are cut, in turn.

    Args:
        most: steps that may be put in.
    """

    def __init__(self, own: Own, most: int):
        self.own, self.memory = own, own if isinstance(own, Recurrent) else None
        self.rng, self.shown = np.random.default_rng(0), self.observations()
        self.now = next(self.shown)
        self.record, self.episode, self.left = Record(2 * most, self.now), 0, 3
        self.state = self.memory.begin(1) if self.memory else None
        self.rows: list[int] = []  # of the record, of each step
        self.episodes: list[int] = []  # of each step

    def observations(self) -> Iterator[np.ndarray]:
        seed = 9
        while True:
            yield from made(self.own, CHUNK, seed)
            seed += 1

    def put(self, steps: int) -> None:
        """Goes on until so many steps were put in altogether."""
        while len(self.rows) < steps:
            self.step()
        self.record.stream.settle()

    def step(self) -> None:
        own, memory, now, after = self.own, self.memory, self.now, next(self.shown)
        stored = memory is not None and own.settings["stored_state"]
        self.left -= 1
        action, reward = int(self.rng.integers(own.actions)), float(np.round(self.rng.normal(), 2))
        over, cut = self.left == 0 and self.episode % 2 == 0, self.left == 0 and self.episode % 2 == 1
        given = (now.copy(), action, reward, over, cut, after.copy())
        own.call("observe", *given, *([self.state] if stored else []))
        self.rows.append(self.record.stream.count - 1)
        self.episodes.append(self.episode)
        if memory is not None and stored:
            said, self.state = memory.step(now[None], self.state)
            self.record.said[self.rows[-1]] = said[0]
        self.record.step(action, after, reward, over, cut)
        self.now = after
        if self.left == 0:
            self.begin()

    def begin(self) -> None:
        """The next episode, of another length."""
        self.episode += 1
        self.left, self.now = 3 + self.episode % (longest(self.own) - 2), next(self.shown)
        self.record.restart(self.now)
        self.state = self.memory.begin(1) if self.memory else None

    def shares(self, oldest: int, end: int, parts: np.ndarray) -> np.ndarray:
        """Of steps from the oldest one on, which are in these quarters: the share [4] that comes of each, drawn by step or by episode, whichever is less."""
        _, episode, lengths = np.unique(self.episodes[oldest:end], return_inverse=True, return_counts=True)
        each = np.stack([np.ones(len(episode)), 1 / lengths[episode]])
        return (
            np.array([(one * (parts == part)).sum() / one.sum() for one in each for part in range(4)])
            .reshape(2, 4)
            .min(axis=0)
        )

    def steps_of(self, rows: list[int]) -> np.ndarray:
        """Which steps, from 0, these rows of the record are of."""
        return np.searchsorted(np.array(self.rows), np.array(rows, int))
