"""What the frameworks' modules here share: layers as calls, and functions as text. Imports no framework."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

from triptych import frameworks
from triptych.report.show.copying import Text, definitions, gather
from triptych.spec import FrameAndDifference, LayerSpec, Network, Placed, builder_of
from triptych.utils.checks import check


def folder_of(framework: str) -> Path:
    """Where a framework's shipped source lies."""
    return Path(str(frameworks.__file__)).parent / framework


LAYERS = ("layers.py", "neural_map.py")  # of each framework: the layers that it has not as we need them


@cache
def shipped(framework: str) -> dict[str, str]:
    """By the class of a layer's spec, the class in LAYERS that is built for it: the tables `MODULES` there."""
    tables = [definitions(folder_of(framework) / name)["MODULES"].value for name in LAYERS]
    return {spec.id: module.id for table in tables for spec, module in zip(table.keys, table.values, strict=True)}


def class_of(framework: str, layer: LayerSpec) -> str | None:
    """The class in LAYERS that is built for a layer; None: the framework has its own, or a user brought it."""
    spec = type(layer)
    return shipped(framework).get(spec.__name__) if spec.__module__.startswith("triptych.") else None


def constructor(framework: str, placed: Placed, ours: tuple[str, ...] = (), own: tuple[str, ...] = ()) -> str:
    """The call that makes a layer: from its class in LAYERS, or by the function that a user registered for its kind.

    Args:
        ours: what a class takes after the layer's settings and tensors.
        own: what such a function takes after `placed`.
    """
    layer, tensors = placed.layer, placed.layer.tensors(placed.input_shape)
    builder = builder_of(framework, type(layer))
    if builder is not None:
        settings = [f"{field.name}={literal(getattr(layer, field.name))}" for field in fields(layer)]
        said = ", ".join([*settings, f"tensors=lambda shape: {literal(tensors)}"])
        shapes = f"input_shape={placed.input_shape}, output_shape={placed.output_shape}, state_size={placed.state_size}"
        given = f'SimpleNamespace(name="{placed.name}", layer=SimpleNamespace({said}), {shapes})'
        return f"{builder.__name__}({', '.join([given, *own])})"
    names = [field.name for field in fields(layer) if field.name != "initialiser"]
    said = ", ".join(f"{name}={literal(getattr(layer, name))}" for name in names)
    return f"{class_of(framework, layer)}({', '.join([f'SimpleNamespace({said})', literal(tensors), *ours])})"


def function(what: str, found: Callable[..., Any], into: Text | None = None) -> Text:
    """A function as text, with all that it uses.

    Raises:
        InputError: it is none that stands at the top of a file, or uses what cannot be copied.
    """
    allowed = "a function at the top of a file, to be shown as text"
    check(inspect.isfunction(found), what, found, allowed)
    file = Path(found.__code__.co_filename)
    check(file.is_file() and found.__qualname__ in definitions(file), what, found.__qualname__, allowed)
    return gather(file, {found.__name__}, into)


def beside(network: Network, name: str, cast: str) -> str:
    """A part of the observation as what it joins: `cast` is the method call that gives it that dtype."""
    scaled = " / 255" if network.observation.parts[name].dtype == "uint8" else ""
    return f'obs["{name}"].{cast}{scaled}'


def asked(network: Network, placed: Placed, cast: str, rest: str = "") -> list[str]:
    """The part of the observation that a layer is given beside x, if it asks for one; `rest` stands behind it."""
    return [f"{beside(network, placed.part, cast)}{rest}"] if placed.part else []


def frame_beside(layer: FrameAndDifference) -> str:
    """The two halves of its channels: of `older` and `newer`."""
    return f"{layer.picture_gain} * (255 - newer), {layer.difference_gain} * (newer - older)"


def literal(value: Any) -> str:
    """A value as formatted source has it."""
    text = repr(value)
    if isinstance(value, str) and '"' not in value:
        return f'"{text[1:-1]}"' if "'" not in value else f'"{value}"'
    return text.replace("'", '"') if isinstance(value, tuple | dict) else text
