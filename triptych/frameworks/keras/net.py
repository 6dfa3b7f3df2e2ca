"""A spec as a Keras model. Pictures run channels-last, the order of the neutral weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from triptych.frameworks.keras.layers import OWN
from triptych.frameworks.keras.neural_map import MAPS
from triptych.spec import (
    Conv,
    Dense,
    Flatten,
    FrameAndDifference,
    FrameDifference,
    Network,
    Part,
    Placed,
    builder_of,
    dtypes,
    each,
    parts_of,
    whole_of,
)


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


class FrameBesideDifference(layers.Layer):
    """The newer half of the channels, light and dark swapped, beside its difference from the older half."""

    def __init__(self, layer: FrameAndDifference, **options):
        super().__init__(**options)
        self.gains = layer.picture_gain, layer.difference_gain

    def call(self, x):
        older, newer = keras.ops.split(x, 2, axis=-1)
        picture, difference = self.gains
        return keras.ops.concatenate([picture * (255 - newer), difference * (newer - older)], axis=-1)


def frame_and_difference(placed: Placed, policy: str) -> layers.Layer:
    return FrameBesideDifference(placed.layer, dtype=policy, name=placed.name)


LAYERS: dict[type, Any] = {
    Conv: conv,
    Dense: dense,
    Flatten: flatten,
    FrameDifference: difference,
    FrameAndDifference: frame_and_difference,
    **OWN,
    **MAPS,
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


def beside(part, dtype: str):
    """A part [..., n] of an observation as what it joins: in its dtype, bytes divided by 255."""
    scaled = keras.backend.standardize_dtype(part.dtype) == "uint8"
    part = keras.ops.cast(part, dtype)
    return part / 255 if scaled else part


class Beside(layers.Layer):
    """See `beside`."""

    def __init__(self, policy: str):
        super().__init__(dtype=policy, autocast=False)

    def call(self, part):
        return beside(part, self.compute_dtype)


def make_net(network: Network, precision: str) -> keras.Model:
    """The network of a spec. Called with [B, *observation] (of several parts a dict of them) it gives the head's outputs
    [B, ...]; with memory see `MemoryNet`."""
    if network.unrolls:
        return MemoryNet(network, precision)
    stored, policy = policies(precision)
    obs = inputs(network, stored)
    parts = parts_of(obs)
    x = enter(network, precision, parts[network.observation.main_name])
    for index, placed in enumerate(network.placed()):
        if index == network.scale_at:
            x = Scale(dtype=policy, name="scale")(x)
        precise = stored if placed.is_precise else policy
        if placed.joined:
            others = [Beside(precise)(parts[name]) for name in placed.joined]
            x = layers.Concatenate(axis=1, dtype=precise, name="joined")([x, *others])
        asked = [Beside(precise)(parts[placed.part])] if placed.part is not None else []
        x = builder(placed)(placed, precise)(x, *asked)
    return PartsNet(list(parts.values()), x) if network.observation.is_several else keras.Model(obs, x)


class PartsNet(keras.Model):
    """A model that is called with a dict, whose entries are its inputs in the order of their names.

    Keras' own way would give the inputs the names of the parts, which may be those of layers or hold a slash.
    """

    def __call__(self, obs):
        return super().__call__([obs[name] for name in sorted(obs)])


def inputs(network: Network, stored: str):
    """An input for each part of the observation."""
    # Keras casts what it is given to the input's dtype: float64 runs must not pass through float32.
    return each(lambda part: keras.Input(part.shape, dtype=part.taken(stored)), whole_of(network.observation.parts))


def policies(precision: str) -> tuple[str, str]:
    """Keras' dtype policies of what is precise and of all other layers."""
    stored, compute = dtypes(precision)
    return stored, stored if compute == stored else f"mixed_{compute}"


