"""RECIPE and the value of --env, found before the flags are known: the recipe decides what they are."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from triptych.algorithms import ALGORITHMS
from triptych.envs import KINDS as GAMES
from triptych.frameworks import FRAMEWORKS
from triptych.recipes import BUILT_IN, Recipe, load_recipe
from triptych.runs.names import run_path
from triptych.runs.records import read_settings
from triptych.spec import KINDS, LAYERS
from triptych.utils.checks import UNITS, InputError, kinds_of

SEVERAL = ("--frameworks",)  # flags with any number of them
NUMBER = r"[-+]?[\d_.]+(e[-+]?\d+)?"  # further values of a flag, as in `--env.size 40 90`


def find_recipe(command: Any, arguments: list[str]) -> Recipe:
    """The recipe whose fields the flags start from: the one named, or the one that fits `--env`."""
    name, env = scan(command, arguments)
    if name:
        run = run_path(name, value_of("--runs-dir", arguments) or "runs")
        if name not in BUILT_IN and (run / "config.json").is_file():
            return read_settings(run)
        return load_recipe(name)
    if env:
        from triptych.recipes import default_recipe, is_picture

        layout = value_of("--env.layout", arguments)
        return default_recipe(env, is_picture(env, **({"layout": layout} if layout else {})))
    if {"-h", "--help"} & set(arguments):
        return load_recipe("cartpole")
    raise InputError("RECIPE is missing; allowed: a name that `triptych recipes` lists, a Python file, or --env ID")


def value_of(flag: str, arguments: list[str]) -> str:
    """What stands behind a flag, '' where it is not given."""
    for index, argument in enumerate(arguments):
        name, _, value = argument.partition("=")
        if name == flag:
            return value or (arguments[index + 1] if index + 1 < len(arguments) else "")
    return ""


def switches(command: Any) -> dict[str, set[str]]:
    """Fields that are true or false, whose flags have no value: the command's own (under ''), and those of a recipe's parts."""
    parts: dict[str, list[Any]] = {
        "": [command, Recipe],
        "env": [kind.config for kind in GAMES],
        "algorithm": [found.config for found in ALGORITHMS.values()],
        "network": [*LAYERS.values(), *KINDS.values()],
    }
    return {
        part: {
            field.name for kind in kinds for field in dataclasses.fields(kind) if kinds_of(kind, field.name) == (bool,)
        }
        for part, kinds in parts.items()
    }


def is_switch(flag: str, known: dict[str, set[str]]) -> bool:
    """Whether no value follows a flag: `--quiet`, `--algorithm.double`, `--algorithm.no-double`, `--network.1.skip`."""
    if flag in ("-h", "--help"):
        return True
    *path, name = flag.removeprefix("--").replace("-", "_").split(".")
    return not known.get(path[0] if path else "", set()).isdisjoint({name, name.removeprefix("no_")})


def scan(command: Any, arguments: list[str]) -> tuple[str, str]:
    """RECIPE and the value of --env, before the flags are known: the recipe decides what they are."""
    name = env = flag = ""
    known = switches(command)
    for argument in arguments:
        if argument.startswith("-") and not argument[1:2].isdigit():
            flag, _, value = argument.partition("=")
            if flag == "--env":
                env = value
            if value or is_switch(flag, known):
                flag = ""
        elif flag == "--env" and not env:
            env, flag = argument, ""
        elif flag in SEVERAL and argument not in FRAMEWORKS:
            flag, name = "", name or argument
        elif flag:
            flag = flag if flag in SEVERAL else ""
        elif not name and argument not in UNITS and not re.fullmatch(NUMBER, argument):
            name = argument
    return name, env
