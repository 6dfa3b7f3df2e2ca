"""The command line that repeats a run."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NotRequired, TypedDict

from triptych.envs.config import GameConfig, names
from triptych.recipes import BUILT_IN, Recipe, load_recipe, with_memory
from triptych.recipes.override import COMMON
from triptych.recipes.serialise import to_dict
from triptych.spec import KINDS
from triptych.utils.checks import InputError
from triptych.utils.console import plain
from triptych.utils.reading import typed

SHORT = {path: name for name, path in COMMON.items()}


class Grew(TypedDict):
    """How a network grew, as config.json tells it."""

    wider: dict[str, int]
    deeper: list[str]


class Switch(TypedDict):
    """A network that a run went on with."""

    growth: NotRequired[Grew | None]


def with_switches(command: str, config: dict[str, Any] | None) -> str:
    """A run's command, and below it a comment for each other network that it went on with: no command of one line repeats that."""
    changes = [change for change in (config or {}).get("changes", []) if "network" in change]
    told = [f"# At step {change['step']:,} the run {went_on(change['network'])}." for change in changes]
    if not told:
        return command
    first = "# The layers in the command are the last ones."
    return "\n".join([command, *told, first])


def went_on(network: Any) -> str:
    """In a comment. The file may be a stranger's: what it names stays within the line.

    Raises:
        InputError: it is not what a config.json says of a network.
    """
    growth = typed(network, Switch, "config.json", "changes.network").get("growth")
    if not growth:
        return "went on with another network: triptych resume RUN --network RECIPE"
    wider = [f"--wider {name}={units}" for name, units in growth["wider"].items()]
    words = [*wider, *(f"--deeper {name}" for name in growth["deeper"])]
    return f"grew: triptych grow RUN {plain(shlex.join(words))}, then triptych resume RUN --network FILE"


def repeat(recipe: Recipe, framework: str, more: Sequence[str] = ()) -> str:
    """`triptych train RECIPE --framework F` with a flag for each field that differs from the nearest recipe, and `more` words.

    A user's own file is named, never run: it may be a stranger's. Other layers than any recipe's cannot be
    said in flags.
    """
    start = ["triptych", "train"]
    if recipe.source:
        command = shlex.join(
            [*start, given(recipe.source), "--framework", framework, "--seed", str(recipe.seed), *more]
        )
        return f"{command}  # as the file was then: see the settings"
    wanted = flat(to_dict(recipe))
    env: Any = type(recipe.env)
    fitting = {name: base for name, base in bases(env, recipe.env.id).items() if shape(base) == shape(wanted)}
    if not fitting:
        return "# No flags say it: its layers or its optimiser are no recipe's. Put the settings into a recipe file of your own."
    name, differing = min(
        (
            (name, {path: value for path, value in wanted.items() if base[path] != value})
            for name, base in fitting.items()
        ),
        key=lambda found: len(found[1]),
    )
    flags = [word for path, value in differing.items() for word in flag(path, value)]
    return shlex.join([*start, *name.split(), "--framework", framework, *flags, *more])


@lru_cache(maxsize=32)  # of the runs of a page, most play the same game
def bases(env: Any, game: str) -> dict[str, dict[str, Any]]:
    """The settings that each recipe begins with where its game is that one, by what names it: recipe and `--memory`.

    Args:
        env: the class of the game's settings.
    """
    found: dict[str, dict[str, Any]] = {}
    for name in BUILT_IN:
        shipped = load_recipe(name)
        found[name] = settings_in(shipped, env, game)
        if shipped.algorithm.may_remember:
            for kind in ("none", *KINDS):
                remembering = dataclasses.replace(shipped, network=with_memory(shipped.network, kind))
                found.setdefault(f"{name} --memory {kind}", settings_in(remembering, env, game))
    return found


def settings_in(shipped: Recipe, kind: type[GameConfig], game: str) -> dict[str, Any]:
    """A shipped recipe's settings in another game, as `--env` makes them, but under its own id, which is a flag.

    The id is not looked up: it was read, and may name a stranger's module. Its kind stands in its config.
    """
    if type(shipped.env) is kind:
        return flat(to_dict(shipped))
    shared = {name: getattr(shipped.env, name) for name in names(shipped.env) & names(kind)}
    try:
        there = kind(**shared | {"id": game})
    except InputError:  # values that do not fit that kind
        return flat(to_dict(shipped))
    return flat(to_dict(dataclasses.replace(shipped, env=there))) | {"env.id": shipped.env.id}


def shape(settings: dict[str, Any]) -> dict[str, Any]:
    """The fields there are, and of which kind layers, algorithm and optimiser are."""
    return {path: value if path.endswith("kind") else None for path, value in settings.items()}


def flat(tree: Any, path: str = "") -> dict[str, Any]:
    """Dotted paths to leaves; tuples of numbers and words are leaves."""
    if isinstance(tree, dict):
        items = tree.items()
    elif isinstance(tree, list) and tree and isinstance(tree[0], dict):
        items = {str(index): value for index, value in enumerate(tree)}.items()
    else:
        return {path: tree}
    found: dict[str, Any] = {}
    for key, value in items:
        found |= flat(value, f"{path}.{key}" if path else key)
    return found


def flag(path: str, value: Any) -> list[str]:
    """A setting as words of a command line, unquoted."""
    name = "env" if path == "env.id" else SHORT.get(path, path)
    dashed = name.replace("_", "-")
    if isinstance(value, bool):
        *parents, last = dashed.split(".")
        return ["--" + ".".join([*parents, last if value else f"no-{last}"])]
    if isinstance(value, list | tuple):
        return [f"--{dashed}", *map(str, value)]
    # With = also what begins with a dash is a value.
    return [f"--{dashed}={value}"] if str(value).startswith("-") else [f"--{dashed}", str(value)]


def given(file: str) -> str:
    """A file's path as an argument: one that begins with a dash would be a flag."""
    return f"./{file}" if file.startswith("-") else file
