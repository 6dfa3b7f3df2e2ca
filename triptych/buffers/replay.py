"""Uniform replay (Lin 1992; Mnih et al. 2015) over the stored stream."""

from __future__ import annotations

from typing import Literal

import numpy as np

from triptych.buffers.frames import FrameStore
from triptych.data import Transition


class UniformReplay:
    """Draws transitions with equal chance from a store.

    Args:
        gamma: discount of a reward one step later.
        reward: learn from the raw reward or from its sign.
        precision: NumPy's name of the run's float dtype.
        life_loss_reward: learned from in place of the reward of a step that lost a life; None: nothing special.
    """

    def __init__(
        self,
        store: FrameStore,
        gamma: float,
        reward: Literal["raw", "sign"],
        precision: str,
        life_loss_reward: float | None = None,
    ):
        self.store = store
        self.gamma = gamma
        self.reward = reward
        self.precision = precision
        self.life_loss_reward = life_loss_reward

    def __len__(self) -> int:
        """Complete transitions to draw from."""
        return self.store.transitions

    def sample(self, rng: np.random.Generator, batch_size: int) -> Transition:
        """Draws `batch_size` transitions with replacement.

        Slots without an action, the newest row and stacks that the ring has cut are drawn again.
        """
        store = self.store
        rows, games = np.empty((2, batch_size), np.int64)
        wanted = np.arange(batch_size)
        while len(wanted):
            slots = rng.integers(store.oldest * store.num_envs, store.count * store.num_envs, size=len(wanted))
            rows[wanted], games[wanted] = np.divmod(slots, store.num_envs)
            wanted = wanted[~store.startable(rows[wanted], games[wanted])]
        return self.transition(rows, games)

    def transition(self, rows: np.ndarray, games: np.ndarray) -> Transition:
        """The transitions that start at the given slots [B]."""
        store = self.store
        slots = rows % store.rows
        reward = store.reward[slots, games]
        if self.reward == "sign":
            reward = np.sign(reward)
        if self.life_loss_reward is not None:
            reward = np.where(store.lost_life[slots, games], self.life_loss_reward, reward)
        obs, next_obs = store.observations(rows, games, more=1)
        return Transition(
            obs=self.cast(obs),
            action=store.action[slots, games],
            reward=self.cast(reward),
            discount=self.cast(self.gamma * ~store.terminated[slots, games]),
            next_obs=self.cast(next_obs),
        )

    def example(self, batch_size: int) -> Transition:
        """A batch of zeros with the shapes and dtypes of a real one."""
        store = self.store
        stack = (store.stack,) if store.stacked else ()
        obs = self.cast(np.zeros((batch_size, *stack, *store.frame_shape), store.dtype))
        zeros = np.zeros(batch_size, self.precision)
        return Transition(obs, np.zeros(batch_size, np.int32), zeros, zeros, obs)

    def cast(self, array: np.ndarray) -> np.ndarray:
        return array if array.dtype == np.uint8 else array.astype(self.precision)
