"""A recipe as plain JSON and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypedDict

from triptych import envs
from triptych.algorithms import ALGORITHMS
from triptych.recipes.recipe import Recipe
from triptych.spec import KINDS, LAYERS, OPTIMISERS
from triptych.utils.checks import check
from triptych.utils.reading import build, typed


def to_dict(config: Any) -> Any:
    """A recipe (or a part of it) as plain JSON; layers, algorithms, optimisers and environments carry their `kind`."""
    if isinstance(config, tuple):
        return [to_dict(item) for item in config]
    if not dataclasses.is_dataclass(config):
        return config
    if isinstance(config, envs.GameConfig):
        return {name: to_dict(value) for name, value in envs.as_record(config).items()}
    kind = {"kind": config.kind} if hasattr(config, "kind") else {}
    return kind | {field.name: to_dict(getattr(config, field.name)) for field in dataclasses.fields(config)}


def from_dict(content: Any, file: Any = "config.json") -> Recipe:
    """The recipe that `to_dict` wrote. It runs nothing that the recipe names: see `runs.trust`.

    Args:
        file: where it stands, for an error's line.

    Raises:
        InputError: something in it is missing, unknown, of another type or not allowed; the line names it.
    """
    given = typed(content, Written, file, "recipe")
    algorithms = {kind: found.config for kind, found in ALGORITHMS.items()}
    network = given["network"]
    layers = [of_kind({**LAYERS, **KINDS}, layer, file, f"recipe.network.{i}") for i, layer in enumerate(network)]
    parts = {
        "env": envs.from_record(given["env"], file, "recipe.env"),
        "network": tuple(layers),
        "algorithm": of_kind(algorithms, given["algorithm"], file, "recipe.algorithm"),
        # older runs had no other optimiser, and no kind
        "optimiser": of_kind(OPTIMISERS, {"kind": "adam"} | given["optimiser"], file, "recipe.optimiser"),
    }
    rest = {name: value for name, value in content.items() if name not in parts}
    rest.pop("memory", None)  # of runs from when it was a field: the network says it
    return build(Recipe, rest, file, "recipe", made=parts)


class Written(TypedDict):
    """The parts of a recipe that are of one kind or another, before it is known which."""

    env: dict[str, Any]
    network: list[dict[str, Any]]
    algorithm: dict[str, Any]
    optimiser: dict[str, Any]


def of_kind(classes: Mapping[str, Any], content: dict[str, Any], file: Any, at: str) -> Any:
    """A part of a recipe as the class that its `kind` says."""
    kind = str(content.get("kind", ""))
    check(kind in classes, f"{file}: {at}.kind", kind, ", ".join(classes))
    return build(classes[kind], {name: value for name, value in content.items() if name != "kind"}, file, at)
