"""The settings of a recipe as the flags of a file that trains."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from triptych.recipes import Recipe
from triptych.report.show.loops.choose import settings_of
from triptych.report.show.text import literal
from triptych.utils.checks import as_period

RENAMED = {"adam": {"epsilon": "adam_epsilon"}, "rmsprop": {"decay": "rms_decay", "epsilon": "rms_epsilon"}}


ABOVE_0 = "min(args.steps, args.num_envs) > 0 <= args.seed"
SAID = "allowed: --steps and --num-envs above 0, --seed 0 or more"

CONSTANTS = ("beta_1", "beta_2", "adam_epsilon", "rms_decay", "rms_epsilon", "delta", "evaluate_steps")


def with_constants(recipe: Recipe, body: str) -> str:
    """The text with the values of settings that are hardly ever changed in place of their flags."""
    for of, renamed in sources(recipe):
        for field in fields(of):
            name = renamed.get(field.name, field.name)
            if name in CONSTANTS:
                value = literal(getattr(of, field.name))
                body = re.sub(rf"\b(self\.)?args\.{name}\b", lambda found, value=value: value, body)  # type: ignore[misc]
    return body


def sources(recipe: Recipe) -> list[tuple[Any, dict[str, str]]]:
    """What has settings, and those of them that are called otherwise in a file."""
    return [(recipe, {}), (recipe.algorithm, {}), (recipe.optimiser, RENAMED[recipe.optimiser.kind])]


def parse_args(recipe: Recipe, body: str) -> str:
    """The function that reads the flags, one for each setting that `body` reads; by default they are the recipe's."""
    read = set(re.findall(r"\bargs\.(\w+)", body))
    lines = [line for name, line in flags(recipe) if name in read]
    return "\n".join(
        [
            "def parse_args():",
            "    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])",
            "    add = parser.add_argument",
            *(f"    {line}" for line in lines),
            "    args = parser.parse_args()",
            f'    return args if {ABOVE_0} else parser.error("{SAID}")',
        ]
    )


def flags(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """Each setting's name, and the line of its flag."""
    for of, renamed in sources(recipe):
        for field in fields(of):
            name = renamed.get(field.name, field.name)
            yield name, flag(name, of, field.name)
    yield "track", 'add("--track", choices=("tensorboard", "wandb"), help="follow the run with it, too")'
    yield "runs_dir", 'add("--runs-dir", default="runs", help="where the run\'s folder is made")'


def unit_of(recipe: Recipe, name: str) -> str:
    """What the periods of `target_every` or `evaluate_every` count: steps, updates or episodes."""
    period = settings_of(recipe.algorithm).get("target_every") if name == "target" else recipe.evaluate_every
    return (as_period(period) or (0, "steps"))[1]


def flag(name: str, of: Any, field: str) -> str:
    """A flag of the same name as a setting."""
    value, said = getattr(of, field), comment(of, field)
    if field.endswith("_every") and isinstance(value, tuple):
        value, unit = value
        said = f"{unit}: {said}"
    kind = "float" if "float" in str(next(one.type for one in fields(of) if one.name == field)) else "int"
    return f'add("--{name.replace("_", "-")}", type={kind}, default={literal(value)}, help={literal(said)})'


def comment(of: Any, field: str) -> str:
    """What stands behind a setting in the source, which is what it means; of several sentences or parts the first."""
    for kind in type(of).__mro__[:-1]:
        if found := re.search(rf"(?:# (.*)\n)?    {field}: [^#\n]*(?:# (.*))?\n", inspect.getsource(kind)):
            said = found[2] or found[1] or field.replace("_", " ")
            return re.split(r"[;:(]", said)[0].strip().replace("%", "%%")
    return field.replace("_", " ")
