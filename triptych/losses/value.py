"""Losses of action values. Pure; `xp` is one framework's operations; B: batch, A: actions."""

from __future__ import annotations

from types import ModuleType
from typing import Literal

from triptych.spec.batches import Array

Loss = Literal["huber", "squared", "absolute"]
LOSSES: tuple[Loss, ...] = ("huber", "squared", "absolute")


def q_learning(xp: ModuleType, q_tm1: Array, a_tm1: Array, r_t: Array, discount_t: Array, q_t: Array) -> Array:
    """The temporal difference error of Q-learning (Watkins 1989; Mnih et al. 2015).

    n-step returns come as `r_t` (their discounted sum) and `discount_t` (gamma^n).

    Args:
        q_tm1: [B, A] values at time t-1, differentiated.
        a_tm1: [B] actions taken at t-1.
        r_t: [B] rewards that followed.
        discount_t: [B] 0 beyond a terminal state.
        q_t: [B, A] values at time t; no gradient passes.

    Returns:
        [B] target minus value.

    Raises:
        ValueError: a shape does not fit; [B] against [B, 1] would broadcast to [B, B] unnoticed.
    """
    check_shapes(q_tm1=(q_tm1, 2), a_tm1=(a_tm1, 1), r_t=(r_t, 1), discount_t=(discount_t, 1), q_t=(q_t, 2))
    target_tm1 = xp.stop_gradient(r_t + discount_t * xp.max(q_t, axis=1))  # [B]
    return target_tm1 - xp.select(q_tm1, a_tm1)


def double_q_learning(
    xp: ModuleType, q_tm1: Array, a_tm1: Array, r_t: Array, discount_t: Array, q_t_value: Array, q_t_selector: Array
) -> Array:
    """The temporal difference error of double Q-learning (van Hasselt, Guez & Silver 2016, equation 4).

    The action is chosen by one network and valued by the other, so that noise is not always taken for value.

    Args:
        q_t_value: [B, A] values at time t, of the target network; no gradient passes.
        q_t_selector: [B, A] values at time t, of the online network; no gradient passes.
        The others are those of `q_learning`.

    Returns:
        [B] target minus value.

    Raises:
        ValueError: a shape does not fit.
    """
    check_shapes(q_tm1=(q_tm1, 2), a_tm1=(a_tm1, 1), r_t=(r_t, 1), discount_t=(discount_t, 1))
    check_shapes(q_tm1=(q_tm1, 2), q_t_value=(q_t_value, 2), q_t_selector=(q_t_selector, 2))
    best = xp.argmax(q_t_selector, axis=1)  # [B]
    target_tm1 = xp.stop_gradient(r_t + discount_t * xp.select(q_t_value, best))  # [B]
    return target_tm1 - xp.select(q_tm1, a_tm1)


def huber(xp: ModuleType, error: Array, delta: float) -> Array:
    """Squared within `delta`, linear beyond, elementwise (Huber 1964): 0.5 q^2 + delta (|e| - q), q = min(|e|, delta)."""
    size = xp.abs(error)
    quadratic = xp.minimum(size, delta)
    return 0.5 * xp.square(quadratic) + delta * (size - quadratic)


def squared(xp: ModuleType, error: Array) -> Array:
    """The squared error, elementwise, without a half: its mean is what the frameworks call MSE."""
    return xp.square(error)


def absolute(xp: ModuleType, error: Array) -> Array:
    """The absolute error, elementwise; its gradient at 0 is 0."""
    return xp.abs(error)


def loss_of_error(xp: ModuleType, error: Array, kind: str, delta: float) -> Array:
    """The loss of TD errors, elementwise: huber (which turns at `delta`), squared or absolute."""
    if kind == "huber":
        return huber(xp, error, delta)
    return squared(xp, error) if kind == "squared" else absolute(xp, error)


def sequence_priority(xp: ModuleType, error: Array, mask: Array) -> Array:
    """[B] of the errors [T, B]: 0.9 of the largest plus 0.1 of the mean one (Kapturowski et al. 2019, section 2.3)."""
    size = xp.abs(error) * mask
    return 0.9 * xp.max(size, axis=0) + 0.1 * xp.sum(size, axis=0) / xp.sum(mask, axis=0)


def check_shapes(**tensors: tuple[Array, int]) -> None:
    """Checks each tensor's rank, and that all agree in the batch (and, at rank 2, in the actions)."""
    batch: dict[int, tuple[str, int]] = {}
    for name, (tensor, rank) in tensors.items():
        shape = tuple(tensor.shape)
        if len(shape) != rank:
            raise ValueError(f"{name} has shape {shape}; expected rank {rank}")
        for axis, size in enumerate(shape):
            other, expected = batch.setdefault(axis, (name, size))
            if size != expected:
                raise ValueError(f"{name} has {size} entries on axis {axis}, {other} has {expected}")
