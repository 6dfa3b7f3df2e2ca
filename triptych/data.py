"""The batches: the one place where shapes, dtypes and units are written.

NamedTuples, because `tf.function` and `jax.jit` take them apart by themselves. B: batch, A: actions.
Floats are in the run's precision. Arrays are NumPy's until a learner moves them to its device (pictures of a
replay on the device are there already).
"""

from __future__ import annotations

from typing import Any, NamedTuple

Array = Any  # NumPy's, or one framework's


class Transition(NamedTuple):
    """One step of play per sample, or n of them (n-step returns)."""

    obs: Array  # [B, *observation] uint8 pictures (stack first), or floats
    action: Array  # [B] int32, taken at obs
    reward: Array  # [B] float, after the action; clipped where the recipe says so; of n steps their discounted sum
    discount: Array  # [B] float, gamma^n * (1 - terminated); a truncated step keeps gamma
    next_obs: Array  # [B, *observation], seen n steps later; the episode's own last one at its end
    weight: Array  # [B] float, of the sample in the loss; 1 where all are drawn with equal chance
