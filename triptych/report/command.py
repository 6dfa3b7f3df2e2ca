"""The command line that repeats a run."""

from __future__ import annotations

import shlex
from typing import Any

from triptych.recipes import BUILT_IN, Recipe, load_recipe, with_memory
from triptych.recipes.override import COMMON
from triptych.recipes.serialise import to_dict
from triptych.spec import KINDS

SHORT = {path: name for name, path in COMMON.items()}


def repeat(recipe: Recipe, framework: str) -> str:
    """`triptych train RECIPE --framework F` with a flag for each field that differs from the nearest recipe.

    A user's own file is named, never run: it may be a stranger's. Other layers than any recipe's cannot be
    said in flags.
    """
    if recipe.source:
        command = f"triptych train {shlex.quote(recipe.source)} --framework {framework} --seed {recipe.seed}"
        return f"{command}  # as the file was then: see the settings"
    wanted = flat(to_dict(recipe))
    bases = {name: flat(to_dict(load_recipe(name))) for name in BUILT_IN}
    for name in BUILT_IN:
        recurrent = load_recipe(name)
        if recurrent.algorithm.may_remember:
            for kind in ("none", *KINDS):
                base = flat(to_dict(recurrent) | {"network": to_dict(with_memory(recurrent.network, kind))})
                bases.setdefault(f"{name} --memory {kind}", base)
    fitting = {name: base for name, base in bases.items() if shape(base) == shape(wanted)}
    if not fitting:
        return "# No flags say it: its layers or its optimiser are no recipe's. Put the settings into a recipe file of your own."
    name, differing = min(
        (
            (name, {path: value for path, value in wanted.items() if base[path] != value})
            for name, base in fitting.items()
        ),
        key=lambda pair: len(pair[1]),
    )
    flags = " ".join(flag(path, value) for path, value in differing.items())
    return f"triptych train {name} --framework {framework} {flags}".strip()


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


def flag(path: str, value: Any) -> str:
    name = "env" if path == "env.id" else SHORT.get(path, path)
    dashed = name.replace("_", "-")
    if isinstance(value, bool):
        *parents, last = dashed.split(".")
        return "--" + ".".join([*parents, last if value else f"no-{last}"])
    values = value if isinstance(value, list | tuple) else [value]
    return f"--{dashed} {' '.join(shlex.quote(str(item)) for item in values)}"
