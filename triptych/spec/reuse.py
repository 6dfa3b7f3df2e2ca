"""Weights of one network in another: which tensors a word means, and which of them fit. Names and shapes alone decide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from triptych.spec.layers import Shape
from triptych.spec.network import Network
from triptych.spec.weights import Weights, initial_weights
from triptych.utils.checks import InputError, check

TAKEN = "taken"
NOT_ASKED = "fresh: not asked for"


def layer_of(tensor: str) -> str:
    """`conv_1/kernel` -> `conv_1`."""
    return tensor.partition("/")[0]


def kind_of(layer: str) -> str:
    """`conv_1` -> `conv`; the head is its own kind."""
    kind, _, number = layer.rpartition("_")
    return kind if number.isdecimal() else layer


def means(word: str, tensor: str) -> bool:
    """Whether a word means a tensor: its layer (`dense_1`, also `dense-1`), its layer's kind (`conv`), or its whole name."""
    layer, plain = layer_of(tensor), word.replace("-", "_")
    return any(plain == name.replace("-", "_") for name in (tensor, layer, kind_of(layer)))


def selected(words: Iterable[str], tensors: Iterable[str], setting: str) -> tuple[str, ...]:
    """The tensors that some words mean, in the order of the network.

    Args:
        setting: where the words come from, for the error's line.

    Raises:
        InputError: a word means none of them.
    """
    names, words = list(tensors), list(words)
    layers = list(dict.fromkeys(map(layer_of, names)))
    kinds = [kind for kind in dict.fromkeys(map(kind_of, layers)) if kind not in layers]
    for word in words:
        known = any(means(word, name) for name in names)
        check(known, setting, word, f"a layer ({', '.join(layers)}) or a kind of layer ({', '.join(kinds)})")
    return tuple(name for name in names if any(means(word, name) for word in words))


@dataclass(frozen=True)
class Reuse:
    """What a network begins with: tensors of another one where they fit, and fresh ones."""

    weights: Weights  # all of them
    origins: dict[str, str]  # of each tensor, in the order of the network: "taken", or "fresh: ..." and why

    @property
    def taken(self) -> tuple[str, ...]:
        return tuple(name for name, origin in self.origins.items() if origin == TAKEN)

    @property
    def misfits(self) -> dict[str, str]:
        """The tensors that were asked for and are fresh, and why."""
        return {name: origin for name, origin in self.origins.items() if origin not in (TAKEN, NOT_ASKED)}


def reuse(
    source: Mapping[str, np.ndarray],
    network: Network,
    rng: np.random.Generator,
    take: Iterable[str] = (),
    where: str = "",
) -> Reuse:
    """Takes a network's tensors from another one's, by name. A layer is taken whole or not at all: half of one computes nothing.

    What is fresh is drawn as if nothing had been taken: the same generator gives the same fresh tensors.

    Args:
        source: the other network's weights by neutral name.
        take: layers or kinds of layers to take; none: all that fit.
        where: the source, for an error's line.

    Raises:
        InputError: a word of `take` means no layer that both networks have, or nothing fits.
    """
    expected, words = network.tensors(), tuple(take)
    shared = [name for name in expected if name in source]
    asked = set(selected(words, shared, "take")) if words else set(expected)
    misfits = {name: why for name in expected if (why := misfit(name, expected[name], source))}
    origins = {name: origin(name, asked, misfits) for name in expected}
    if TAKEN not in origins.values():
        first = next(iter(misfits.items()), ("", ""))
        raise InputError(
            f"{where}: none of its layers fits this network ({' '.join(first)}); allowed: a network with a layer of the same name and shape"
        )
    drawn = initial_weights(network, rng)
    weights = {name: source[name] if origins[name] == TAKEN else drawn[name] for name in expected}
    return Reuse(weights, origins)


def misfit(name: str, shape: Shape, source: Mapping[str, np.ndarray]) -> str:
    """Why a tensor cannot be taken; empty where it can."""
    if name not in source:
        return "is not there"
    found = tuple(source[name].shape)
    return "" if found == shape else f"has shape {found} there, {shape} here"


def origin(name: str, asked: set[str], misfits: Mapping[str, str]) -> str:
    """Where a tensor of the new network comes from."""
    if name not in asked:
        return NOT_ASKED
    if name in misfits:
        return f"fresh: {misfits[name]}"
    other = next((other for other in misfits if layer_of(other) == layer_of(name)), None)
    return TAKEN if other is None else f"fresh: its layer does not fit ({other})"


def table(shapes: Mapping[str, Shape], origins: Mapping[str, str], frozen: Iterable[str] = ()) -> list[str]:
    """A line for each tensor: name, shape, where it comes from, and whether it is frozen."""
    names = max(map(len, shapes), default=0)
    sizes = max((len(str(shape)) for shape in shapes.values()), default=0)
    still = set(frozen)
    return [
        f"{name:{names}}  {shape!s:{sizes}}  {origins.get(name, 'fresh')}{', frozen' if name in still else ''}"
        for name, shape in shapes.items()
    ]
