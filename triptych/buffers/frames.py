"""The stored stream: each observation once, in the order seen, one row a step of N games.

A row holds, for each game, an observation and the action taken there with what followed. The last
observation of an episode has a slot of its own with mask 0 (no action was taken), so a transition's
next observation is always the row below it. Rows are numbered from the run's start and never change;
the ring drops the oldest. Pictures are kept as single frames, compressed or not (pictures.py), and stacked
when they are read.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from triptych.buffers.pictures import (
    GUESSED_RATIO,
    INDEX_BYTES,
    CompressedPictures,
    Pictures,
    RawPictures,
    are_compressed,
    frames_of,
)
from triptych.spec import Observation

FIELDS = ("action", "reward", "terminated", "lost_life", "mask", "age")


class FrameStore:
    """A ring of the last `capacity // num_envs` rows.

    Args:
        capacity: observations kept, over all games.
        fill: what stands in the stack before an episode's first frame: zeros, or that frame repeated.
        compress: keep pictures compressed, exact to the byte; vectors are kept as they are.
    """

    def __init__(
        self,
        capacity: int,
        num_envs: int,
        observation: Observation,
        fill: Literal["zeros", "first"] = "zeros",
        compress: bool = False,
    ):
        self.stack = observation.shape[0] if observation.is_picture else 1
        self.rows = max(self.stack + 4, -(-capacity // num_envs))  # fewer could leave no whole stack to draw
        self.num_envs = num_envs
        self.stacked = observation.is_picture
        self.fill = fill
        self.frame_shape = observation.shape[1:] if self.stacked else observation.shape
        self.dtype = np.dtype(observation.dtype)
        size = (self.rows, num_envs)
        form = CompressedPictures if are_compressed(observation, compress) else RawPictures
        self.pictures: Pictures = form(*size, self.frame_shape, observation.dtype)
        self.action = np.zeros(size, np.int32)
        self.reward = np.zeros(size, np.float64)  # raw
        self.terminated = np.zeros(size, bool)
        self.lost_life = np.zeros(size, bool)  # with the action, whether or not the episode went on
        self.mask = np.zeros(size, bool)  # an action was taken here
        self.age = np.zeros(size, np.int32)  # steps since the episode's first observation
        self.count = 0  # rows written since the run's start
        self.transitions = 0  # complete ones among the rows kept

    @staticmethod
    def bytes_for(capacity: int, steps: int, observation: Observation, compress: bool = False) -> float:
        """Bytes of a store of `capacity` observations after `steps` steps, roughly."""
        shape = observation.shape[1:] if observation.is_picture else observation.shape
        size = float(np.prod(shape)) * np.dtype(observation.dtype).itemsize
        kept = size / GUESSED_RATIO + INDEX_BYTES if are_compressed(observation, compress) else size
        return min(capacity, steps) * (kept + 19)

    @property
    def oldest(self) -> int:
        """The number of the oldest row kept."""
        return max(0, self.count - self.rows)

    def row_bytes(self) -> float:
        return self.pictures.row_bytes + sum(getattr(self, field)[0].nbytes for field in FIELDS)

    def add(
        self,
        obs: np.ndarray,
        action: np.ndarray,
        reward: np.ndarray,
        terminated: np.ndarray,
        mask: np.ndarray,
        lost_life: np.ndarray | None = None,
    ) -> None:
        """Writes one row: what the games showed, [N, *observation], and what was done there, [N] each."""
        slot = self.count % self.rows
        if self.count > 0:
            last = (self.count - 1) % self.rows
            self.transitions += int(self.mask[last].sum())  # the row below makes them complete
            age = np.where(self.mask[last], self.age[last] + 1, 0)
        else:
            age = np.zeros(self.num_envs, np.int32)
        if self.count >= self.rows:
            self.transitions -= int(self.mask[slot].sum())
        self.pictures.put(slot, obs[:, -1] if self.stacked else obs)
        self.action[slot], self.reward[slot], self.terminated[slot] = action, reward, terminated
        self.mask[slot], self.age[slot] = mask, age
        self.lost_life[slot] = False if lost_life is None else lost_life
        self.count += 1

    def startable(self, rows: np.ndarray, games: np.ndarray) -> np.ndarray:
        """Whether each slot [B] is a transition whose stack and next observation are all kept."""
        slots = rows % self.rows
        history = np.minimum(self.age[slots, games], self.stack - 1)
        return self.mask[slots, games] & (rows + 1 < self.count) & (rows - history >= self.oldest)

    def observations(self, rows: np.ndarray, games: np.ndarray, more: int = 0) -> list[np.ndarray]:
        """The observations [B, *observation] at the given row numbers [B] and games [B], and at `more` rows after them.

        Frames that they share are read once.
        """
        if not self.stacked:
            return [self.pictures.get((rows + after) % self.rows, games) for after in range(more + 1)]
        back = np.arange(self.stack - 1, -1, -1)  # frames before the newest one
        span = rows[:, None] + np.arange(1 - self.stack, more + 1)  # [B, stack + more]
        kept = np.maximum(span, self.oldest)  # what lies before it is before the episode too, and masked
        frames = self.pictures.get((kept % self.rows).ravel(), np.repeat(games, span.shape[1]))
        frames = frames.reshape(*span.shape, *self.frame_shape)
        index = np.arange(len(rows))[:, None]
        found = []
        for after in range(more + 1):
            age = self.age[(rows + after) % self.rows, games][:, None]  # [B, 1]
            before = back > age  # [B, stack], earlier than the episode
            reach = np.minimum(back, age) if self.fill == "first" else back
            stacks = frames[index, self.stack - 1 + after - reach]
            if self.fill == "zeros" and before.any():
                stacks[before] = 0
            found.append(stacks)
        return found

    def take(self, start: int, end: int) -> dict[str, np.ndarray]:
        """Rows [start, end) as arrays, for a segment."""
        slots = np.arange(start, end) % self.rows
        return {field: getattr(self, field)[slots] for field in FIELDS} | self.pictures.take(slots)

    def put(self, start: int, segment: dict[str, np.ndarray]) -> None:
        """Writes a segment's rows back where they belong; rows that the ring no longer keeps are left out."""
        rows = np.arange(start, start + len(segment["mask"]))
        kept = np.flatnonzero((rows >= self.oldest) & (rows < self.count))
        slots = rows[kept] % self.rows
        for field in FIELDS:
            if field in segment:  # one of an older version may lack a field: it stays 0
                getattr(self, field)[slots] = segment[field][kept]
        frames = frames_of(segment, kept, self.frame_shape, self.dtype.name)
        for slot, frame in zip(slots, frames, strict=True):
            self.pictures.put(slot, frame)

    def get_state(self) -> dict[str, Any]:
        return {"count": self.count, "transitions": self.transitions}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restores the counters; `put` the segments after this."""
        self.count, self.transitions = state["count"], state["transitions"]
