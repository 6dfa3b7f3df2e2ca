"""Replay of sequences for networks with memory, uniform or by priority, over the stored stream.

An episode is cut into pieces of L = length - burn_in steps, the last one shorter, so that each of its steps is learned
from in one piece. A sequence is a piece, the burn-in before it, and what follows it as far as n-step returns reach.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from triptych.buffers.priorities import PrioritisedReplay
from triptych.buffers.replay import UniformReplay
from triptych.spec.batches import Sequence


class Sequences:
    """What makes sequences of a replay of transitions.

    Args:
        settings: those of the replay.
        length: steps of a sequence, burn-in included.
        burn_in: its first steps.
        state: numbers of a game's state, and whether the store has kept them.
    """

    def __init__(self, *settings: Any, length: int, burn_in: int, state: tuple[int, bool], **others: Any):
        super().__init__(*settings, **others)
        self.learned_steps = length - burn_in
        self.burn_in = burn_in
        self.state_size, self.stored_state = state
        self.tries = 2 * self.learned_steps  # about one slot in so many begins a piece

    def begins(self: Any, rows: np.ndarray, games: np.ndarray) -> np.ndarray:
        return self.store.age[rows % self.store.rows, games] % self.learned_steps == 0

    def drawable(self: Any, rows: np.ndarray, games: np.ndarray) -> np.ndarray:
        return self.begins(rows, games) & self.store.startable(rows, games, self.burn_in)

    def counts(self, rows: np.ndarray, games: np.ndarray) -> np.ndarray:
        return self.begins(rows, games) & super().counts(rows, games)  # type: ignore[misc]

    def batch(self: Any, rows: np.ndarray, games: np.ndarray) -> Sequence:
        """The sequences whose pieces begin at the given slots [B]."""
        store, learned, before = self.store, self.learned_steps, self.burn_in
        steps = before + learned + self.n_step
        first = rows - before
        grid = first + np.arange(steps)[:, None]  # [steps, B]
        slots = grid % store.rows
        age = store.age[rows % store.rows, games] + grid - rows
        acted = store.mask[slots, games] & (grid + 1 < store.count)
        lives = np.logical_and.accumulate(acted[before:])  # [L + n, B], an action was taken here, in this episode
        inside = age >= 0
        inside[before + 1 :] = lives[:-1]
        mask = lives[:learned]
        reward, discount, ahead = (
            found.reshape(mask.shape)
            for found in self.outcome(grid[before:][:learned].ravel(), np.tile(games, learned))
        )
        return Sequence(
            obs=self.cast(store.sequences(first, games, steps, inside)),
            reset=age == 0,
            state=self.states(first, games, age[0] > 0),
            action=np.where(mask, store.action[slots[before:][:learned], games], 0).astype(np.int32),
            reward=self.cast(np.where(mask, reward, 0.0)),
            discount=self.cast(np.where(mask, discount, 0.0)),
            ahead=np.where(mask, ahead, 1).astype(np.int32),
            mask=self.cast(mask.astype(np.float64)),
            weight=np.ones(len(rows), self.precision),
        )

    def states(self: Any, rows: np.ndarray, games: np.ndarray, kept: np.ndarray) -> np.ndarray:
        """The states [B, S] to begin with: what the agent had at the rows, where `kept`; else zeros."""
        found = np.zeros((len(rows), self.state_size), self.precision)
        if self.stored_state:
            found[kept] = self.store.state[rows[kept] % self.store.rows, games[kept]]
        return found

    def example(self: Any, batch_size: int) -> Sequence:
        """A batch of zeros with the shapes and dtypes of a real one, its mask of ones."""
        one, learned = super().example(batch_size), self.learned_steps  # type: ignore[misc]
        steps = self.burn_in + learned + self.n_step
        floats = np.zeros((learned, batch_size), self.precision)
        whole = np.zeros((learned, batch_size), np.int32)
        return Sequence(
            obs=np.zeros((steps, *one.obs.shape), one.obs.dtype),
            reset=np.zeros((steps, batch_size), bool),
            state=np.zeros((batch_size, self.state_size), self.precision),
            action=whole,
            reward=floats,
            discount=floats,
            ahead=whole + 1,
            mask=floats + 1,
            weight=one.weight + 1,
        )


class SequenceReplay(Sequences, UniformReplay):
    """Draws the pieces of the stored episodes with equal chance."""


class PrioritisedSequenceReplay(Sequences, PrioritisedReplay):
    """Draws the pieces by priority; see `PrioritisedReplay`."""
