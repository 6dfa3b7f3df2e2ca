"""The raw stream of a player's games, as it came: a second record beside whatever the run stores.

A row is what every game showed, the action that was sent there, and what followed it. An observation is kept as a fingerprint of
8 bytes, by which a sample is found again: about 31 bytes a step of a game. Nothing here is shared with the stores of `buffers/`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from triptych.envs import Step
from triptych.spec import parts_of

RECENT = 1_000  # rows that tell whether observations are told apart by what they show
PENDING = 64  # rows whose fingerprints are worked out together
SMALL, LONGER = 64, 512  # numbers of an observation that is kept as it is till then, and of how many rows
WORDS = 512  # of an observation that enter its fingerprint; of larger ones every so many
FACTORS = np.random.default_rng(0).integers(2**63, size=4 * WORDS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)


def words_of(obs: Any, lead: int = 1) -> list[np.ndarray]:
    """Each part of observations [..., *part] as what enters its fingerprint [..., words]; `lead` dimensions stand before it.

    Numbers other than bytes are taken as float32, which a run's precision does not change.
    """
    if type(obs) is np.ndarray:
        return [part_words(obs, lead)]
    return [part_words(np.asarray(part), lead) for _, part in sorted(parts_of(obs).items())]


def part_words(array: np.ndarray, lead: int) -> np.ndarray:
    flat = array.reshape(*array.shape[:lead], -1)
    size = flat.shape[-1]
    if array.dtype != np.uint8:
        flat = flat.astype(np.float32, copy=False)
    elif size % 8 == 0:
        flat, size = np.ascontiguousarray(flat).view(np.uint64), size // 8
    return flat if size <= WORDS else flat[..., :: -(-size // WORDS) | 1]  # odd: it meets every column of a picture


def fingerprint(words: list[np.ndarray]) -> np.ndarray:
    """uint64 [...] of what `words_of` gave. Zeros have 0."""
    total = np.zeros(words[0].shape[:-1], np.uint64)
    for number, part in enumerate(words):
        wide = (np.ascontiguousarray(part).view(np.uint32) if part.dtype == np.float32 else part).astype(np.uint64)
        wide ^= wide >> np.uint64(32)
        total += (wide * FACTORS[number : number + wide.shape[-1]]).sum(axis=-1, dtype=np.uint64)
    return total


def fingerprints(obs: Any, lead: int = 1) -> np.ndarray:
    """uint64 [...] of observations [..., *observation]."""
    return fingerprint(words_of(obs, lead))


class Stream:
    """A ring of the last rows. Their arrays are [rows, N], by slot: row number modulo `rows`.

    Args:
        rows: how many are kept.
        obs: [N, ...] what the games show at first.
        ended: [N] bool, that is an episode's last one; of a run that goes on.
        started: [N] bool, that is an episode's first one; None: everywhere, and the run begins here.
    """

    def __init__(self, rows: int, obs: Any, ended: np.ndarray, started: np.ndarray | None = None):
        self.num_envs = len(ended)
        shown = obs if type(obs) is np.ndarray and obs.dtype != np.uint8 and obs[0].size <= SMALL else None
        self.pending = PENDING if shown is None else LONGER
        self.raw = None if shown is None else np.empty((self.pending, *shown.shape), np.float32)
        self.rows = rows = max(rows, 4 * self.pending)
        size = (rows, self.num_envs)
        self.whole = started is None  # nothing came before it
        self.count = 0  # rows so far; the last one is what the games show now
        self.settled = 0  # rows that are worked out
        self.prints = np.zeros(size, np.uint64)  # of the observations
        self.action = np.zeros(size, np.int32)  # that was sent there
        self.reward = np.zeros(size)  # raw, after it
        self.step = np.zeros(size, np.int32)  # of the episode
        self.terminated, self.truncated, self.lost_life, self.broken = (np.zeros(size, bool) for _ in range(4))
        self.last = np.zeros(size, bool)  # the observation is an episode's last one
        self.acted = np.zeros(
            size, bool
        )  # the action was one of the game's: it did not only restart, nor was it not finite
        self.sent_at = np.zeros(rows, bool)  # an action was sent; else the games were started anew, or stand there now
        self.tells_more = False  # whether a game ever told of lives, or of games that broke
        self.total = 0  # actions so far, over all games
        self.words: list[np.ndarray] = []  # [pending, N, words] of the rows that are not worked out yet
        if self.raw is not None:
            self.words = [self.raw.reshape(self.pending, self.num_envs, -1)]
        self.show(obs)
        self.last[0] = ended
        self.step[0] = np.where(self.whole if started is None else started, 0, 1 << 20)

    @property
    def now(self) -> int:
        """The slot of what the games show."""
        return (self.count - 1) % self.rows

    @property
    def holds_all(self) -> bool:
        """Whether all that a replay of this size can hold was heard."""
        return self.whole or self.count > self.rows

    def tells_apart(self) -> bool:
        """Whether hardly any two observations are the same, so that one that was heard is not taken for an earlier one."""
        recent = self.prints[: min(self.count - 1, self.rows, RECENT)]
        return len(recent) >= PENDING and len(np.unique(recent)) > 0.95 * recent.size

    @property
    def oldest(self) -> int:
        return max(0, self.count - self.rows)

    def show(self, obs: Any) -> None:
        """The next row: what the games show now."""
        count = self.count
        if count - self.settled >= self.pending - 1:
            self.settle()
        if self.raw is not None:
            self.raw[count % self.pending] = obs
        else:
            self.keep(words_of(obs), count % self.pending)
        self.sent_at[count % self.rows] = False
        self.count = count + 1

    def keep(self, words: list[np.ndarray], place: int) -> None:
        if not self.words:
            self.words = [np.empty((self.pending, *part.shape), part.dtype) for part in words]
        for kept, part in zip(self.words, words, strict=True):
            kept[place] = part

    def shows(self, obs: Any) -> bool:
        """Whether observations [N, ...] are what the games show now."""
        kept = [part[(self.count - 1) % self.pending] for part in self.words]
        return all(np.array_equal(own, part) for own, part in zip(kept, words_of(obs), strict=True))

    def send(self, actions: np.ndarray) -> None:
        now = self.now
        self.action[now] = actions
        self.sent_at[now] = True

    def receive(self, step: Step) -> None:
        """What followed the actions, and what the games show after it."""
        now = self.now
        self.reward[now], self.terminated[now], self.truncated[now] = step.reward, step.terminated, step.truncated
        if step.lost_life is not None or step.broken is not None:
            self.tells_more = True
        if self.tells_more:  # else nothing of it is in the ring's earlier row either
            self.lost_life[now] = False if step.lost_life is None else step.lost_life
            self.broken[now] = False if step.broken is None else step.broken
        self.show(step.obs)

    def settle(self) -> None:
        """Works out fingerprints and places in the episodes of the rows that are new."""
        first, count = self.settled, self.count - self.settled
        if not count:
            return
        numbers = np.arange(first, self.count)
        slots = numbers % self.rows
        self.prints[slots] = fingerprint([kept[numbers % self.pending] for kept in self.words])
        self.settle_places(numbers[numbers > 0])
        over = numbers[:-1] % self.rows  # what the games show now may still be acted on
        acted = self.sent_at[over, None] & ~self.last[over]
        self.total += int(acted.sum())
        self.acted[over] = acted & ~self.broken[over]
        self.acted[self.now] = False
        self.settled = self.count - 1

    def settle_places(self, numbers: np.ndarray) -> None:
        """Whether these rows, one after the other, are an episode's last one, and which step of it."""
        if not len(numbers):
            return
        slots, before = numbers % self.rows, (numbers - 1) % self.rows
        follows = self.sent_at[before, None]
        self.last[slots] = follows & (self.terminated[before] | self.truncated[before])
        starts = ~follows | self.broken[before] | self.last[before]
        index = np.arange(len(numbers))[:, None]
        begun = np.maximum.accumulate(np.where(starts, index, -1))
        self.step[slots] = np.where(begun >= 0, index - begun, self.step[before[0]] + 1 + index)

    def find(self, print_: np.uint64) -> tuple[np.ndarray, np.ndarray]:
        """The rows [C] and games [C] that showed an observation, the newest row but for what is shown now."""
        self.settle()
        kept = min(self.count, self.rows)
        slots, games = np.divmod(np.flatnonzero(self.prints[:kept].ravel() == print_), self.num_envs)
        newest = self.count - 1
        return newest - (newest - slots) % self.rows, games

    def at(self, field: str, rows: Any, games: Any) -> np.ndarray:
        """A field at row numbers and games, broadcast together."""
        return getattr(self, field)[np.asarray(rows) % self.rows, games]
