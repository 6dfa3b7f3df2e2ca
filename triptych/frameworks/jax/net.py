"""A spec as a Flax linen module. Pictures run channels-last, the order of the neutral weights."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import jax
import numpy as np
from flax import linen as nn
from jax import numpy as jnp

from triptych.frameworks.jax.layers import OWN
from triptych.spec import Conv, Dense, Flatten, FrameDifference, Network, Placed, builder_of, dtypes

PICTURES = 32  # that a processor convolves at once: XLA's gradients of more are twice as slow, picture by picture


def conv(placed: Placed, stored: str, compute: str):
    layer = placed.layer
    sides = (layer.kernel, layer.kernel), (layer.stride, layer.stride)
    # Flax pads SAME unless told otherwise, which would be another network.
    module = nn.Conv(layer.filters, *sides, padding="VALID", dtype=compute, param_dtype=stored, name=placed.name)
    return partial(in_pieces, module) if jax.default_backend() == "cpu" else module


def in_pieces(module: nn.Module, x):
    """The module's output for the pictures [B, H, W, C], a few at a time."""
    return jnp.concatenate([module(part) for part in jnp.array_split(x, -(-len(x) // PICTURES))])


def dense(placed: Placed, stored: str, compute: str) -> nn.Module:
    return nn.Dense(placed.layer.units, dtype=compute, param_dtype=stored, name=placed.name)


def flatten(placed: Placed, stored: str, compute: str):
    return lambda x: x.reshape((x.shape[0], -1))


def subtract(x):
    """The newer half of the channels minus the older half."""
    older, newer = jnp.split(x, 2, axis=-1)
    return newer - older


def difference(placed: Placed, stored: str, compute: str):
    return subtract


LAYERS: dict[type, Any] = {
    Conv: conv,
    Dense: dense,
    Flatten: flatten,
    FrameDifference: difference,
    **OWN,
}
ACTIVATIONS = {"relu": jax.nn.relu, "linear": lambda x: x}


class Net(nn.Module):
    """The network of a spec. Applied to [B, *observation] it gives the head's outputs [B, ...].

    With memory: [T, B, *observation] and the state [B, S] before the first step to outputs [T, B, ...] and the state
    after the last. `reset` [T, B] says where an episode starts: the state is zeroed before that step.
    """

    network: Network
    precision: str

    @nn.compact
    def __call__(self, obs, state=None, reset=None):
        if state is None:
            return self.through(obs, None, None)[0]
        outputs, state = self.through(obs.reshape((-1, *obs.shape[2:])), state, reset)
        return outputs.reshape((*reset.shape, *outputs.shape[1:])), state

    def through(self, obs, state, reset):
        if self.network.observation.is_picture:
            shape = self.network.observation.picture_shape
            obs = jnp.moveaxis(obs, 1, 3).reshape((obs.shape[0], *shape))  # colours stay beside their frame
        stored, compute = dtypes(self.precision)
        ends = np.cumsum(self.network.state_sizes)[:-1]
        states, after = iter([] if state is None else jnp.split(state, ends, axis=1)), []
        x = obs
        for index, placed in enumerate(self.network.placed()):
            precision = stored if placed.is_precise else compute
            layer = builder(placed)(placed, stored, precision)
            x = x.astype(precision)
            x = x / 255 if index == self.network.scale_at else x
            if placed.state_size is None:
                x = ACTIVATIONS[placed.layer.activation](layer(x))
            else:
                x, new = layer(x.reshape((*reset.shape, *x.shape[1:])), next(states), reset)
                x = x.reshape((-1, *x.shape[2:]))
                after.append(new)
        return x, jnp.concatenate(after, axis=1) if after else state


def builder(placed: Placed):
    """What makes the module of a layer, one registered from outside too."""
    spec = type(placed.layer)
    return builder_of("jax", spec) or LAYERS[spec]


def to_neutral(tree) -> dict[str, np.ndarray]:
    """A tree of parameters (or moments) under neutral names, as copies."""
    return {f"{name}/{key}": np.array(leaf) for name, layer in tree.items() for key, leaf in layer.items()}


def to_native(weights: Mapping[str, np.ndarray], precision: str):
    """Neutral arrays as a tree of parameters (or moments) on the device."""
    tree: dict[str, dict[str, jax.Array]] = {}
    for name, array in weights.items():
        layer, key = name.split("/")
        tree.setdefault(layer, {})[key] = jnp.array(array, dtype=precision)
    return tree
