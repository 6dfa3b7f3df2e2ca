"""A spec as a Flax linen module. Pictures run channels-last, the order of the neutral weights."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import jax
import numpy as np
from flax import linen as nn
from jax import numpy as jnp
from jax.export import is_symbolic_dim

from triptych.frameworks.jax.layers import OWN
from triptych.frameworks.jax.neural_map import MAPS
from triptych.spec import (
    Conv,
    Dense,
    Flatten,
    FrameAndDifference,
    FrameDifference,
    Network,
    Placed,
    builder_of,
    dtypes,
    each,
    parts_of,
)


def conv(placed: Placed, stored: str, compute: str):
    layer = placed.layer
    sides = (layer.kernel, layer.kernel), (layer.stride, layer.stride)
    # Flax pads SAME unless told otherwise, which would be another network.
    return nn.Conv(layer.filters, *sides, padding="VALID", dtype=compute, param_dtype=stored, name=placed.name)


def in_pieces(module: nn.Module, most: int, x):
    """The module's output for the pictures [B, H, W, C], so many at a time; where B is left open, all at once."""
    if is_symbolic_dim(x.shape[0]):
        return module(x)
    return jnp.concatenate([module(part) for part in jnp.array_split(x, -(-len(x) // most))])


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


def swap_and_subtract(layer: FrameAndDifference, x):
    """The newer half of the channels, light and dark swapped, beside its difference from the older half."""
    older, newer = jnp.split(x, 2, axis=-1)
    parts = [layer.picture_gain * (255 - newer), layer.difference_gain * (newer - older)]
    return jnp.concatenate(parts, axis=-1)


def frame_and_difference(placed: Placed, stored: str, compute: str):
    return partial(swap_and_subtract, placed.layer)


LAYERS: dict[type, Any] = {
    Conv: conv,
    Dense: dense,
    Flatten: flatten,
    FrameDifference: difference,
    FrameAndDifference: frame_and_difference,
    **OWN,
    **MAPS,
}
ACTIVATIONS = {"relu": jax.nn.relu, "tanh": jax.numpy.tanh, "linear": lambda x: x}


class Net(nn.Module):
    """The network of a spec. Applied to [B, *observation] (of several parts a dict of them) it gives the head's outputs [B, ...].

    With memory: [T, B, *observation] and the state [B, S] before the first step to outputs [T, B, ...] and the state
    after the last. `reset` [T, B] says where an episode starts: the state is zeroed before that step.
    """

    network: Network
    precision: str
    pieces: int | None = None  # pictures that are convolved at once; None: all

    @nn.compact
    def __call__(self, obs, state=None, reset=None):
        if state is None:
            return self.through(obs, None, None)[0]
        obs = each(lambda part: part.reshape((-1, *part.shape[2:])), obs)
        outputs, state = self.through(obs, state, reset)
        return outputs.reshape((*reset.shape, *outputs.shape[1:])), state

    def through(self, obs, state, reset):
        observation, parts = self.network.observation, parts_of(obs)
        x = parts[observation.main_name]
        if observation.is_picture:
            x = jnp.moveaxis(x, 1, 3).reshape(
                (x.shape[0], *observation.main.picture_shape)
            )  # colours beside their frame
        stored, compute = dtypes(self.precision)
        ends = np.cumsum(self.network.state_sizes)[:-1]
        states, after = iter([] if state is None else jnp.split(state, ends, axis=1)), []
        for index, placed in enumerate(self.network.placed()):
            precision = stored if placed.is_precise else compute
            layer = builder(placed)(placed, stored, precision)
            if self.pieces and isinstance(placed.layer, Conv):
                layer = partial(in_pieces, layer, self.pieces)
            x = x.astype(precision)
            x = x / 255 if index == self.network.scale_at else x
            if placed.joined:
                x = jnp.concatenate([x, *(beside(parts[name], x.dtype) for name in placed.joined)], axis=1)
            asked = [beside(parts[placed.part], x.dtype)] if placed.part is not None else []
            if placed.state_size is None:
                x = ACTIVATIONS[placed.layer.activation](layer(x, *asked))
            else:
                asked = [part.reshape((*reset.shape, *part.shape[1:])) for part in asked]
                x, new = layer(x.reshape((*reset.shape, *x.shape[1:])), next(states), reset, *asked)
                x = x.reshape((-1, *x.shape[2:]))
                after.append(new)
        return x, jnp.concatenate(after, axis=1) if after else state


def beside(part, dtype):
    """A part [B, n] of an observation as what it joins: in its dtype, bytes divided by 255."""
    return part.astype(dtype) / 255 if part.dtype == jnp.uint8 else part.astype(dtype)


def builder(placed: Placed):
    """What makes the module of a layer, one registered from outside too."""
    spec = type(placed.layer)
    return builder_of("jax", spec) or LAYERS[spec]


def parted(tree, names) -> tuple[Any, Any]:
    """A tree of parameters (or moments) in two: all but the tensors of these neutral names, and those."""
    if not names:
        return tree, {}
    rest: dict[str, dict[str, Any]] = {}
    those: dict[str, dict[str, Any]] = {}
    for layer, tensors in tree.items():
        for key, leaf in tensors.items():
            (those if f"{layer}/{key}" in names else rest).setdefault(layer, {})[key] = leaf
    return rest, those


def together(first, second):
    """Two trees as one."""
    if not (first and second):
        return first or second
    return {layer: {**first.get(layer, {}), **second.get(layer, {})} for layer in dict.fromkeys([*first, *second])}


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
