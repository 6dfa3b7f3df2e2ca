"""The operations in NumPy: the float64 oracle of the tests, and the list of what every `ops` must offer.

Rules that hold in each framework:
- `axis=None` means all axes; integers that come out are int32; dtypes are NumPy's names.
- `std` divides by N. `maximum`, `minimum` and `clip` pass the gradient to their first argument at a
  tie; the gradient of `abs` at 0 is 0.
- `select(x[..., A], index[...])` picks one entry along the last axis; `log_softmax` works along it.
- Nothing is promoted between dtypes and nothing is broadcast but scalars.
"""

from __future__ import annotations

import numpy as np
from numpy import abs, concatenate, cumsum, exp, maximum, mean, minimum, reshape, sign, sqrt, square, std, sum, where

max = np.max

__all__ = [
    "abs", "argmax", "cast", "clip", "concatenate", "cumsum", "exp", "log_softmax", "max", "maximum", "mean",
    "minimum", "one_hot", "reshape", "select", "sign", "sqrt", "square", "std", "stop_gradient", "sum", "where",
]  # fmt: skip


def argmax(x, axis):
    return np.argmax(x, axis=axis).astype(np.int32)


def clip(x, low, high):
    return minimum(maximum(x, low), high)


def cast(x, dtype):
    return np.asarray(x).astype(dtype)


def select(x, index):
    return np.take_along_axis(x, np.asarray(index)[..., None], axis=-1)[..., 0]


def one_hot(index, size, dtype):
    return np.eye(size, dtype=dtype)[np.asarray(index)]


def log_softmax(x):
    shifted = x - np.max(x, axis=-1, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))


def stop_gradient(x):
    return x
