"""A spec as a Keras model. Pictures run channels-last, the order of the neutral weights."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np
from keras import layers

from triptych.spec import Conv, Dense, Flatten, FrameDifference, Network, Placed, dtypes


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


LAYERS = {Conv: conv, Dense: dense, Flatten: flatten, FrameDifference: difference}


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
    """The network of a spec. Called with [B, *observation] it gives the head's outputs [B, ...]."""
    observation = network.observation
    stored, compute = dtypes(precision)
    policy = stored if compute == stored else f"mixed_{compute}"
    # Keras casts what it is given to the input's dtype: float64 runs must not pass through float32.
    obs = keras.Input(observation.shape, dtype="uint8" if observation.dtype == "uint8" else stored)
    x = obs
    if observation.is_picture:
        order = (2, 3, 1) if len(observation.shape) == 3 else (2, 3, 1, 4)
        x = layers.Permute(order, dtype=keras.DTypePolicy(stored), autocast=False, name="channels_last")(x)
        if len(observation.shape) == 4:  # in colour: (H, W, stack, 3) to (H, W, stack * 3)
            x = layers.Reshape(observation.picture_shape, autocast=False, name="channels")(x)
    x = Cast(policy)(x)
    for index, placed in enumerate(network.placed()):
        if index == network.scale_at:
            x = Scale(dtype=policy, name="scale")(x)
        x = LAYERS[type(placed.layer)](placed, stored if placed.name == "head" else policy)(x)
    return keras.Model(obs, x)


def named(model: keras.Model) -> dict[str, keras.Variable]:
    """Variables by neutral name (`conv_1/kernel`), in the order of the spec."""
    return {f"{layer.name}/{variable.name}": variable for layer in model.layers for variable in layer.weights}


def get_weights(model: keras.Model) -> dict[str, np.ndarray]:
    return {name: variable.numpy() for name, variable in named(model).items()}


def set_weights(model: keras.Model, weights: Mapping[str, np.ndarray]) -> None:
    for name, variable in named(model).items():
        variable.assign(np.asarray(weights[name], variable.dtype))
