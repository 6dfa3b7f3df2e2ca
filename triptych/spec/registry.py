"""Memory kinds by name, the user's own among them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from triptych.spec.attention import Attention, VisualAttention
from triptych.spec.layers import LAYERS
from triptych.spec.memory import GRU, LSTM, RNN, Memory, Stack
from triptych.utils.checks import InputError, check

Builder = Callable[..., Any] | str


BUILDERS: dict[str, dict[type[Memory], Any]] = {"torch": {}, "jax": {}, "keras": {}}  # of kinds registered from outside


def register_memory(
    spec: type[Memory], *, torch: Builder | None = None, jax: Builder | None = None, keras: Builder | None = None
) -> None:
    """Makes a memory kind of one's own known: its spec, and one function a framework that builds it.

    What is built is called with (x [T, B, *input], state [B, S], reset [T, B]) and returns (y [T, B, *output], state [B, S]). Its parameters have the
    names of `spec.tensors`; a PyTorch module keeps those with two axes transposed, (out, in). To be known to the processes that compare, prove or
    resume, call this from the recipe's file.

    Args:
        spec: a frozen dataclass that inherits from `Memory`, with a `kind` of its own. It trains in the frameworks that
            have a function.
        torch: `(placed) -> torch.nn.Module`. Each may be "module:function" too, which loads no framework before it is used.
        jax: `(placed, stored, compute) -> flax.linen.Module` named `placed.name`; `stored` is the dtype of its parameters.
        keras: `(placed, policy) -> keras.layers.Layer` named `placed.name`; `policy` is its dtype.

    Raises:
        InputError: another class or a layer has that kind.
    """
    check(issubclass(spec, Memory) and bool(spec.kind), "memory", spec.__name__, "a subclass of Memory with a kind")
    check(
        spec.kind not in LAYERS and spec.kind != "none", "memory kind", spec.kind, "one that no layer has, and not none"
    )
    known = KINDS.setdefault(spec.kind, spec)
    check(known.__qualname__ == spec.__qualname__, "memory kind", spec.kind, "one that no other class has")
    KINDS[spec.kind] = spec
    for framework, builder in (("torch", torch), ("jax", jax), ("keras", keras)):
        if builder is not None:
            BUILDERS[framework][spec] = builder


def builder_of(framework: str, spec: type[Memory]) -> Callable[..., Any] | None:
    """What builds a registered kind in a framework; None: it is not one of them.

    Raises:
        InputError: it was registered for other frameworks only, or what it names cannot be imported.
    """
    found = BUILDERS[framework].get(spec)
    others = [name for name, builders in BUILDERS.items() if spec in builders]
    check(found is not None or not others, f"a {spec.kind} memory's framework", framework, ", ".join(others))
    if not isinstance(found, str):
        return found
    module, _, name = found.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"{framework} of {spec.kind} memory is {found!r}: {error}; allowed: module:function that can be imported"
        ) from None


KINDS: dict[str, type[Memory]] = {kind.kind: kind for kind in (Stack, RNN, GRU, LSTM, Attention, VisualAttention)}
