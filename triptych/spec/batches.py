"""The batches: the one place where shapes, dtypes and units are written.

NamedTuples, because `tf.function` and `jax.jit` take them apart by themselves. B: batch, A: actions.
Floats are in the run's precision. Arrays are NumPy's until a learner moves them to its device (pictures of a
replay on the device are there already). Where an observation has several parts, `obs` is a dict of such arrays by name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

Array = Any  # NumPy's, or one framework's
LossFunction = Callable[
    ..., tuple[Array, tuple[Array, dict[str, Array]]]
]  # loss(xp, online, target, batch) -> (scalar, (error, scalars))

NOT_ASKED = -1e30  # stands for what a teacher with memory was not asked for; finite, as all that a checkpoint holds


class Transition(NamedTuple):
    """One step of play per sample, or n of them (n-step returns)."""

    obs: Array  # [B, *observation] uint8 pictures (stack first), or floats
    action: Array  # [B] int32, taken at obs
    reward: Array  # [B] float, after the action; clipped where the recipe says so; of n steps their discounted sum
    discount: Array  # [B] float, gamma^n * (1 - terminated); a truncated step keeps gamma
    next_obs: Array  # [B, *observation], seen n steps later; the episode's own last one at its end
    weight: Array  # [B] float, of the sample in the loss; 1 where all are drawn with equal chance


class Sequence(NamedTuple):
    """T consecutive steps of one episode per sample, the last L of them learned from, and n observations beyond.

    Steps before the first L only bring the state up to date (burn-in). What lies outside the episode is padded with zeros.
    """

    obs: Array  # [T + n, B, *observation] uint8 pictures (stack first), or floats
    reset: Array  # [T + n, B] bool, obs starts the episode: the state is zeroed before it
    state: Array  # [B, S] float, of the network before the first obs
    action: Array  # [L, B] int32, taken at obs[T - L:]
    reward: Array  # [L, B] float, as in a Transition
    discount: Array  # [L, B] float, as in a Transition
    ahead: Array  # [L, B] int32, how many steps ahead the observation to bootstrap from lies: 1 to n
    mask: Array  # [L, B] float, 1 where an action was taken, 0 where it is padded
    weight: Array  # [B] float, of the sample in the loss


class Rollout(NamedTuple):
    """T consecutive steps of B games as the policy played them, for one update of an actor-critic.

    Networks without memory take single steps in any order: T is 1. A step without an action (an episode's last
    observation) is masked.
    """

    obs: Array  # [T, B, *observation] uint8 pictures (stack first), or floats
    reset: Array  # [T, B] bool, obs starts an episode: the state is zeroed before it
    state: Array  # [B, S] float, of the network before the first obs
    action: Array  # [T, B] int32, taken at obs
    log_prob: Array  # [T, B] float, of that action when it was taken
    advantage: Array  # [T, B] float
    returns: Array  # [T, B] float, what the value is drawn to
    mask: Array  # [T, B] float, 1 where an action was taken
    entropy_weight: Array  # [] float
    clip: Array  # [] float, how far the policy may move for gain


class Told(NamedTuple):
    """A batch of any kind, and what a teacher with memory gave for its steps when they were played."""

    batch: Any  # Transition, Sequence or Rollout
    teacher: Array  # [B, A], of the others [T or L, B, A]: float, as in `Taught`; NOT_ASKED where it was not


class Taught(NamedTuple):
    """A batch of any kind, and what a teacher makes of the observations in it that are learned from."""

    batch: Any  # Transition, Sequence or Rollout
    teacher: Array  # [B, A], of the others [L, B, A] without the burn-in: float, Q values or logits of a network that stays as it is
    weight: Array  # [] float, of the distance to the teacher


def moved(batch: Any, move: Callable[[Any], Array]) -> Any:
    """A batch whose arrays were moved, each by itself, such as to a device."""
    return type(batch)(*(moved(part, move) if isinstance(part, tuple) else move(part) for part in batch))
