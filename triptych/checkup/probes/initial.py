"""Whether the first weights are drawn as the layers say. The distributions are worked out here once more, from the papers."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from triptych.checkup.findings import Finding, Signal
from triptych.checkup.probes.subject import Subject

FIRST = Signal(
    "first-weights", "warn", "the first weights are not those that the layers say",
    (
        "another initialiser, or another gain", "a fan that is counted over the wrong axes",
        "units that all begin alike, or with zeros", "weights of an earlier run that are still there",
    ),
    "what draws the first weights, and what puts them into the network",
)  # fmt: skip
SURE = 7.0  # standard deviations of the mean square
FEW = 16  # weights, below which chance says too little
OFF = 1e-3  # of a bound or a mean square, that rounding may be
ROOM = 1e-3  # of 1, for columns that must stand at right angles


def first_weights(subject: Subject) -> Iterator[Finding]:
    """Each layer's kernels against its initialiser; what is told is the first one that differs."""
    weights = subject.learner.get_weights()
    for placed in subject.network.placed():
        if not placed.tensors():
            continue
        factors = placed.layer.factors()
        for key in placed.layer.tensors(placed.input_shape):
            kernel = weights.get(f"{placed.name}/{key}")
            if kernel is None or not key.endswith("kernel") or kernel.ndim < 2:
                continue
            plain = np.asarray(kernel, np.float64) / factors.get(key, 1.0)
            kind = "blocks" if key.endswith("recurrent_kernel") else placed.layer.initialiser
            if told := differs(plain, kind):
                yield Finding(FIRST, f"{told[0]} in {placed.name}/{key}", told[1], 0)
                return


def differs(kernel: np.ndarray, kind: str) -> tuple[str, str] | None:
    """How a kernel [..., in, out] differs from what an initialiser draws: measured, expected; None: it does not.

    Glorot & Bengio 2010, equation 16; LeCun et al. 1998, section 4.6; Saxe et al. 2014, with a gain of sqrt(2) but for recurrent ones.
    """
    fan_in, out = math.prod(kernel.shape[:-1]), kernel.shape[-1]
    if kind == "blocks":
        return next(filter(None, (angles(one, 1.0) for one in np.split(kernel, max(1, out // fan_in), axis=1))), None)
    if kind == "orthogonal":
        return angles(kernel.reshape(fan_in, out), 2.0)
    fans = {"glorot_uniform": (fan_in + out * math.prod(kernel.shape[:-2])) / 6, "fan_in_uniform": float(fan_in)}
    if kind not in fans:
        return None  # a way of the user's
    limit = 1 / math.sqrt(fans[kind])
    if (most := float(np.abs(kernel).max())) > limit * (1 + OFF):
        return f"weights up to {most:.3g}", f"at most {limit:.3g}"
    square, wanted = float((kernel**2).mean()), limit**2 / 3
    if kernel.size >= FEW and abs(square - wanted) > SURE * limit**2 * math.sqrt(4 / 45 / kernel.size) + OFF * wanted:
        return f"weights of mean square {square:.3g}", f"{wanted:.3g}, as of {kind.replace('_', ' ')}"
    if kernel.size > 1 and len(np.unique(kernel)) < kernel.size / 4:
        return f"{len(np.unique(kernel)):,} different weights of {kernel.size:,}", "each drawn by itself"
    return None


def angles(matrix: np.ndarray, square: float) -> tuple[str, str] | None:
    """Columns, or rows where there are fewer, of this squared length and at right angles."""
    tall = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
    off = float(np.abs(tall.T @ tall / square - np.eye(tall.shape[1])).max())
    told = f"columns off their right angles and length by {off:.2g}", f"orthogonal ones of length {square**0.5:.3g}"
    return told if off > ROOM else None
