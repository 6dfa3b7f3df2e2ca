"""The operations of `numpy_ops`, in Keras on TensorFlow."""

from __future__ import annotations

import tensorflow as tf
from keras import ops
from keras.ops import (
    abs,
    argmax,
    concatenate,
    cumsum,
    exp,
    max,
    mean,
    reshape,
    sign,
    sqrt,
    square,
    std,
    stop_gradient,
    sum,
)

__all__ = [
    "abs", "argmax", "cast", "clip", "concatenate", "cumsum", "exp", "log_softmax", "max", "maximum", "mean",
    "minimum", "one_hot", "reshape", "select", "sign", "sqrt", "square", "std", "stop_gradient", "sum", "where",
]  # fmt: skip


def where(condition, x, y):
    return tf.where(condition, x, y)


def maximum(x, y):
    y = tf.convert_to_tensor(y, x.dtype)  # tf.cast would take a Python float through float32
    return tf.where(x >= y, x, y)  # one rule for ties in every framework


def minimum(x, y):
    y = tf.convert_to_tensor(y, x.dtype)
    return tf.where(x <= y, x, y)


def clip(x, low, high):
    return minimum(maximum(x, low), high)


def cast(x, dtype):
    return ops.cast(x, dtype)


def select(x, index):
    return tf.gather(x, index, axis=-1, batch_dims=len(index.shape))


def one_hot(index, size, dtype):
    return ops.one_hot(index, size, dtype=dtype)


def log_softmax(x):
    return ops.log_softmax(x, axis=-1)
