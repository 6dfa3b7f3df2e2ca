"""A spec as a Keras model. Pictures run channels-last, the order of the neutral weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from triptych.frameworks.keras.layers import OWN
from triptych.spec import Conv, Dense, Flatten, FrameDifference, Network, Placed, builder_of, dtypes


def conv(placed: Placed, policy: str) -> layers.Layer:
    layer = placed.layer
    return layers.Conv2D(
        layer.filters,
        layer.kernel,
        layer.stride,
        padding="valid",
        activation=layer.activation,
        dtype=policy,
        name=placed.name,
    )


def dense(placed: Placed, policy: str) -> layers.Layer:
    return layers.Dense(placed.layer.units, activation=placed.layer.activation, dtype=policy, name=placed.name)


def flatten(placed: Placed, policy: str) -> layers.Layer:
    return layers.Flatten(dtype=policy, name=placed.name)


class Difference(layers.Layer):
    """The newer half of the channels minus the older half."""

    def call(self, x):
        older, newer = keras.ops.split(x, 2, axis=-1)
        return newer - older


def difference(placed: Placed, policy: str) -> layers.Layer:
    return Difference(dtype=policy, name=placed.name)


LAYERS: dict[type, Any] = {
    Conv: conv,
    Dense: dense,
    Flatten: flatten,
    FrameDifference: difference,
    **OWN,
}


def builder(placed: Placed):
    """What makes a layer, one registered from outside too."""
    spec = type(placed.layer)
    return builder_of("keras", spec) or LAYERS[spec]


class Cast(layers.Layer):
    """Casts to what the layers below the head multiply."""

    def __init__(self, policy: str):
        super().__init__(dtype=policy, autocast=False, name="cast")

    def call(self, obs):
        return keras.ops.cast(obs, self.compute_dtype)


class Scale(layers.Layer):
    """Divides pixels by 255."""

    def call(self, x):
        return x / 255


def make_net(network: Network, precision: str) -> keras.Model:
    """The network of a spec. Called with [B, *observation] it gives the head's outputs [B, ...]; with memory see `MemoryNet`."""
    if network.unrolls:
        return MemoryNet(network, precision)
    stored, policy = policies(precision)
    obs = keras.Input(network.observation.shape, dtype="uint8" if network.observation.dtype == "uint8" else stored)
    x = enter(network, precision, obs)
    for index, placed in enumerate(network.placed()):
        if index == network.scale_at:
            x = Scale(dtype=policy, name="scale")(x)
        x = builder(placed)(placed, stored if placed.is_precise else policy)(x)
    return keras.Model(obs, x)


def policies(precision: str) -> tuple[str, str]:
    """Keras' dtype policies of what is precise and of all other layers."""
    stored, compute = dtypes(precision)
    return stored, stored if compute == stored else f"mixed_{compute}"


def enter(network: Network, precision: str, x):
    """Pictures to channels-last, then all to what the layers multiply."""
    observation, (stored, policy) = network.observation, policies(precision)
    if observation.is_picture:
        order = (2, 3, 1) if len(observation.shape) == 3 else (2, 3, 1, 4)
        x = layers.Permute(order, dtype=keras.DTypePolicy(stored), autocast=False, name="channels_last")(x)
        if len(observation.shape) == 4:  # in colour: (H, W, stack, 3) to (H, W, stack * 3)
            x = layers.Reshape(observation.picture_shape, autocast=False, name="channels")(x)
    return Cast(policy)(x)


class MemoryNet(keras.Model):
    """[T, B, *observation] and the state [B, S] before the first step to outputs [T, B, ...] and the state after the last.

    `reset` [T, B] says where an episode starts: the state is zeroed before that step.
    """

    def __init__(self, network: Network, precision: str):
        super().__init__(dtype=policies(precision)[0], autocast=False)
        stored, policy = policies(precision)
        self.network = network
        # Keras casts what it is given to the input's dtype: float64 runs must not pass through float32.
        obs = keras.Input(network.observation.shape, dtype="uint8" if network.observation.dtype == "uint8" else stored)
        self.enter = keras.Model(obs, enter(network, precision, obs))
        self.parts = [builder(p)(p, stored if p.is_precise else policy) for p in network.placed()]
        zeros = np.zeros((1, 1, *network.observation.shape), obs.dtype)
        self(zeros, np.zeros((1, sum(network.state_sizes)), stored), np.ones((1, 1), bool))  # makes the weights

    def call(self, obs, state, reset):
        steps, batch = keras.ops.shape(reset)
        sizes, after = self.network.state_sizes, []
        states = tf.split(state, sizes, axis=1) if sizes else []
        x = self.enter(keras.ops.reshape(obs, (-1, *obs.shape[2:])))
        for index, (placed, layer) in enumerate(zip(self.network.placed(), self.parts, strict=True)):
            x = x / 255 if index == self.network.scale_at else x
            if placed.state_size is None:
                x = layer(x)
            else:
                x = keras.ops.reshape(x, (steps, batch, *placed.input_shape))
                x, new = layer(x, states[len(after)], reset)
                x = keras.ops.reshape(x, (-1, *placed.output_shape))
                after.append(new)
        outputs = keras.ops.reshape(x, (steps, batch, *x.shape[1:]))
        return outputs, keras.ops.concatenate(after, axis=1) if after else state


def named(model: keras.Model) -> dict[str, keras.Variable]:
    """Variables by neutral name (`conv_1/kernel`), in the order of the spec."""
    found = model.parts if isinstance(model, MemoryNet) else model.layers
    return {f"{layer.name}/{variable.name}": variable for layer in found for variable in layer.weights}


def get_weights(model: keras.Model) -> dict[str, np.ndarray]:
    return {name: variable.numpy() for name, variable in named(model).items()}


def set_weights(model: keras.Model, weights: Mapping[str, np.ndarray]) -> None:
    for name, variable in named(model).items():
        variable.assign(np.asarray(weights[name], variable.dtype))
