"""The advantages of a rollout, worked out in NumPy: they are weights of a loss and never differentiated."""

from __future__ import annotations

import numpy as np

from triptych.losses.shapes import check_arrays


def generalised_advantages(
    reward: np.ndarray, discount: np.ndarray, last: np.ndarray, value: np.ndarray, decay: float
) -> np.ndarray:
    """Advantages [T, N] of the actions in a rollout (Schulman et al. 2016, equation 16); plus the value, returns.

    Args:
        reward: [T, N] float, after each action.
        discount: [T, N] float, gamma, and 0 where the action terminated the episode; a truncated one keeps gamma.
        last: [T, N] bool, the action ended the episode, either way: what comes after it is of another one.
        value: [T + 1, N] float, of the observation before each action and, below it, of the one after: behind an episode's last
            action that is its own last observation, from which a truncated episode bootstraps.
        decay: gamma times lambda. With lambda 1 these are n-step returns less the value; with 0 one-step TD errors.

    Raises:
        ValueError: a shape or a dtype does not fit.
    """
    if len(value) != len(reward) + 1:
        raise ValueError(f"value has shape {value.shape}; expected one row more than reward, which has {len(reward)}")
    check_arrays(
        reward=(reward, "TN", "float"),
        discount=(discount, "TN", "float"),
        last=(last, "TN", "bool"),
        value=(value[:-1], "TN", "float"),
    )
    error = reward + discount * value[1:] - value[:-1]
    advantage, after = np.empty_like(error), np.zeros_like(error[0])
    for t in range(len(error) - 1, -1, -1):
        after = error[t] + decay * ~last[t] * after
        advantage[t] = after
    return advantage
