"""Uniform replay (Lin 1992; Mnih et al. 2015) over the stored stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from triptych.buffers.store import FrameStore
from triptych.spec.batches import Transition


class UniformReplay:
    """Draws transitions with equal chance from a store.

    Args:
        gamma: discount of a reward one step later.
        reward: learn from the raw reward or from its sign.
        precision: NumPy's name of the run's float dtype.
        life_loss_reward: learned from in place of the reward of a step that lost a life; None: nothing special.
        n_step: rewards summed up before bootstrapping; fewer where the episode ends or the stream stops.
    """

    def __init__(
        self,
        store: FrameStore,
        gamma: float,
        reward: Literal["raw", "sign"],
        precision: str,
        life_loss_reward: float | None = None,
        n_step: int = 1,
    ):
        self.store = store
        self.gamma = gamma
        self.reward = reward
        self.precision = precision
        self.life_loss_reward = life_loss_reward
        self.n_step = n_step

    tries = 1  # slots drawn for each sample at a time

    def __len__(self) -> int:
        """Complete transitions to draw from."""
        return self.store.transitions

    def sample(self, rng: np.random.Generator, batch_size: int, beta: float = 1.0) -> Any:
        """Draws a batch with replacement. `beta` is for replay with priorities.

        Slots without an action, the newest row and stacks that the ring has cut are drawn again.
        """
        store = self.store
        rows, games = np.empty((2, batch_size), np.int64)
        wanted = np.arange(batch_size)
        while len(wanted):
            size = (len(wanted), self.tries)
            slots = rng.integers(store.oldest * store.num_envs, store.count * store.num_envs, size=size)
            found = np.divmod(slots, store.num_envs)
            fits = self.drawable(*found)
            first = (np.arange(len(wanted)), fits.argmax(axis=1))
            rows[wanted], games[wanted] = found[0][first], found[1][first]
            wanted = wanted[~fits[first]]
        return self.batch(rows, games)

    def drawable(self, rows: np.ndarray, games: np.ndarray) -> np.ndarray:
        """Whether a sample may start at each slot (bool, of the slots' shape)."""
        return self.store.startable(rows, games)

    def counts(self, rows: np.ndarray, games: np.ndarray) -> np.ndarray:
        """Whether a sample starts at each slot, as far as the ring still has it."""
        return self.store.mask[rows % self.store.rows, games] & (rows < self.store.count - 1)

    def batch(self, rows: np.ndarray, games: np.ndarray) -> Any:
        """The transitions that start at the given slots [B]; see `outcome` for what follows them."""
        reward, discount, ahead = self.outcome(rows, games)
        obs, next_obs = self.store.observations(rows, games, 0, ahead)
        return Transition(
            obs=self.cast(obs),
            action=self.store.action[rows % self.store.rows, games],
            reward=self.cast(reward),
            discount=self.cast(discount),
            next_obs=self.cast(next_obs),
            weight=np.ones(len(rows), self.precision),
        )

    def outcome(self, rows: np.ndarray, games: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """n-step returns (Watkins 1989; Sutton 1988) of the slots [B].

        Returns:
            [B] sum of gamma^k r over the steps until the observation to bootstrap from,
            [B] its discount, 0 beyond a terminal state,
            [B] how many rows ahead it lies: n_step, or where the episode (or the stream) ends before.
        """
        store = self.store
        total, discount = np.zeros(len(rows)), np.ones(len(rows))
        ahead, goes_on = np.zeros(len(rows), np.int64), np.ones(len(rows), bool)
        for step in range(self.n_step):
            slots = (rows + step) % store.rows
            total += np.where(goes_on, discount * self.reward_of(slots, games), 0.0)
            ahead += goes_on
            discount = np.where(goes_on, discount * self.gamma * ~store.terminated[slots, games], discount)
            after = rows + step + 1  # acted on too, and what followed is stored
            goes_on &= (
                ~store.terminated[slots, games] & store.mask[after % store.rows, games] & (after + 1 < store.count)
            )
        return total, discount, ahead

    def reward_of(self, slots: np.ndarray, games: np.ndarray) -> np.ndarray:
        """What is learned from at the slots [B]: raw reward, its sign, or what stands for a lost life."""
        store = self.store
        reward = store.reward[slots, games]
        if self.reward == "sign":
            reward = np.sign(reward)
        if self.life_loss_reward is not None:
            reward = np.where(store.lost_life[slots, games], self.life_loss_reward, reward)
        return reward

    def example(self, batch_size: int) -> Any:
        """A batch of zeros with the shapes and dtypes of a real one."""
        store = self.store
        stack = (store.stack,) if store.stacked else ()
        obs = self.cast(np.zeros((batch_size, *stack, *store.frame_shape), store.dtype))
        zeros = np.zeros(batch_size, self.precision)
        return Transition(obs, np.zeros(batch_size, np.int32), zeros, zeros, obs, zeros)

    def learned(self, td_error: Callable[[], np.ndarray]) -> None:
        """Is offered the TD errors [B] of the last batch; calling for them waits for the device."""

    def get_state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """What the store's rows do not tell, as arrays and JSON: nothing here."""
        return {}, {}

    def set_state(self, arrays: dict[str, np.ndarray], state: dict[str, Any]) -> None: ...

    def cast(self, array: Any) -> Any:
        """Floats in the run's precision; pictures stay as they are, where they are."""
        floats = isinstance(array, np.ndarray) and array.dtype != np.uint8
        return array.astype(self.precision) if floats else array
