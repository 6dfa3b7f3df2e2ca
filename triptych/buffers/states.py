"""The states of an agent's memory that a replay keeps: those at which sequences begin, and no others.

A state may be large (a map of thousands of numbers), and a sequence begins at one in `every` steps of an episode.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class States(NamedTuple):
    """Which states are kept, and how large one is."""

    size: int  # numbers of a game's state
    dtype: str
    every: int = 1  # learned steps of a sequence
    before: int = 0  # steps of its burn-in: a sequence begins so many steps before a multiple of `every`

    def begin(self, age: np.ndarray) -> np.ndarray:
        """Whether a sequence begins at these steps of an episode with a state that is not zero."""
        return (age > 0) & ((age + self.before) % self.every == 0)

    @property
    def bytes(self) -> float:
        """Of one step of one game, as a mean."""
        return self.size * np.dtype(self.dtype).itemsize / self.every


class StateRing:
    """The states of the rows of a store's ring, by slot and game; zeros where none was given."""

    def __init__(self, states: States):
        self.states = states
        self.kept: dict[tuple[int, int], np.ndarray] = {}

    def put(self, slot: int, age: np.ndarray, state: np.ndarray | None) -> None:
        """Takes a row's states [N, S], or None, in place of those that the slot held; `age` [N] of the row."""
        for game, begins in enumerate(self.states.begin(age)):
            if begins and state is not None:
                self.kept[slot, game] = np.array(state[game], self.states.dtype)  # a copy: a view would hold all games'
            else:
                self.kept.pop((slot, game), None)

    def get(self, slots: np.ndarray, games: np.ndarray) -> np.ndarray:
        """The states [B, S] at slots [B] of games [B]."""
        found = np.zeros((len(slots), self.states.size), self.states.dtype)
        for index, place in enumerate(zip(slots.tolist(), games.tolist(), strict=True)):
            if place in self.kept:
                found[index] = self.kept[place]
        return found

    def take(self, slots: np.ndarray, num_envs: int) -> dict[str, np.ndarray]:
        """Those of a segment's rows, with the row of the segment and the game of each."""
        places = [
            (row, game) for row in range(len(slots)) for game in range(num_envs) if (slots[row], game) in self.kept
        ]
        rows, games = np.array(places, np.int32).reshape(-1, 2).T
        return {"state": self.get(slots[rows], games), "state/row": rows.copy(), "state/game": games.copy()}

    def restore(self, segment: dict[str, np.ndarray], kept: np.ndarray, slots: np.ndarray) -> None:
        """Puts those of a segment's rows `kept` back into their slots; a segment of earlier versions holds all states [rows, N, S].

        Raises:
            ValueError: they are of another size.
        """
        found = segment.get("state", np.zeros((0, self.states.size)))  # of still earlier ones, none
        if found.shape[-1] != self.states.size:
            raise ValueError(f"states of {found.shape[-1]} numbers, not {self.states.size}")
        if found.ndim == 3:
            for row, slot in zip(kept, slots, strict=True):
                self.put(int(slot), segment["age"][row], found[row])
            return
        slot_of = dict(zip(kept.tolist(), slots.tolist(), strict=True))
        places = zip(segment.get("state/row", []), segment.get("state/game", []), found, strict=True)
        for row, game, state in places:
            if row in slot_of:
                self.kept[slot_of[row], int(game)] = np.array(state, self.states.dtype)
