"""Layers and memory kinds by name, the user's own among them, and what builds those in each framework."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from triptych.spec.attention import Attention, VisualAttention
from triptych.spec.layers import LAYERS, LayerSpec
from triptych.spec.memory import GRU, LSTM, RNN, Memory, Stack
from triptych.spec.neural_map import NeuralMap
from triptych.utils.checks import InputError, check

Builder = Callable[..., Any] | str


BUILDERS: dict[str, dict[type[LayerSpec], Builder]] = {}  # framework -> layer -> what builds it, of those from outside


def register_memory(spec: type[Memory], **builders: Builder | None) -> None:
    """Makes a memory kind of one's own known: its spec, and one function a framework that builds it.

    What is built is called with (x [T, B, *input], state [B, S], reset [T, B]) and returns (y [T, B, *output], state [B, S]). Its parameters have the
    names of `spec.tensors`; a PyTorch module keeps those with two axes transposed, (out, in). To be known to the processes that compare, prove or
    resume, call this from the recipe's file.

    Args:
        spec: a frozen dataclass that inherits from `Memory`, with a `kind` of its own. It trains in the frameworks that
            have a function.
        builders: by framework, each a function or "module:function", which loads no framework before it is used:
            torch: `(placed) -> torch.nn.Module`;
            jax: `(placed, stored, compute) -> flax.linen.Module` named `placed.name`; `stored` is the dtype of its parameters;
            keras: `(placed, policy) -> keras.layers.Layer` named `placed.name`; `policy` is its dtype.

    Raises:
        InputError: another class or a layer has that kind.
    """
    check(issubclass(spec, Memory) and bool(spec.kind), "memory", spec.__name__, "a subclass of Memory with a kind")
    check(
        spec.kind not in LAYERS and spec.kind != "none", "memory kind", spec.kind, "one that no layer has, and not none"
    )
    keep(KINDS, spec, builders)


def register_layer(spec: type[LayerSpec], **builders: Builder | None) -> None:
    """Makes a layer without memory of one's own known, as `register_memory` does a memory kind.

    What is built is called with x [B, *input] and returns y [B, *output]: vectors, or pictures as the framework has them
    ([B, C, H, W] in PyTorch, [B, H, W, C] in JAX and Keras). `network=(..., Spec(), ...)` in a recipe puts it there.
    A spec (of a memory too) with a field `part` is given that part of the observation as the last argument; see `Placed.part`.

    Args:
        spec: a frozen dataclass that inherits from `LayerSpec`, with a `kind` of its own.
        builders: as for `register_memory`.

    Raises:
        InputError: another class or a memory has that kind.
    """
    fits = issubclass(spec, LayerSpec) and not issubclass(spec, Memory) and bool(spec.kind)
    check(fits, "layer", spec.__name__, "a subclass of LayerSpec with a kind, and none of Memory")
    check(spec.kind not in KINDS, "layer kind", spec.kind, "one that no memory has")
    keep(LAYERS, spec, builders)


def keep(kinds: dict[str, Any], spec: type[LayerSpec], builders: dict[str, Builder | None]) -> None:
    """The same class again, as from a file that is run twice, takes its own place."""
    known = kinds.setdefault(spec.kind, spec)
    check(known.__qualname__ == spec.__qualname__, "layer or memory kind", spec.kind, "one that no other class has")
    kinds[spec.kind] = spec
    for framework, builder in builders.items():
        if builder is not None:
            BUILDERS.setdefault(framework, {})[spec] = builder


def check_built(framework: str, spec: type[LayerSpec]) -> None:
    """Refuses a registered kind in a framework that nobody registered it for; imports nothing.

    Raises:
        InputError: says which frameworks there are.
    """
    others = [name for name, builders in BUILDERS.items() if spec in builders]
    check(framework in others or not others, f"the framework of {spec.kind}", framework, ", ".join(others))


def builder_of(framework: str, spec: type[LayerSpec]) -> Callable[..., Any] | None:
    """What builds a registered kind in a framework; None: it is not one of them.

    Raises:
        InputError: it was registered for other frameworks only, or what it names cannot be imported.
    """
    check_built(framework, spec)
    found = BUILDERS.get(framework, {}).get(spec)
    if not isinstance(found, str):
        return found
    module, _, name = found.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"{framework} of {spec.kind} is {found!r}: {error}; allowed: module:function that can be imported"
        ) from None


SHIPPED = (Stack, RNN, GRU, LSTM, Attention, VisualAttention, NeuralMap)
KINDS: dict[str, type[Memory]] = {kind.kind: kind for kind in SHIPPED}
