"""Where a store keeps its single frames: as one array, on the device, or compressed.

Each form keeps a ring of rows of N frames, gives back exactly what was put, and writes itself into
segments that all can read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

Segment = dict[str, np.ndarray]


def renamed(segment: Segment, before: str, after: str) -> Segment:
    """The arrays called `before`, or `before/...`, under another name; the others are left out."""
    return {
        after + name.removeprefix(before): array
        for name, array in segment.items()
        if name == before or name.startswith(f"{before}/")
    }


class Pictures(Protocol):
    """Frames by the slot of their row and their game."""

    def put(self, slot: int, frames: np.ndarray) -> None:
        """Writes one row [N, *frame] in place of the oldest; slots come in order, the ring's end before its start."""
        ...

    def get(self, slots: np.ndarray, games: np.ndarray) -> np.ndarray:
        """The frames [B, *frame] at slots [B] and games [B]."""
        ...

    def take(self, slots: np.ndarray) -> Segment:
        """Whole rows as the arrays of a segment."""
        ...

    @property
    def row_bytes(self) -> float:
        """Bytes of a row, as it stands now."""
        ...


class RawPictures:
    """One array; also of vectors and of anything else that is no screen."""

    def __init__(self, rows: int, num_envs: int, shape: tuple[int, ...], dtype: str):
        # np.zeros takes memory from the system only as rows are written.
        self.array = np.zeros((rows, num_envs, *shape), dtype)

    def put(self, slot: int, frames: np.ndarray) -> None:
        self.array[slot] = frames

    def get(self, slots: np.ndarray, games: np.ndarray) -> np.ndarray:
        return self.array[slots, games]

    def take(self, slots: np.ndarray) -> Segment:
        return {"frame": self.array[slots]}

    @property
    def row_bytes(self) -> float:
        return self.array[0].nbytes


class DevicePictures:
    """Frames where the learner is, so that a batch is put together there and not sent.

    Args:
        device: makes room for so many frames of a shape, see `triptych.frameworks.Frames`.
    """

    def __init__(self, rows: int, num_envs: int, shape: tuple[int, ...], device: Callable[[int, tuple[int, ...]], Any]):
        self.frames, self.games = device(rows * num_envs, shape), np.arange(num_envs)
        self.row_bytes = float(num_envs * np.prod(shape))

    def places(self, slots: np.ndarray, games: np.ndarray) -> np.ndarray:
        return slots * len(self.games) + games

    def put(self, slot: int, frames: np.ndarray) -> None:
        self.frames.put(slot * len(self.games), frames)

    def get(self, slots: np.ndarray, games: np.ndarray) -> np.ndarray:
        return self.frames.numpy(self.places(slots, games))

    def stacks(self, slots: np.ndarray, games: np.ndarray, blank: np.ndarray) -> Any:
        """Stacks [B, S, *frame] of the slots [B, S] of games [B], as an array of the device; zeros where `blank` [B, S]."""
        return self.frames.get(self.places(slots, games[:, None]), blank)

    def take(self, slots: np.ndarray) -> Segment:
        return {"frame": self.get(slots[:, None], self.games)}
