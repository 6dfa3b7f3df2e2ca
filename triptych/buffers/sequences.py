"""Samples for networks with memory: pieces of episodes from the stored stream.

An episode is cut into pieces of L = length - burn_in steps, the last one shorter, so that each of its steps is learned
from in one piece. A sequence is a piece, the burn-in before it, and what follows it as far as n-step returns reach.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from triptych.buffers.outcomes import Outcomes
from triptych.buffers.replay import cast
from triptych.buffers.store import Store
from triptych.spec import each
from triptych.spec.batches import Sequence


@dataclass(frozen=True)
class Sequences:
    """Samples of one piece of an episode: `triptych.spec.batches.Sequence`."""

    outcomes: Outcomes
    precision: str  # NumPy's name of the run's float dtype
    length: int  # steps of a sequence, burn-in included
    burn_in: int  # its first steps
    state_size: int  # numbers of a game's state
    stored_state: bool  # begin with the state that the store has kept; else with zeros

    @property
    def learned_steps(self) -> int:
        """L, the steps of a piece."""
        return self.length - self.burn_in

    @property
    def steps(self) -> int:
        """Observations of a sample: burn-in, piece, and what n-step returns reach."""
        return self.length + self.outcomes.n_step

    @property
    def grows(self) -> int:
        """The observation after its last step is stored L rows later."""
        return self.learned_steps

    @property
    def tries(self) -> int:
        """About one slot in L begins a piece."""
        return 2 * self.learned_steps

    def begins(self, store: Store, rows: np.ndarray, games: np.ndarray) -> np.ndarray:
        """Whether the observation at each slot is the first one of a piece."""
        return store.age[rows % store.rows, games] % self.learned_steps == 0

    def drawable(self, store: Store, rows: np.ndarray, games: np.ndarray) -> np.ndarray:
        """Where a piece begins and its first step is stored, with stack and burn-in."""
        return self.begins(store, rows, games) & store.startable(rows, games, self.burn_in)

    def whole(self, store: Store, rows: np.ndarray, games: np.ndarray, count: int) -> np.ndarray:
        """Where a piece begins all of whose steps were stored, be it that its episode ended or a checkpoint cut it.

        R2D2 (Kapturowski et al. 2019) adds no sequence earlier either. The observations that n-step returns of its last
        steps reach may be missing still: those returns stop at the newest row, as those of transitions do.
        """
        slots, last = rows % store.rows, count - 1
        newest = last % store.rows
        # Ages rise by one a row within an episode and begin at 0: any other one at the newest row is a later episode's.
        goes_on = store.mask[newest, games] & (store.age[newest, games] == store.age[slots, games] + last - rows)
        stored = ~goes_on | (rows + self.grows <= last)
        return self.begins(store, rows, games) & store.mask[slots, games] & (rows < last) & stored

    def batch(self, store: Store, rows: np.ndarray, games: np.ndarray, weight: np.ndarray) -> Sequence:
        """The sequences whose pieces begin at the given slots [B]."""
        learned, before = self.learned_steps, self.burn_in
        first = rows - before
        grid = first + np.arange(self.steps)[:, None]  # [steps, B]
        slots = grid % store.rows
        age = store.age[rows % store.rows, games] + grid - rows
        acted = store.mask[slots, games] & (grid + 1 < store.count)
        lives = np.logical_and.accumulate(acted[before:])  # [L + n, B], an action was taken here, in this episode
        inside = age >= 0
        inside[before + 1 :] = lives[:-1]
        mask = lives[:learned]
        reward, discount, ahead = (
            found.reshape(mask.shape)
            for found in self.outcomes.returns(store, grid[before:][:learned].ravel(), np.tile(games, learned))
        )
        return Sequence(
            obs=each(partial(cast, precision=self.precision), store.sequences(first, games, self.steps, inside)),
            reset=age == 0,
            state=self.states(store, first, games, age[0] > 0),
            action=np.where(mask, store.action[slots[before:][:learned], games], 0).astype(np.int32),
            reward=cast(np.where(mask, reward, 0.0), self.precision),
            discount=cast(np.where(mask, discount, 0.0), self.precision),
            ahead=np.where(mask, ahead, 1).astype(np.int32),
            mask=mask.astype(self.precision),
            weight=cast(weight, self.precision),
        )

    def states(self, store: Store, rows: np.ndarray, games: np.ndarray, kept: np.ndarray) -> np.ndarray:
        """The states [B, S] to begin with: what the agent had at the rows, where `kept`; else zeros."""
        found = np.zeros((len(rows), self.state_size), self.precision)
        if self.stored_state:
            assert store.states is not None
            found[kept] = store.states.get(rows[kept] % store.rows, games[kept])
        return found

    def example(self, store: Store, batch_size: int) -> Sequence:
        """A batch of zeros; its mask and weights of ones, as a batch without a living step has no mean."""
        floats = np.zeros((self.learned_steps, batch_size), self.precision)
        whole = np.zeros((self.learned_steps, batch_size), np.int32)
        return Sequence(
            obs=store.observation.zeros((self.steps, batch_size), self.precision),
            reset=np.zeros((self.steps, batch_size), bool),
            state=np.zeros((batch_size, self.state_size), self.precision),
            action=whole,
            reward=floats,
            discount=floats,
            ahead=whole + 1,
            mask=floats + 1,
            weight=np.ones(batch_size, self.precision),
        )
