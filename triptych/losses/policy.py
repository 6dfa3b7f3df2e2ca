"""Losses of policies. Pure; `xp` is one framework's operations; T: steps, B: games, A: actions. Masks are 0 where no action was taken."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from triptych.spec.batches import Array, Rollout


def looked_at_again(
    xp: ModuleType, network: Any, batch: Rollout, burn_in: int
) -> tuple[Array, Array, Array, Array, Array]:
    """A rollout through the network as it is now, without its first `burn_in` steps, through which no gradient passes.

    Returns:
        log_probs [T, B, A], those of the actions taken [T, B], returns less values [T, B], advantages [T, B], mask [T, B].
    """
    state = batch.state
    if burn_in:
        state = xp.stop_gradient(network(batch.obs[:burn_in], state, batch.reset[:burn_in])[1])
    outputs = network(batch.obs[burn_in:], state, batch.reset[burn_in:])[0]  # [T, B, A + 1]
    log_probs = xp.log_softmax(outputs[..., :-1])
    taken = xp.select(log_probs, batch.action[burn_in:])
    error = batch.returns[burn_in:] - outputs[..., -1]
    return log_probs, taken, error, batch.advantage[burn_in:], batch.mask[burn_in:]


def masked_mean(xp: ModuleType, x: Array, mask: Array) -> Array:
    """The mean of x where the mask is 1."""
    return xp.sum(x * mask) / xp.sum(mask)


def normalised(xp: ModuleType, x: Array, mask: Array) -> Array:
    """x with mean 0 and standard deviation 1 where the mask is 1. The deviation divides by N; 1e-8 keeps it from 0."""
    centred = x - masked_mean(xp, x, mask)
    return centred / (xp.sqrt(masked_mean(xp, xp.square(centred), mask)) + 1e-8)


def entropy(xp: ModuleType, log_probs: Array) -> Array:
    """[T, B] in nats of the policies [T, B, A]."""
    return -xp.sum(xp.exp(log_probs) * log_probs, axis=2)


def clipped_surrogate(xp: ModuleType, log_ratio: Array, advantage: Array, clip: Array) -> Array:
    """PPO's objective, elementwise (Schulman et al. 2017, equation 7): no more to gain beyond 1 - clip to 1 + clip.

    Args:
        log_ratio: log probability of the action taken, now less then.
        advantage: no gradient passes.
        clip: a number.
    """
    ratio = xp.exp(log_ratio)
    return xp.minimum(ratio * advantage, xp.clip(ratio, 1 - clip, 1 + clip) * advantage)