def enter(network: Network, precision: str, x):
    """The main part to what the layers multiply, pictures to channels-last before."""
    observation, (stored, policy) = network.observation.main, policies(precision)
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
        observation = network.observation
        main = parts_of(inputs(network, stored))[observation.main_name]
        self.enter = keras.Model(main, enter(network, precision, main))
        self.parts = [builder(p)(p, stored if p.is_precise else policy) for p in network.placed()]
        zeros = each(lambda part: np.zeros((1, 1, *part.shape), part.taken(stored)), whole_of(observation.parts))
        self(zeros, np.zeros((1, sum(network.state_sizes)), stored), np.ones((1, 1), bool))  # makes the weights

    def call(self, obs, state, reset):
        parts = {name: keras.ops.reshape(part, (-1, *part.shape[2:])) for name, part in parts_of(obs).items()}
        return self.through(self.enter(parts[self.network.observation.main_name]), parts, state, reset)

    def through(self, x, parts, state, reset):
        """From the main part as `enter` gives it, and the parts, both [T * B, ...]."""
        steps, batch = keras.ops.shape(reset)
        sizes, after = self.network.state_sizes, []
        states = tf.split(state, sizes, axis=1) if sizes else []
        for index, (placed, layer) in enumerate(zip(self.network.placed(), self.parts, strict=True)):
            x = x / 255 if index == self.network.scale_at else x
            if placed.joined:
                others = [beside(parts[name], layer.compute_dtype) for name in placed.joined]
                x = keras.ops.concatenate([keras.ops.cast(x, layer.compute_dtype), *others], axis=1)
            asked = [beside(parts[placed.part], layer.compute_dtype)] if placed.part is not None else []
            if placed.state_size is None:
                x = layer(x, *asked)
            else:
                x = keras.ops.reshape(x, (steps, batch, *placed.input_shape))
                asked = [keras.ops.reshape(part, (steps, batch, part.shape[-1])) for part in asked]
                x, new = layer(x, states[len(after)], reset, *asked)
                x = keras.ops.reshape(x, (-1, *placed.output_shape))
                after.append(new)
        outputs = keras.ops.reshape(x, (steps, batch, *x.shape[1:]))
        return outputs, keras.ops.concatenate(after, axis=1) if after else state


def open_front(model: keras.Model, network: Network) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """A model in two: what makes its input floats, channels-last, and the rest, which can be differentiated by them.

    The first takes the main part [B, ...], the second what the first gives, all parts, and the state and resets [B] of a
    network with memory; it gives the head's outputs [B, ...]. Both share the model's layers.
    """
    observation = network.observation
    if isinstance(model, MemoryNet):

        def through(x, parts, state, reset):
            return model.through(x, parts, tf.convert_to_tensor(state), tf.convert_to_tensor(reset[None]))[0][0]

        return model.enter, through
    entered = model.get_layer("cast").output
    by_name = dict(zip(observation.parts, model.inputs, strict=True))
    front = keras.Model(by_name[observation.main_name], entered)
    rest = keras.Model([entered, *(by_name[name] for name in observation.others)], model.output)
    return front, lambda x, parts, *_: rest([x, *(parts[name] for name in observation.others)])


def leave(part: Part, x):
    """Numbers of each entry of what `enter` gives, in the order of the part [B, *part]: the way back."""
    if not part.is_picture:
        return x
    if len(part.shape) == 4:  # in colour: (H, W, stack * 3) to (H, W, stack, 3)
        stack, height, width, colours = part.shape
        return tf.transpose(tf.reshape(x, (-1, height, width, stack, colours)), (0, 3, 1, 2, 4))
    return tf.transpose(x, (0, 3, 1, 2))


def named(model: keras.Model) -> dict[str, keras.Variable]:
    """Variables by neutral name (`conv_1/kernel`), in the order of the spec."""
    found = model.parts if isinstance(model, MemoryNet) else model.layers
    return {f"{layer.name}/{variable.name}": variable for layer in found for variable in layer.weights}


def get_weights(model: keras.Model) -> dict[str, np.ndarray]:
    return {name: variable.numpy() for name, variable in named(model).items()}


def set_weights(model: keras.Model, weights: Mapping[str, np.ndarray]) -> None:
    for name, variable in named(model).items():
        variable.assign(np.asarray(weights[name], variable.dtype))
