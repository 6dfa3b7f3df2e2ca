"""What the texts of the three frameworks in this folder share. Imports no framework."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from triptych.spec import Network, Placed
from triptych.utils.checks import check


def constructor(classes: Mapping[str, str], placed: Placed, *rest: str) -> str:
    """The call that makes a layer from its class in layers.py, by kind.

    Raises:
        InputError: it is a memory of the user's own.
    """
    kind = placed.layer.kind
    check(kind in classes, "memory kind", kind, f"one of ours, to be shown as text: {', '.join(classes)}")
    names = [field.name for field in fields(placed.layer) if field.name != "initialiser"]
    settings = ", ".join(f"{name}={getattr(placed.layer, name)!r}" for name in names)
    tensors = placed.layer.tensors(placed.input_shape)
    return f"{classes[kind]}({', '.join([f'SimpleNamespace({settings})', repr(tensors), *rest])})"


def beside(network: Network, name: str, cast: str) -> str:
    """A part of the observation as what it joins: `cast` is the method call that gives it that dtype."""
    scaled = " / 255" if network.observation.parts[name].dtype == "uint8" else ""
    return f'obs["{name}"].{cast}{scaled}'
