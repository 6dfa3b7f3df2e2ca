"""A recipe as plain JSON and back."""

from __future__ import annotations

import dataclasses
from typing import Any

from triptych import envs
from triptych.algorithms import ALGORITHMS
from triptych.recipes.recipe import Recipe
from triptych.spec import KINDS, LAYERS, OPTIMISERS
from triptych.utils.checks import InputError, check


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


def from_dict(content: dict[str, Any]) -> Recipe:
    """The recipe that `to_dict` wrote. It runs nothing that the recipe names: see `runs.trust`.

    Raises:
        InputError: a field is missing or unknown.
    """
    try:
        rest = dict(content)
        rest.pop("memory", None)  # of runs from when it was a field: the network says it
        kinds = {layer["kind"] for layer in rest["network"]}
        unknown = ", ".join(sorted(kinds - {*LAYERS, *KINDS}))
        check(not unknown, "layer or memory kind", unknown, ", ".join([*LAYERS, *KINDS]))
        kind = rest["algorithm"]["kind"]
        check(kind in ALGORITHMS, "algorithm", kind, ", ".join(ALGORITHMS))
        layers = tuple(build({**LAYERS, **KINDS}, layer) for layer in rest.pop("network"))
        algorithm = build({kind: found.config for kind, found in ALGORITHMS.items()}, rest.pop("algorithm"))
        env = envs.from_record(rest.pop("env"))
        optimiser = build(OPTIMISERS, {"kind": "adam"} | rest.pop("optimiser"))  # older runs had no other, and no kind
        return Recipe(env=env, network=layers, algorithm=algorithm, optimiser=optimiser, **tuples(rest))
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"recipe in config.json: {error}; allowed: what this version of triptych wrote") from None


def tuples(content: dict[str, Any]) -> dict[str, Any]:
    """JSON knows lists only; fields are tuples."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in content.items()}


def build(classes: dict[str, Any], content: dict[str, Any]) -> Any:
    rest = tuples(content)
    kind = str(rest.pop("kind"))
    return classes[kind](**rest)
