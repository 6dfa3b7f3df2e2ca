"""Losses of action values. Pure; `xp` is one framework's operations; B: batch, A: actions.

Every function raises ValueError where a shape or a dtype does not fit.
"""

from __future__ import annotations

from types import ModuleType
from typing import Literal

from triptych.losses.shapes import check_arrays
from triptych.spec.batches import Array

Loss = Literal["huber", "squared", "absolute"]
LOSSES: tuple[Loss, ...] = ("huber", "squared", "absolute")


def q_learning(xp: ModuleType, q_tm1: Array, a_tm1: Array, r_t: Array, discount_t: Array, q_t: Array) -> Array:
    """The temporal difference error of Q-learning (Watkins 1989; Mnih et al. 2015).

    n-step returns come as `r_t` (their discounted sum) and `discount_t` (gamma^n).

    Args:
        q_tm1: [B, A] float, values at time t-1, differentiated.
        a_tm1: [B] int, actions taken at t-1.
        r_t: [B] float, rewards that followed.
        discount_t: [B] float, 0 beyond a terminal state.
        q_t: [B, A] float, values at time t; no gradient passes.

    Returns:
        [B] target minus value.

    Raises:
        ValueError: a shape or a dtype does not fit; [B] against [B, 1] would broadcast to [B, B] unnoticed.
    """
    check_arrays(
        q_tm1=(q_tm1, "BA", "float"),
        a_tm1=(a_tm1, "B", "int"),
        r_t=(r_t, "B", "float"),
        discount_t=(discount_t, "B", "float"),
        q_t=(q_t, "BA", "float"),
    )
    target_tm1 = xp.stop_gradient(r_t + discount_t * xp.max(q_t, axis=1))  # [B]
    return target_tm1 - xp.select(q_tm1, a_tm1)


def double_q_learning(
    xp: ModuleType, q_tm1: Array, a_tm1: Array, r_t: Array, discount_t: Array, q_t_value: Array, q_t_selector: Array
) -> Array:
    """The temporal difference error of double Q-learning (van Hasselt, Guez & Silver 2016, equation 4).

    The action is chosen by one network and valued by the other, so that noise is not always taken for value.

    Args:
        q_t_value: [B, A] float, values at time t, of the target network; no gradient passes.
        q_t_selector: [B, A] float, values at time t, of the online network; no gradient passes.
        The others are those of `q_learning`.

    Returns:
        [B] target minus value.

    Raises:
        ValueError: a shape or a dtype does not fit.
    """
    check_arrays(
        q_tm1=(q_tm1, "BA", "float"),
        a_tm1=(a_tm1, "B", "int"),
        r_t=(r_t, "B", "float"),
        discount_t=(discount_t, "B", "float"),
        q_t_value=(q_t_value, "BA", "float"),
        q_t_selector=(q_t_selector, "BA", "float"),
    )
    best = xp.argmax(q_t_selector, axis=1)  # [B]
    target_tm1 = xp.stop_gradient(r_t + discount_t * xp.select(q_t_value, best))  # [B]
    return target_tm1 - xp.select(q_tm1, a_tm1)


def temporal_difference(
    xp: ModuleType,
    q_tm1: Array,
    a_tm1: Array,
    r_t: Array,
    discount_t: Array,
    q_t: Array,
    q_t_selector: Array | None = None,
) -> Array:
    """The error [B] of `q_learning`; where a selector's values are given, that of `double_q_learning`."""
    if q_t_selector is None:
        return q_learning(xp, q_tm1, a_tm1, r_t, discount_t, q_t)
    return double_q_learning(xp, q_tm1, a_tm1, r_t, discount_t, q_t, q_t_selector)


def huber(xp: ModuleType, error: Array, delta: float) -> Array:
    """Squared within `delta`, linear beyond, elementwise (Huber 1964): 0.5 q^2 + delta (|e| - q), q = min(|e|, delta)."""
    check_arrays(error=(error, "*", "float"))
    size = xp.abs(error)
    quadratic = xp.minimum(size, delta)
    return 0.5 * xp.square(quadratic) + delta * (size - quadratic)


def squared(xp: ModuleType, error: Array) -> Array:
    """The squared error, elementwise, without a half: its mean is what the frameworks call MSE."""
    check_arrays(error=(error, "*", "float"))
    return xp.square(error)


def absolute(xp: ModuleType, error: Array) -> Array:
    """The absolute error, elementwise; its gradient at 0 is 0."""
    check_arrays(error=(error, "*", "float"))
    return xp.abs(error)


def loss_of_error(xp: ModuleType, error: Array, kind: str, delta: float) -> Array:
    """The loss of TD errors, elementwise: huber (which turns at `delta`), squared or absolute."""
    if kind == "huber":
        return huber(xp, error, delta)
    return squared(xp, error) if kind == "squared" else absolute(xp, error)


def sequence_priority(xp: ModuleType, error: Array, mask: Array) -> Array:
    """[B] of the errors [T, B]: 0.9 of the largest plus 0.1 of the mean one (Kapturowski et al. 2019, section 2.3).

    The mask [T, B] is float, 0 where a step is padded.
    """
    check_arrays(error=(error, "TB", "float"), mask=(mask, "TB", "float"))
    size = xp.abs(error) * mask
    return 0.9 * xp.max(size, axis=0) + 0.1 * xp.sum(size, axis=0) / xp.sum(mask, axis=0)
