"""From stored rewards to what is learned: sign, lost lives, n-step returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from triptych.buffers.store import Store


@dataclass(frozen=True)
class Outcomes:
    """What is learned of the steps in a store."""

    gamma: float  # discount of a reward one step later
    reward: Literal["raw", "sign"]  # learn from the raw reward or from its sign
    life_loss_reward: float | None = None  # in place of the reward of a step that lost a life; None: nothing special
    n_step: int = 1  # rewards summed up before bootstrapping; fewer where the episode ends or the stream stops

    def returns(self, store: Store, rows: np.ndarray, games: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """n-step returns (Watkins 1989; Sutton 1988) of the slots [B].

        Returns:
            [B] sum of gamma^k r over the steps until the observation to bootstrap from,
            [B] its discount, 0 beyond a terminal state,
            [B] how many rows ahead it lies: n_step, or where the episode (or the stream) ends before.
        """
        total, discount = np.zeros(len(rows)), np.ones(len(rows))
        ahead, goes_on = np.zeros(len(rows), np.int64), np.ones(len(rows), bool)
        for step in range(self.n_step):
            slots = (rows + step) % store.rows
            total += np.where(goes_on, discount * self.reward_of(store, slots, games), 0.0)
            ahead += goes_on
            discount = np.where(goes_on, discount * self.gamma * ~store.terminated[slots, games], discount)
            after = rows + step + 1  # acted on too, and what followed is stored
            goes_on &= (
                ~store.terminated[slots, games] & store.mask[after % store.rows, games] & (after + 1 < store.count)
            )
        return total, discount, ahead

    def reward_of(self, store: Store, slots: np.ndarray, games: np.ndarray) -> np.ndarray:
        """What is learned from at the slots [B]: raw reward, its sign, or what stands for a lost life."""
        reward = store.reward[slots, games]
        if self.reward == "sign":
            reward = np.sign(reward)
        if self.life_loss_reward is not None:
            reward = np.where(store.lost_life[slots, games], self.life_loss_reward, reward)
        return reward
