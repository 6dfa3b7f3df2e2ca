"""Which steps of N games are broken, and when a game has been broken for too long."""

from __future__ import annotations

from typing import Any

import numpy as np

STUCK = 10  # steps in a row without a finite number after which an episode is cut, as it will hardly find back


class BrokenSteps:
    """The memory behind `Step.broken`: which observations are made up, and how many steps in a row were broken.

    Args:
        num_envs: N.
    """

    def __init__(self, num_envs: int):
        self.made_up = np.zeros(num_envs, bool)  # [N] the observation is an older one, as the newest is not finite
        self.in_a_row = np.zeros(num_envs, np.int64)  # [N] broken steps, now

    def reset(self, unseen: np.ndarray) -> None:
        """All games begin; `unseen` [N]: with an observation that is not finite."""
        self.made_up, self.in_a_row = unseen.copy(), np.zeros_like(self.in_a_row)

    def step(self, unseen: np.ndarray, unpaid: np.ndarray, restarted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Takes a step in.

        Args:
            unseen: [N] bool, the observation is not finite.
            unpaid: [N] bool, the reward is not finite.
            restarted: [N] bool, the game only began an episode, from which nothing is learned anyhow.

        Returns:
            [N] bool, the step is broken; [N] bool, the episode is to be cut here.
        """
        broken = (unseen | unpaid | self.made_up) & ~restarted
        self.made_up = unseen.copy()
        self.in_a_row = np.where(broken, self.in_a_row + 1, 0)
        return broken, self.in_a_row >= STUCK

    def get_state(self) -> dict[str, Any]:
        return {"made_up": self.made_up.tolist(), "in_a_row": self.in_a_row.tolist()}

    def set_state(self, state: dict[str, Any]) -> None:
        self.made_up, self.in_a_row = np.array(state["made_up"], bool), np.array(state["in_a_row"], np.int64)
