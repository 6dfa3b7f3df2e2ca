"""A recipe with other values, and a recipe as plain JSON and back."""

from __future__ import annotations

import copy
import dataclasses
from dataclasses import dataclass
from typing import Any

from triptych.algorithms import CONFIGS
from triptych.envs import EnvConfig
from triptych.recipes import Recipe, load_recipe, with_memory
from triptych.spec import KINDS, LAYERS, OPTIMISERS
from triptych.utils.checks import InputError, check
from triptych.utils.console import warn

COMMON = {  # short names that stand for a nested field
    "batch_size": "algorithm.batch_size",
    "warm_up": "algorithm.warm_up",
    "learning_rate": "optimiser.learning_rate",
}


def override(recipe: Recipe, changes: dict[str, Any]) -> Recipe:
    """The recipe with other values, by field name, common short name or dotted path (`algorithm.gamma`).

    `env` may be a Gymnasium id.

    Raises:
        InputError: there is no such field, or the value is not allowed.
    """
    if changes.get("memory") is not None:  # first: other changes may be of what it puts there
        recipe, changes = unchecked_with(recipe, changes["memory"]), {**changes, "memory": None}
    tree: dict[str, Any] = {}
    for path, value in changes.items():
        name = "env.id" if path == "env" and isinstance(value, str) else COMMON.get(path, path)
        *parents, last = name.split(".")
        branch = tree
        for key in parents:
            branch = branch.setdefault(key, {})
        branch[last] = Leaf(value)
    return replace_all(recipe, tree, "")


def unchecked_with(recipe: Recipe, memory: str) -> Recipe:
    """The recipe with another memory, which may not fit before other changes are made too."""
    changed = copy.copy(recipe)
    object.__setattr__(changed, "network", with_memory(recipe.network, memory))
    return changed


@dataclass(frozen=True)
class Leaf:
    """A new value, told from a branch of the tree of changes."""

    value: Any


def replace_all(config: Any, tree: dict[str, Any] | Leaf, path: str) -> Any:
    """The dataclass or tuple with every change below it made at once, so that only the result is checked."""
    if isinstance(tree, Leaf):
        return tree.value
    if isinstance(config, tuple):
        items = list(config)
        for key, branch in tree.items():
            check(key.isdigit() and int(key) < len(items), f"{path}{key}", key, f"0 to {len(items) - 1}")
            items[int(key)] = replace_all(items[int(key)], branch, f"{path}{key}.")
        return tuple(items)
    names = [field.name for field in dataclasses.fields(config)] if dataclasses.is_dataclass(config) else []
    for key in tree:
        if key not in names:
            raise InputError(f"field is {path + key!r}; allowed: {', '.join(names) or 'nothing below it'}")
    new = {key: replace_all(getattr(config, key), branch, f"{path}{key}.") for key, branch in tree.items()}
    return dataclasses.replace(config, **new)


def to_dict(config: Any) -> Any:
    """A recipe (or a part of it) as plain JSON; layers, algorithms and optimisers carry their `kind`."""
    if isinstance(config, tuple):
        return [to_dict(item) for item in config]
    if not dataclasses.is_dataclass(config):
        return config
    kind = {"kind": config.kind} if hasattr(config, "kind") else {}
    return kind | {field.name: to_dict(getattr(config, field.name)) for field in dataclasses.fields(config)}


def from_dict(content: dict[str, Any], own: bool = False) -> Recipe:
    """The recipe that `to_dict` wrote.

    Args:
        own: a recipe of the user's own runs, so that the file it came from may be run to know a memory kind.

    Raises:
        InputError: a field is missing or unknown.
    """
    try:
        rest = dict(content)
        kinds = {layer["kind"] for layer in rest["network"]}
        unknown = ", ".join(sorted(kinds - {*LAYERS, *KINDS}))
        if unknown and own and rest.get("source"):
            warn(f"memory kind {unknown} is not known: running {rest['source']}, which the recipe came from")
            load_recipe(rest["source"])
            unknown = ", ".join(sorted(kinds - KINDS.keys() - LAYERS.keys()))
        check(not unknown, "layer or memory kind", unknown, ", ".join([*LAYERS, *KINDS]))
        layers = tuple(build({**LAYERS, **KINDS}, layer) for layer in rest.pop("network"))
        algorithm = build(CONFIGS, rest.pop("algorithm"))
        optimiser = build(OPTIMISERS, {"kind": "adam"} | rest.pop("optimiser"))  # older runs had no other, and no kind
        env = EnvConfig(**tuples(rest.pop("env")))
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
