"""The operations of `numpy_ops`, in JAX."""

from __future__ import annotations

import jax
from jax import numpy as jnp
from jax.lax import stop_gradient
from jax.numpy import concatenate, cumsum, exp, max, mean, reshape, sign, sqrt, square, std, sum, where

__all__ = [
    "abs", "argmax", "cast", "clip", "concatenate", "cumsum", "exp", "log_softmax", "max", "maximum", "mean",
    "minimum", "one_hot", "reshape", "select", "sign", "sqrt", "square", "std", "stop_gradient", "sum", "where",
]  # fmt: skip


def argmax(x, axis):
    return jnp.argmax(x, axis=axis).astype(jnp.int32)


def abs(x):
    return x * stop_gradient(jnp.sign(x))  # jnp.abs has gradient 1 at 0


def maximum(x, y):
    return where(x >= y, x, y)  # jnp.maximum halves the gradient at a tie


def minimum(x, y):
    return where(x <= y, x, y)


def clip(x, low, high):
    return minimum(maximum(x, low), high)


def cast(x, dtype):
    return x.astype(dtype)


def select(x, index):
    return jnp.take_along_axis(x, index[..., None], axis=-1)[..., 0]


def one_hot(index, size, dtype):
    return jax.nn.one_hot(index, size, dtype=dtype)


def log_softmax(x):
    return jax.nn.log_softmax(x, axis=-1)
