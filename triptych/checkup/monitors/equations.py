"""An optimiser's equations in float64: what an update must have done, worked out from its state before and after."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

OFF, OF_RATE = 0.01, 0.005  # of a weight's move, and of the learning rate, that rounding may be
ROUNDED = 1.2e-7  # of a moment in float32
LOST, TINY = 1e-2, 1e-30  # of a moment, and of it altogether, that rounding over many updates may take
ZERO = np.zeros(())
State = dict[str, np.ndarray]


class Judged(NamedTuple):
    """What an update did."""

    wrong: tuple[str, str] | None  # measured, expected
    share: float  # the size of its step, of the weights' size


def same(one: np.ndarray, other: np.ndarray) -> bool:
    return np.array_equal(one, other, equal_nan=True)


def forgotten(spec: Any, then: State, now: State, updates: int) -> tuple[str, str] | None:
    """What of an optimiser's moments is gone since an earlier look; None: nothing is.

    Each update takes `decay * v + (1 - decay) * g**2` for the mean of squares v, so none makes it less than `decay * v`.

    Args:
        then, now: `KIND/v/NAME`, and Adam's count of updates; `updates`: of the run between them.
    """
    kind, decay = spec.kind, spec.beta_2 if spec.kind == "adam" else spec.decay
    count, made = f"{kind}/step", updates
    if count in then and count in now:
        made = int(now[count]) - int(then[count])
        if made < updates - 1:
            return f"{kind} counts {int(now[count]):,} updates", f"{int(then[count]) + updates:,}"
    for name, old in then.items():
        since = name.replace("/v/", "/since/")  # a tensor that was thawed meanwhile begins anew
        new = now.get(name)
        if "/v/" not in name or new is None or not same(then.get(since, ZERO), now.get(since, ZERO)):
            continue
        least = (decay ** (made + 1)) * np.asarray(old, np.float64)
        gone = np.asarray(new, np.float64) < (1 - LOST) * least - TINY
        if gone.any():
            told = f"{gone.mean():.0%} of the mean squares of {name.split('/v/')[1]} fell lower"
            return told, f"at least {decay:g} of what they were at each of {made:,} updates"
    return None


def judged(spec: Any, before: State, after: State, rate: float, norm: float | None) -> Judged:
    """One update against Adam's or RMSprop's equations.

    Args:
        spec: the recipe's optimiser.
        before: a learner's state, `online/NAME` and the optimiser's moments; `after`: the one after the update.
        norm: of the gradient before it was cut, as the update reports it.
    """
    kind = spec.kind
    names = [name.removeprefix("online/") for name in before if name.startswith("online/")]
    learn = [name for name in names if f"{kind}/v/{name}" in before and f"{kind}/v/{name}" in after]
    squares, moves, sizes = 0.0, 0.0, 0.0
    wrong: tuple[str, str] | None = None
    for name in learn:
        old, new = (np.asarray(state[f"online/{name}"], np.float64) for state in (before, after))
        square, step = (adam if kind == "adam" else rmsprop)(spec, before, after, name, rate)
        moved = new - old
        # Against the mean gradient; of RMSprop only the step's size is known.
        moved = -moved * np.sign(np.asarray(after[f"adam/m/{name}"])) if kind == "adam" else np.abs(moved)
        ulp = float(np.spacing(np.abs(before[f"online/{name}"]).max(initial=0).astype(before[f"online/{name}"].dtype)))
        rounding = OF_RATE if kind == "adam" else max(OF_RATE, 2 * (ROUNDED / (1 - spec.decay)) ** 0.5)
        apart = np.abs(moved - step) > OFF * step + rounding * rate + 4 * ulp
        if wrong is None and apart.mean() > 0.01:
            at = np.unravel_index(np.argmax(np.abs(moved - step)), moved.shape)
            told = f"a weight of {name} moves by {moved[at]:.3g} at a learning rate of {rate:.3g}"
            wrong = (
                told,
                f"{step[at]:.3g}, from the moments that {kind} keeps ({apart.mean():.0%} of its weights differ)",
            )
        squares, moves, sizes = squares + square, moves + float((moved**2).sum()), sizes + float((old**2).sum())
    total = squares**0.5
    if wrong is None and norm and math.isfinite(norm):
        cut = norm if spec.max_norm is None else min(norm, spec.max_norm)
        if abs(total - cut) > 0.03 * cut + 1e-7:
            told = f"the optimiser was given a gradient of norm {total:.4g}, and the loss' has {norm:.4g}"
            wrong = (
                told,
                f"{cut:.4g}" + ("" if spec.max_norm is None else f", cut to {spec.max_norm:g} over all tensors"),
            )
    return Judged(wrong, (moves / sizes) ** 0.5 if sizes else 0.0)


def adam(spec: Any, before: State, after: State, name: str, rate: float) -> tuple[float, np.ndarray]:
    """The gradient's squared norm as the moments tell it, and how far each weight must move."""
    m0, m1 = (np.asarray(state[f"adam/m/{name}"], np.float64) for state in (before, after))
    v0 = np.asarray(before[f"adam/v/{name}"], np.float64)
    since = f"adam/since/{name}"
    count = int(after["adam/step"]) - int(after.get(since, 0))
    gradient = (m1 - spec.beta_1 * m0) / (1 - spec.beta_1)
    v1 = spec.beta_2 * v0 + (1 - spec.beta_2) * gradient**2
    mean, square = m1 / (1 - spec.beta_1**count), v1 / (1 - spec.beta_2**count)
    return float((gradient**2).sum()), rate * np.abs(mean) / (np.sqrt(square) + spec.epsilon)


def rmsprop(spec: Any, before: State, after: State, name: str, rate: float) -> tuple[float, np.ndarray]:
    """The same; of the gradient only its square is known, and not where it drowns in the moment's rounding (then NaN)."""
    v0, v1 = (np.asarray(state[f"rmsprop/v/{name}"], np.float64) for state in (before, after))
    square = np.maximum(0, v1 - spec.decay * v0) / (1 - spec.decay)
    drowned = square.sum() < 100 * ROUNDED * v1.sum() / (1 - spec.decay)
    return float("nan") if drowned else float(square.sum()), rate * np.sqrt(square) / np.sqrt(v1 + spec.epsilon)
