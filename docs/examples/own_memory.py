"""A memory of one's own: a moving average whose decay is learned, on CartPole without its speeds.

    triptych train own_memory.py

A memory is a layer with a state: a row of numbers a game, zero where an episode starts, kept by whoever plays.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

import triptych
from triptych.spec import Memory, Shape


@dataclass(frozen=True)
class Average(Memory):
    """h = a h + (1 - a) x with a = sigmoid(decay). State: h."""

    kind: ClassVar[str] = "average"

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def state_size(self, shape: Shape) -> int:
        return self.vector(shape)  # its input's length; anything but a vector is refused

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        return {"decay": shape}


def in_torch(placed: Any) -> Any:
    """Called with x [T, B, D], the state [B, D] before it and reset [T, B], true where an episode starts.

    It gives y [T, B, D] and the state after the last step.
    """
    import torch

    class Module(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.decay = torch.nn.Parameter(torch.zeros(placed.input_shape))

        def forward(self, x: Any, state: Any, reset: Any) -> tuple[Any, Any]:
            a, outputs = torch.sigmoid(self.decay), []
            for now, starts in zip(x, reset, strict=True):
                state = a * state.masked_fill(starts[:, None], 0) + (1 - a) * now
                outputs.append(state)
            return torch.stack(outputs), state

    return Module()


def in_jax(placed: Any, stored: str, compute: str) -> Any:
    import jax
    from flax import linen as nn
    from jax import numpy as jnp

    class Module(nn.Module):
        @nn.compact
        def __call__(self, x: Any, state: Any, reset: Any) -> tuple[Any, Any]:
            decay = self.param("decay", nn.initializers.zeros, placed.input_shape, stored)
            a = jnp.broadcast_to(jax.nn.sigmoid(decay), state.shape)

            def step(state: Any, given: Any) -> tuple[Any, Any]:
                now, starts = given
                state = a * jnp.where(starts[:, None], 0.0, state) + (1 - a) * now
                return state, state

            state, y = jax.lax.scan(step, state, (x, reset))
            return y, state

    return Module(name=placed.name)


def in_keras(placed: Any, policy: str) -> Any:
    import keras
    import tensorflow as tf

    class Layer(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__(dtype=policy, name=placed.name)
            self.decay = self.add_weight(shape=placed.input_shape, initializer="zeros", name="decay")
            self.built = True

        def call(self, x: Any, state: Any, reset: Any) -> tuple[Any, Any]:
            a, outputs = tf.sigmoid(self.decay), []
            for now, starts in zip(tf.unstack(x), tf.unstack(reset), strict=True):
                state = a * tf.where(starts[:, None], tf.zeros_like(state), state) + (1 - a) * now
                outputs.append(state)
            return tf.stack(outputs), state

    return Layer()


triptych.register_memory(Average, torch=in_torch, jax=in_jax, keras=in_keras)

drqn = triptych.load_recipe("drqn-cartpole")
recipe = dataclasses.replace(drqn, network=(drqn.network[0], Average(), drqn.network[2]))
