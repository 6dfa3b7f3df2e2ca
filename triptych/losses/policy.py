"""Losses of policies. Pure; `xp` is one framework's operations; T: steps, B: games, A: actions.

Masks are float, 0 where no action was taken. Every function raises ValueError where a shape or a dtype does not fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any, NamedTuple

from triptych.losses.shapes import check_arrays, steps_of
from triptych.spec.batches import Array, Rollout


class Evaluated(NamedTuple):
    """A rollout as the network sees it now, without its burn-in. All float, of the run's precision."""

    log_probs: Array  # [T, B, A] of all actions, in nats
    taken: Array  # [T, B] of the actions taken, in nats
    error: Array  # [T, B] returns less values
    advantage: Array  # [T, B] of the actions taken, as the rollout has it
    mask: Array  # [T, B] 1 where an action was taken


def evaluate_actions(xp: ModuleType, network: Any, batch: Rollout, burn_in: int) -> Evaluated:
    """The network, as it is now, on a rollout, without its first `burn_in` steps, through which no gradient passes.

    What the policy gradient and the value's error are made of (Mnih et al. 2016, algorithm S3). The burn-in is that of
    Kapturowski et al. (2019, section 2.3): its steps only bring the memory's state up to date.

    Args:
        network: takes obs [T, B, *observation], state [B, S], reset [T, B]; gives outputs [T, B, A + 1], A logits and
            the value, and the state after them.
        burn_in: steps, fewer than the rollout has.
    """
    floats = ("log_prob", "advantage", "returns", "mask")
    check_arrays(
        obs=(batch.obs, "TB...", "any"),
        reset=(batch.reset, "TB", "bool"),
        state=(batch.state, "BS", "float"),
        action=(batch.action, "TB", "int"),
        **{name: (getattr(batch, name), "TB", "float") for name in floats},
    )
    state = batch.state
    if burn_in:
        state = xp.stop_gradient(network(steps_of(batch.obs, 0, burn_in), state, batch.reset[:burn_in])[1])
    outputs = network(steps_of(batch.obs, burn_in), state, steps_of(batch.reset, burn_in))[0]  # [T, B, A + 1]
    mask = batch.mask[burn_in:]
    check_arrays(mask=(mask, "TB", "float"), outputs=(outputs, "TBA", "float"))
    log_probs = xp.log_softmax(outputs[..., :-1])
    taken = xp.select(log_probs, batch.action[burn_in:])
    error = batch.returns[burn_in:] - outputs[..., -1]
    return Evaluated(log_probs, taken, error, batch.advantage[burn_in:], mask)


def masked_mean(xp: ModuleType, x: Array, mask: Array) -> Array:
    """The mean [] of x where the mask is 1; x and mask are float and of one shape."""
    check_arrays(x=(x, "*", "float"), mask=(mask, "*", "float"))
    return xp.sum(x * mask) / xp.sum(mask)


def normalised(xp: ModuleType, x: Array, mask: Array) -> Array:
    """x with mean 0 and standard deviation 1 where the mask is 1; x and mask are float and of one shape.

    The deviation divides by N; 1e-8 keeps it from 0. In no paper of its own: implementations of PPO do it to the
    advantages of each minibatch (Andrychowicz et al. 2021 compare it).
    """
    centred = x - masked_mean(xp, x, mask)
    return centred / (xp.sqrt(masked_mean(xp, xp.square(centred), mask)) + 1e-8)


def entropy(xp: ModuleType, log_probs: Array) -> Array:
    """The entropy [T, B] in nats of the policies whose log probabilities are [T, B, A] (Mnih et al. 2016, section 4)."""
    check_arrays(log_probs=(log_probs, "TBA", "float"))
    return -xp.sum(xp.exp(log_probs) * log_probs, axis=2)


def clipped_surrogate(xp: ModuleType, log_ratio: Array, advantage: Array, clip: Array) -> Array:
    """PPO's objective, elementwise (Schulman et al. 2017, equation 7): no more to gain beyond 1 - clip to 1 + clip.

    Args:
        log_ratio: [T, B] log probability of the action taken, now less then.
        advantage: [T, B] no gradient passes.
        clip: [] how far the ratio of the probabilities may be from 1.
    """
    check_arrays(log_ratio=(log_ratio, "*", "float"), advantage=(advantage, "*", "float"), clip=(clip, "", "float"))
    ratio = xp.exp(log_ratio)
    return xp.minimum(ratio * advantage, xp.clip(ratio, 1 - clip, 1 + clip) * advantage)


def total_loss(parts: Mapping[str, Array], value_weight: float, entropy_weight: Array) -> Array:
    """What an actor-critic descends [] (Schulman et al. 2017, equation 9, with its sign turned).

    Args:
        parts: of them `policy_loss`, `value_loss` and `entropy`, each [].
        value_weight: of the value's loss beside the policy's.
        entropy_weight: [] of the bonus for a policy that is not sure.
    """
    used = ("policy_loss", "value_loss", "entropy")
    check_arrays(entropy_weight=(entropy_weight, "", "float"), **{name: (parts[name], "", "float") for name in used})
    return parts["policy_loss"] + value_weight * parts["value_loss"] - entropy_weight * parts["entropy"]
