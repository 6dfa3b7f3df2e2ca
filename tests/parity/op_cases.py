"""Every operation against NumPy, and the gradients at ties and zeros that the frameworks disagree on."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from tests.parity.ladder import close
from triptych.frameworks import numpy_ops

X = np.array([[0.3, -1.2, 2.0, 0.0], [1.5, 1.5, -0.7, 0.25], [-3.0, 0.1, 0.1, 0.9]])
Y = np.array([[0.3, 1.0, -2.0, 0.0], [0.5, 2.5, -0.7, 0.2], [3.0, 0.1, 0.2, -0.9]])
INDEX = np.array([2, 0, 3], np.int32)

CASES: dict[str, Any] = {
    "max": lambda xp, x, y, i: xp.max(x, axis=1),
    "argmax": lambda xp, x, y, i: xp.argmax(x, axis=1),
    "sum": lambda xp, x, y, i: xp.sum(x, axis=0),
    "sum of all": lambda xp, x, y, i: xp.sum(x),
    "mean": lambda xp, x, y, i: xp.mean(x, axis=1),
    "mean of all": lambda xp, x, y, i: xp.mean(x),
    "std": lambda xp, x, y, i: xp.std(x, axis=1),
    "std of all": lambda xp, x, y, i: xp.std(x),
    "where": lambda xp, x, y, i: xp.where(x > y, x, y),
    "minimum": lambda xp, x, y, i: xp.minimum(x, y),
    "minimum with a number": lambda xp, x, y, i: xp.minimum(x, 0.1),
    "maximum": lambda xp, x, y, i: xp.maximum(x, y),
    "clip": lambda xp, x, y, i: xp.clip(x, -0.1, 0.7),
    "exp": lambda xp, x, y, i: xp.exp(x),
    "abs": lambda xp, x, y, i: xp.abs(x),
    "sign": lambda xp, x, y, i: xp.sign(x),
    "square": lambda xp, x, y, i: xp.square(x),
    "sqrt": lambda xp, x, y, i: xp.sqrt(xp.abs(x) + 0.1),
    "cast": lambda xp, x, y, i: xp.cast(x, "int32"),
    "cast of a mask": lambda xp, x, y, i: xp.cast(x > y, "float64"),
    "reshape": lambda xp, x, y, i: xp.reshape(x, (4, 3)),
    "concatenate": lambda xp, x, y, i: xp.concatenate([x, y], axis=1),
    "cumsum": lambda xp, x, y, i: xp.cumsum(x, axis=1),
    "select": lambda xp, x, y, i: xp.select(x, i),
    "one_hot": lambda xp, x, y, i: xp.one_hot(i, 5, "float64"),
    "log_softmax": lambda xp, x, y, i: xp.log_softmax(x),
    "stop_gradient": lambda xp, x, y, i: xp.stop_gradient(x),
}

# name -> (function, gradient of its sum at X with respect to x)
GRADIENTS: dict[str, Any] = {
    "abs": (lambda xp, x, y: xp.abs(x), np.sign(X)),
    "minimum": (lambda xp, x, y: xp.minimum(x, y), (X <= Y) * 1.0),
    "maximum": (lambda xp, x, y: xp.maximum(x, y), (X >= Y) * 1.0),
    "clip": (lambda xp, x, y: xp.clip(x, 0.1, 1.5), ((X >= 0.1) & (X <= 1.5)) * 1.0),
    "stop_gradient": (lambda xp, x, y: xp.stop_gradient(x) * x, X),
    "sign": (lambda xp, x, y: xp.sign(x) * x, np.sign(X)),
}


def ops_of(framework: str) -> Any:
    return importlib.import_module(f"triptych.frameworks.{framework}.ops")


def native(framework: str, array: np.ndarray) -> Any:
    if framework == "torch":
        import torch

        return torch.from_numpy(array.copy())
    if framework == "jax":
        import jax.numpy as jnp

        import triptych.frameworks.jax.learner  # noqa: F401 (turns float64 on)

        return jnp.array(array)
    import tensorflow as tf

    return tf.constant(array)


def gradient(framework: str, function: Any, x: np.ndarray) -> np.ndarray:
    """The gradient of the sum of `function(x)`, by the framework itself."""
    if framework == "torch":
        leaf = native(framework, x).requires_grad_(True)
        function(leaf).sum().backward()
        return leaf.grad.numpy()
    if framework == "jax":
        import jax

        return np.asarray(jax.grad(lambda value: function(value).sum())(native(framework, x)))
    import tensorflow as tf

    variable = native(framework, x)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        total = tf.reduce_sum(function(variable))
    return tape.gradient(total, variable).numpy()


def check_ops(framework: str) -> None:
    """Values, integer dtypes and gradients of every operation."""
    xp = ops_of(framework)
    for name, case in CASES.items():
        expected = np.asarray(case(numpy_ops, X, Y, INDEX))
        found = np.asarray(case(xp, native(framework, X), native(framework, Y), native(framework, INDEX)))
        close(framework, f"op {name}", found, expected, 1e-14)
        assert found.dtype == expected.dtype, f"{framework}: op {name} gives {found.dtype}, expected {expected.dtype}"
    for name, (function, expected) in GRADIENTS.items():
        y = native(framework, Y)
        found = gradient(framework, lambda x, f=function, y=y: f(xp, x, y), X)
        close(framework, f"gradient of op {name}", found, expected, 1e-14)
