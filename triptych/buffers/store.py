"""The stored stream: each observation once, in the order seen, one row a step of N games.

A row holds, for each game, an observation and the action taken there with what followed. The last
observation of an episode has a slot of its own with mask 0 (no action was taken), so a transition's
next observation is always the row below it. Rows are numbered from the run's start and never change;
the ring drops the oldest. Pictures are kept as single frames, compressed or not (pictures.py), and stacked
when they are read. Of an observation of several parts each one has a ring of its own; the rows are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from triptych.buffers.compression import GUESSED_RATIO, INDEX_BYTES, CompressedPictures, are_compressed, frames_of
from triptych.buffers.pictures import DevicePictures, Pictures, RawPictures, renamed
from triptych.buffers.row import FIELDS as FIELDS
from triptych.buffers.row import Row as Row
from triptych.buffers.states import StateRing
from triptych.buffers.states import States as States
from triptych.spec import Observation, parts_of, whole_of
from triptych.spec.batches import NOT_ASKED


class Store:
    """A ring of the last `capacity // num_envs` rows.

    Args:
        capacity: observations kept, over all games.
        fill: what stands in the stack before an episode's first frame: zeros, or that frame repeated.
        compress: keep pictures compressed, exact to the byte; vectors are kept as they are.
        device: makes room for frames where the learner is (`triptych.frameworks.Frames`); None: they stay in memory.
        states: which of the agent's states are kept; None: none.
    """

    action: np.ndarray  # [rows, N], as all of FIELDS
    reward: np.ndarray
    terminated: np.ndarray
    lost_life: np.ndarray
    mask: np.ndarray
    age: np.ndarray
    teacher: np.ndarray | None = None  # [rows, N, A] that a teacher with memory gave for each observation, or NOT_ASKED

    def __init__(
        self,
        capacity: int,
        num_envs: int,
        observation: Observation,
        fill: Literal["zeros", "first"] = "zeros",
        compress: bool = False,
        device: Callable[[int, tuple[int, ...]], Any] | None = None,
        states: States | None = None,
    ):
        self.observation, main = observation, observation.main
        self.stack = main.stack
        self.rows = max(self.stack + 4, -(-capacity // num_envs))  # fewer could leave no whole stack to draw
        self.num_envs = num_envs
        self.stacked = main.is_picture
        self.fill = fill
        self.frame_shape = main.frame_shape
        size = (self.rows, num_envs)
        self.pictures: Pictures  # of the main part, whatever it is
        if device is not None and self.stacked:
            self.pictures = DevicePictures(*size, self.frame_shape, device)
        elif are_compressed(observation, compress):
            self.pictures = CompressedPictures(*size, self.frame_shape, main.dtype)
        else:
            self.pictures = RawPictures(*size, self.frame_shape, main.dtype)
        others = [(name, observation.parts[name]) for name in observation.others]
        self.vectors = {name: RawPictures(*size, part.shape, part.dtype) for name, part in others}  # the other parts
        for name, dtype in FIELDS.items():
            setattr(self, name, np.zeros(size, dtype))
        self.states = None if states is None else StateRing(states)
        self.count = 0  # rows written since the run's start
        self.transitions = 0  # complete ones among the rows kept

    def keep_teacher(self, actions: int, precision: str) -> None:
        """Keeps what a teacher gives, too: one number an action."""
        self.teacher = np.full((self.rows, self.num_envs, actions), NOT_ASKED, precision)

    @property
    def fields(self) -> list[str]:
        """What is kept of a step as plain arrays."""
        return [*FIELDS, *(["teacher"] if self.teacher is not None else [])]

    @staticmethod
    def bytes_for(
        capacity: int,
        steps: int,
        observation: Observation,
        compress: bool = False,
        states: States | None = None,
    ) -> float:
        """Bytes of a store of `capacity` observations after `steps` steps over all games; of compressed pictures a guess."""
        sizes = {name: float(np.prod(part.frame_shape)) * part.itemsize for name, part in observation.named}
        size = sizes.pop(observation.main_name)
        kept = size / GUESSED_RATIO + INDEX_BYTES if are_compressed(observation, compress) else size
        kept += sum(sizes.values()) + sum(np.dtype(dtype).itemsize for dtype in FIELDS.values())
        kept += 0 if states is None else states.bytes
        return min(capacity, steps) * kept

    @property
    def oldest(self) -> int:
        """The number of the oldest row kept."""
        return max(0, self.count - self.rows)

    def row_bytes(self) -> float:
        frames = self.pictures.row_bytes + sum(ring.row_bytes for ring in self.vectors.values())
        states = 0 if self.states is None else self.num_envs * self.states.states.bytes
        return frames + states + sum(getattr(self, field)[0].nbytes for field in self.fields)

    def add(self, row: Row) -> None:
        """Writes a row in place of the oldest."""
        slot = self.count % self.rows
        if self.count > 0:
            last = (self.count - 1) % self.rows
            self.transitions += int(self.mask[last].sum())  # the row below makes them complete
            age = np.where(self.mask[last], self.age[last] + 1, 0)
        else:
            age = np.zeros(self.num_envs, np.int32)
        if self.count >= self.rows:
            self.transitions -= int(self.mask[slot].sum())
        parts = parts_of(row.obs)
        main = parts[self.observation.main_name]
        self.pictures.put(slot, main[:, -1] if self.stacked else main)
        for name, ring in self.vectors.items():
            ring.put(slot, parts[name])
        self.action[slot], self.reward[slot], self.terminated[slot] = row.action, row.reward, row.terminated
        self.mask[slot], self.age[slot] = row.mask, age
        self.lost_life[slot] = False if row.lost_life is None else row.lost_life
        if self.teacher is not None:
            self.teacher[slot] = NOT_ASKED if row.teacher is None else row.teacher
        if self.states is not None:
            self.states.put(slot, age, row.state)
        self.count += 1

    def forget_last(self) -> None:
        """Makes the newest row its episodes' last one: the action that was taken there is left out."""
        self.mask[(self.count - 1) % self.rows] = False

    def startable(self, rows: np.ndarray, games: np.ndarray, before: int = 0) -> np.ndarray:
        """Whether each slot is a transition whose stack and next observation are all kept, and `before` steps before it."""
        slots = rows % self.rows
        history = np.minimum(self.age[slots, games], self.stack - 1 + before)
        return self.mask[slots, games] & (rows + 1 < self.count) & (rows - history >= self.oldest)

    def observations(self, rows: np.ndarray, games: np.ndarray, *ahead: int | np.ndarray) -> list[Any]:
        """The observations [B, *observation] that lie `ahead` (one number, or [B]) of row numbers [B] at games [B].

        On the device where the frames are there.
        """
        found = self.main_parts(rows, games, *ahead)
        if not self.vectors:
            return found
        return [
            self.beside(main, {name: ring.get((rows + far) % self.rows, games) for name, ring in self.vectors.items()})
            for main, far in zip(found, ahead, strict=True)
        ]

    def beside(self, main: Any, others: dict[str, Any]) -> Any:
        """The main part and the others as an observation, its parts in their order."""
        parts = {self.observation.main_name: main, **others}
        return whole_of({name: parts[name] for name, _ in self.observation.named})

    def main_parts(self, rows: np.ndarray, games: np.ndarray, *ahead: int | np.ndarray) -> list[Any]:
        """The main parts of `observations`. Frames that they share are read once."""
        if not self.stacked:
            return [self.pictures.get((rows + rows_ahead) % self.rows, games) for rows_ahead in ahead]
        stacks = [self.stack_of(rows + rows_ahead, games) for rows_ahead in ahead]
        if isinstance(self.pictures, DevicePictures):
            return [self.pictures.stacks(wanted % self.rows, games, blank) for wanted, blank in stacks]
        if np.max(ahead[-1]) > self.stack:  # nothing is shared
            return [self.read(wanted, games, blank) for wanted, blank in stacks]
        first = rows - self.stack + 1
        span = first[:, None] + np.arange(self.stack + max(map(np.max, ahead)))
        kept = np.clip(span, self.oldest, self.count - 1)  # what lies beyond is not asked for
        frames = self.pictures.get((kept % self.rows).ravel(), np.repeat(games, span.shape[1]))
        frames = frames.reshape(*span.shape, *self.frame_shape)
        index, found = np.arange(len(rows))[:, None], []
        for wanted, blank in stacks:
            found.append(frames[index, wanted - first[:, None]])
            if blank.any():
                found[-1][blank] = 0
        return found

    def sequences(self, first: np.ndarray, games: np.ndarray, steps: int, inside: np.ndarray) -> Any:
        """The observations [steps, B, *observation] from row numbers [B] on; zeros but where `inside` [steps, B]."""
        rows = first + np.arange(steps)[:, None]  # [steps, B]
        main = (
            self.stacks(first, games, steps, inside) if self.stacked else self.plain(self.pictures, rows, games, inside)
        )
        others = {name: self.plain(ring, rows, games, inside) for name, ring in self.vectors.items()}
        return self.beside(main, others) if others else main

    def plain(self, ring: Pictures, rows: np.ndarray, games: np.ndarray, inside: np.ndarray) -> np.ndarray:
        """What a ring holds [steps, B, *shape] at rows [steps, B] of games [B]; zeros but where `inside` [steps, B]."""
        found = ring.get((rows % self.rows).ravel(), np.tile(games, len(rows)))
        found = found.reshape(*rows.shape, *found.shape[1:])
        found[~inside] = 0
        return found

    def stacks(self, first: np.ndarray, games: np.ndarray, steps: int, inside: np.ndarray) -> np.ndarray:
        """The pictures of `sequences`. A frame is read once, however many stacks hold it."""
        rows = first + np.arange(steps)[:, None]  # [steps, B]
        span = np.arange(1 - self.stack, steps)[:, None] + first  # [stack - 1 + steps, B]
        kept = np.clip(span, self.oldest, self.count - 1) % self.rows
        frames = self.pictures.get(kept.ravel(), np.tile(games, len(span))).reshape(*span.shape, *self.frame_shape)
        wanted, blank = self.stack_of(rows.ravel(), np.tile(games, steps))
        index = wanted.reshape(*rows.shape, self.stack) - first[:, None] + self.stack - 1
        found = frames[np.clip(index, 0, len(span) - 1), np.arange(len(first))[:, None]]
        found[blank.reshape(index.shape) | ~inside[..., None]] = 0
        return found

    def read(self, wanted: np.ndarray, games: np.ndarray, blank: np.ndarray) -> np.ndarray:
        """The frames [B, S, *frame] at row numbers [B, S] of games [B]; zeros where `blank` [B, S]."""
        kept = np.maximum(wanted, self.oldest) % self.rows
        frames = self.pictures.get(kept.ravel(), np.repeat(games, wanted.shape[1])).reshape(
            *wanted.shape, *self.frame_shape
        )
        frames[blank] = 0
        return frames

    def stack_of(self, rows: np.ndarray, games: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The row numbers [B, stack] of the frames that an observation is made of, and which of them are blank [B, stack]."""
        back = np.arange(self.stack - 1, -1, -1)  # frames before the newest one
        age = self.age[rows % self.rows, games][:, None]  # [B, 1]
        before = back > age  # [B, stack], earlier than the episode
        if self.fill == "first":
            return rows[:, None] - np.minimum(back, age), np.zeros_like(before)
        return rows[:, None] - back, before

    def take(self, start: int, end: int) -> dict[str, np.ndarray]:
        """Rows [start, end) as arrays, for a segment."""
        slots = np.arange(start, end) % self.rows
        segment = {field: getattr(self, field)[slots] for field in self.fields}
        segment |= {} if self.states is None else self.states.take(slots, self.num_envs)
        for name, ring in self.rings():
            segment |= renamed(ring.take(slots), "frame", f"frame/{name}" if name else "frame")
        return segment

    def rings(self) -> list[tuple[str, Pictures]]:
        """Where each part is kept, by its name."""
        return [(self.observation.main_name, self.pictures), *self.vectors.items()]

    def put(self, start: int, segment: dict[str, np.ndarray]) -> None:
        """Writes a segment's rows back where they belong; rows that the ring no longer keeps are left out."""
        rows = np.arange(start, start + len(segment["mask"]))
        kept = np.flatnonzero((rows >= self.oldest) & (rows < self.count))
        slots = rows[kept] % self.rows
        for field in self.fields:
            if field in segment:  # one of an older version may lack a field: it stays 0
                own, found = getattr(self, field), segment[field]
                if found.shape[1:] != own.shape[1:]:
                    raise ValueError(f"{field} of shape {found.shape[1:]} a row, not {own.shape[1:]}")
                own[slots] = found[kept]
        if self.states is not None:
            self.states.restore(segment, kept, slots)
        for name, ring in self.rings():
            part = self.observation.parts[name]
            held = renamed(segment, f"frame/{name}", "frame") if name else segment
            frames = frames_of(held, kept, part.frame_shape, part.dtype)
            for slot, frame in zip(slots, frames, strict=True):
                ring.put(slot, frame)

    def get_state(self) -> dict[str, Any]:
        return {"count": self.count, "transitions": self.transitions}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restores the counters; `put` the segments after this."""
        self.count, self.transitions = state["count"], state["transitions"]
