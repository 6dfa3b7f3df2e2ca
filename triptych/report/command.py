"""The command line that repeats a run."""

from __future__ import annotations

import shlex
from typing import Any

from triptych.recipes import BUILT_IN, COMMON, Recipe, load_recipe, to_dict

SHORT = {path: name for name, path in COMMON.items()}


def repeat(recipe: Recipe, framework: str) -> str:
    """`triptych train RECIPE --framework F` with a flag for each field that differs from the nearest recipe."""
    if recipe.source:
        name, base = recipe.source, flat(to_dict(load_recipe(recipe.source)))
        differing = differences(base, flat(to_dict(recipe)))
    else:
        wanted = flat(to_dict(recipe))
        name, differing = min(
            ((name, differences(flat(to_dict(load_recipe(name))), wanted)) for name in BUILT_IN),
            key=lambda pair: len(pair[1]),
        )
    flags = " ".join(flag(path, value) for path, value in differing.items())
    return f"triptych train {shlex.quote(name)} --framework {framework} {flags}".strip()


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


def differences(base: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """What of `wanted` is not in `base`; fields that one of them lacks (other layers) count too."""
    missing = {path: None for path in base if path not in wanted}
    return missing | {path: value for path, value in wanted.items() if path not in base or base[path] != value}


def flag(path: str, value: Any) -> str:
    name = "env" if path == "env.id" else SHORT.get(path, path)
    dashed = name.replace("_", "-")
    if isinstance(value, bool):
        *parents, last = dashed.split(".")
        return "--" + ".".join([*parents, last if value else f"no-{last}"])
    values = value if isinstance(value, list | tuple) else [value]
    return f"--{dashed} {' '.join(shlex.quote(str(item)) for item in values)}"
