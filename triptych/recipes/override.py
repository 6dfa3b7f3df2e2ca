"""A recipe with other values."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from triptych import envs
from triptych.envs import fitted
from triptych.recipes.recipe import Recipe, with_algorithm, with_kind, with_memory
from triptych.spec import Layer, layer_names
from triptych.utils.checks import InputError, check
from triptych.utils.words import nearest

COMMON = {  # short names that stand for a nested field
    "batch_size": "algorithm.batch_size",
    "warm_up": "algorithm.warm_up",
    "learning_rate": "optimiser.learning_rate",
    "workers": "algorithm.workers",
}


def override(recipe: Recipe, changes: dict[str, Any]) -> Recipe:
    """The recipe with other values, by field name, common short name or dotted path (`algorithm.gamma`).

    `env` may be a Gymnasium id; `memory` is the network's: none, stack, rnn, gru, lstm, attention, visual_attention, neural_map, or one's own. A layer is said by its place or its name (`network.5.units`, `network.lstm_1.units`).
    `optimiser.kind` is adam or rmsprop; learning rate, its end and the gradient's limit stay. `algorithm` may be a kind that shares the recipe's settings, which stay.

    Raises:
        InputError: there is no such field, or the value is not allowed.
    """
    changes = dict(changes)
    memory = changes.pop("memory", None)  # first: other changes may be of what it puts there
    kind = changes.pop("optimiser.kind", None)
    named = changes.pop("algorithm") if isinstance(changes.get("algorithm"), str) else None
    body = recipe.network if memory is None else with_memory(recipe.network, memory)
    optimiser = recipe.optimiser if kind is None else with_kind(recipe.optimiser, kind)
    algorithm = recipe.algorithm if named is None else with_algorithm(recipe.algorithm, named)
    tree: dict[str, Any] = {"network": {}} if memory is not None else {}
    tree |= {"optimiser": {}} if kind is not None else {}
    tree |= {"algorithm": {}} if named is not None else {}
    for path, value in changes.items():
        name = "env.id" if path == "env" and isinstance(value, str) else COMMON.get(path, path)
        *parents, last = by_place(name, body).split(".")
        branch = tree
        for key in parents:
            branch = branch.setdefault(key, {})
            check(not isinstance(branch, Leaf), "changes", path, f"either {key} as a whole or fields of it")
        check(last not in branch, "changes", path, f"either {last} as a whole or fields of it")
        branch[last] = Leaf(value)
    names = [field.name for field in dataclasses.fields(recipe)]
    for key in tree:
        if key not in names:
            raise InputError(f"field is {key!r}; {meant(key, [*names, 'memory'])}")
    now = {name: getattr(recipe, name) for name in names}
    now |= {"network": body, "optimiser": optimiser, "algorithm": algorithm}
    return settled(
        dataclasses.replace(recipe, **{key: replace_all(now[key], branch, f"{key}.") for key, branch in tree.items()})
    )


def settled(recipe: Recipe) -> Recipe:
    """The recipe with its game's config of the kind that its id is of, which `dataclasses.replace` of an id may have left."""
    env = fitted(recipe.env)
    return recipe if env == recipe.env else dataclasses.replace(recipe, env=env)


def by_place(path: str, body: tuple[Layer, ...]) -> str:
    """A path with the place of the layer that it names: `network.lstm_1.units` -> `network.5.units`, or `lstm-1`, as flags are spelled.

    Raises:
        InputError: there is no such layer.
    """
    part, _, rest = path.partition(".")
    layer, dot, field = rest.partition(".")
    if part != "network" or not layer:
        return path
    names = layer_names(body)
    spelled = [name.replace("-", "_") for name in names]
    if layer.replace("-", "_") in spelled:
        return f"network.{spelled.index(layer.replace('-', '_'))}{dot}{field}"
    found = layer.isdigit() and int(layer) < len(names)
    check(found, "layer", layer, f"{', '.join(names)}, or by place 0 to {len(names) - 1}" if names else "none")
    return path


@dataclass(frozen=True)
class Leaf:
    """A new value, told from a branch of the tree of changes."""

    value: Any


def meant(key: str, names: list[str], path: str = "") -> str:
    """What is said of a field that is not there: the one that was probably meant, or else all."""
    near = nearest(key, names, 1)
    return f"did you mean {path}{near[0]}?" if near else f"allowed: {', '.join(names) or 'nothing below it'}"


def replace_all(config: Any, tree: dict[str, Any] | Leaf, path: str) -> Any:
    """The dataclass or tuple with every change below it made at once, so that only the result is checked."""
    if isinstance(tree, Leaf):
        return tree.value
    if isinstance(config, envs.GameConfig):  # whose other settings are those of its id's kind
        return envs.changed(config, {key: replace_all(None, branch, f"{path}{key}.") for key, branch in tree.items()})
    if isinstance(config, tuple):
        items = list(config)
        for key, branch in tree.items():
            check(key.isdigit() and int(key) < len(items), f"{path}{key}", key, f"0 to {len(items) - 1}")
            items[int(key)] = replace_all(items[int(key)], branch, f"{path}{key}.")
        return tuple(items)
    names = [field.name for field in dataclasses.fields(config)] if dataclasses.is_dataclass(config) else []
    for key in tree:
        if key not in names:
            raise InputError(f"field is {path + key!r}; {meant(key, names, path)}")
    new = {key: replace_all(getattr(config, key), branch, f"{path}{key}.") for key, branch in tree.items()}
    return dataclasses.replace(config, **new)
