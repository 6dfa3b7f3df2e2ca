"""What is worked out in NumPy and never differentiated: schedules, advantages."""

from __future__ import annotations

import numpy as np


def generalised_advantages(
    reward: np.ndarray, discount: np.ndarray, last: np.ndarray, value: np.ndarray, decay: float
) -> np.ndarray:
    """Advantages [T, N] of the actions in a rollout (Schulman et al. 2016, equation 16); plus the value, returns.

    Args:
        reward: [T, N] after each action.
        discount: [T, N] gamma, and 0 where the action terminated the episode; a truncated one keeps gamma.
        last: [T, N] the action ended the episode, either way: what comes after it is of another one.
        value: [T + 1, N] of the observation before each action and, below it, of the one after: behind an episode's last
            action that is its own last observation, from which a truncated episode bootstraps.
        decay: gamma times lambda. With lambda 1 these are n-step returns less the value; with 0 one-step TD errors.
    """
    error = reward + discount * value[1:] - value[:-1]
    advantage, after = np.empty_like(error), np.zeros_like(error[0])
    for t in range(len(error) - 1, -1, -1):
        after = error[t] + decay * ~last[t] * after
        advantage[t] = after
    return advantage
