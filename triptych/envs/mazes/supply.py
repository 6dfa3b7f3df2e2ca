"""Which maze a game plays next: drawn by its own generator, and made many at a time, as that is a hundred times faster."""

from __future__ import annotations

from typing import Any

import numpy as np

from triptych.envs.mazes.layouts import HELD_OUT, Mazes, mazes, sizes_of

AHEAD = 64  # mazes of a game that are made together
NUMBERS = 2**62


class Supply:
    """The mazes of N games, each game's by its own seed alone.

    Args:
        sizes: smallest and largest, tiles a side.
        loops: as in `layouts.mazes`.
        side: of the arrays.
        is_training: deal out any maze but the held-out ones; else those alone.
        num_envs: N.
    """

    def __init__(self, sizes: tuple[int, int], loops: float, side: int, is_training: bool, num_envs: int):
        self.sizes, self.loops, self.side, self.is_training, self.num_envs = sizes, loops, side, is_training, num_envs
        self.rngs = [np.random.default_rng(0) for _ in range(num_envs)]
        self.numbers = np.zeros((num_envs, AHEAD), np.int64)
        self.largest = np.full(num_envs, sizes[1])  # that its mazes at hand were made for
        self.made = Mazes(np.zeros((num_envs, AHEAD, side, side), np.uint8), np.zeros((num_envs, AHEAD), np.uint8))
        self.used = np.full(num_envs, AHEAD)  # of the mazes at hand

    def reset(self, seeds: np.ndarray) -> None:
        self.rngs = [np.random.default_rng(int(seed)) for seed in seeds]
        self.used[:] = AHEAD

    def next(self, games: np.ndarray, largest: np.ndarray) -> Mazes:
        """The next maze of each of some games [G], none larger than `largest` [G]."""
        if (self.used[games] == AHEAD).any():
            # All that are running low, since many at a time are cheap; what a game gets does not hang on when it is made.
            self.draw(np.flatnonzero(self.used > AHEAD // 2))
        changed = games[self.largest[games] != largest]
        if changed.size:
            self.largest[games] = largest
            self.make(changed)
        place = self.used[games]
        self.used[games] += 1
        return Mazes(self.made.tiles[games, place], self.made.right[games, place])

    def draw(self, games: np.ndarray) -> None:
        """Draws numbers in the place of those that are used; the others stay, in front."""
        for game in games:
            rng, left = self.rngs[game], self.numbers[game, self.used[game] :].copy()
            self.numbers[game, : len(left)] = left
            fresh = AHEAD - len(left)
            self.numbers[game, len(left) :] = (
                rng.integers(HELD_OUT, NUMBERS, size=fresh) if self.is_training else rng.integers(HELD_OUT, size=fresh)
            )
        self.used[games] = 0
        self.make(games)

    def make(self, games: np.ndarray) -> None:
        """Makes the mazes of the numbers."""
        numbers = self.numbers[games].reshape(-1)
        sizes = sizes_of(numbers, self.sizes[0], np.repeat(self.largest[games], AHEAD))
        found = mazes(numbers, sizes, self.loops, self.side, self.is_training)
        self.made.tiles[games] = found.tiles.reshape(len(games), AHEAD, self.side, self.side)
        self.made.right[games] = found.right.reshape(len(games), AHEAD)

    def get_state(self) -> dict[str, Any]:
        rngs = [rng.bit_generator.state for rng in self.rngs]
        return {name: getattr(self, name).tolist() for name in ("numbers", "largest", "used")} | {"rngs": rngs}

    def set_state(self, state: dict[str, Any]) -> None:
        for name in ("numbers", "largest", "used"):
            getattr(self, name)[:] = state[name]
        for rng, saved in zip(self.rngs, state["rngs"], strict=True):
            rng.bit_generator.state = saved
        self.make(np.arange(self.num_envs))
