"""From command-line arguments to dataclasses (tyro), with errors of one line."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import re
import warnings
from typing import Any

import tyro

from triptych.algorithms import CONFIGS
from triptych.envs import KINDS as GAMES
from triptych.envs import changed
from triptych.frameworks import FRAMEWORKS
from triptych.recipes import Recipe, load_recipe
from triptych.recipes.override import unchecked_with
from triptych.spec import KINDS
from triptych.utils.checks import InputError

CONFIG = (tyro.conf.FlagCreatePairsOff,)
SEVERAL = ("--frameworks",)  # flags with any number of them
NUMBER = r"[-+]?[\d_.]+(e[-+]?\d+)?"  # further values of a flag, as in `--env.size 40 90`
MOST_LAYERS = 20  # of a network whose switches are told from flags with a value
WORDS = ("steps", "episodes", "updates")  # second words of a period, as in `--algorithm.target-every 500 steps`


def parse(command: Any, name: str, arguments: list[str], steps: int | None = None) -> Any:
    """A command's dataclass from its arguments. The recipe named there supplies the defaults of the recipe's flags.

    Args:
        steps: what `--steps` is where it is not given; None: what the recipe says.

    Raises:
        InputError: unknown flags, values that are not allowed.
    """
    if "recipe" not in {field.name for field in dataclasses.fields(command)}:
        return cli(command, name, arguments)
    recipe = find_recipe(arguments)
    if steps is not None:
        recipe = dataclasses.replace(recipe, steps=steps)
    env = value_of("--env", arguments)
    if env:  # whose kind says which settings it has
        recipe = dataclasses.replace(recipe, env=changed(recipe.env, {"id": env}))
    memory = value_of("--memory", arguments)
    if memory:  # whose own fields become flags
        recipe = unchecked_with(recipe, memory)
    return cli(command, name, arguments, default=command(recipe=recipe))


def find_recipe(arguments: list[str]) -> Recipe:
    """The recipe whose fields the flags start from: the one named, or the one that fits `--env`."""
    name, env = scan(arguments)
    if name:
        return load_recipe(name)
    if env:
        from triptych.recipes import default_recipe, is_picture

        return default_recipe(env, is_picture(env))
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


def switches() -> set[str]:
    """Flags without a value: the recipe's true-or-false fields, on and off, and the commands' own."""
    parts: list[tuple[str, Any]] = [
        *(("env", kind.config) for kind in GAMES),
        *(("algorithm", config) for config in CONFIGS.values()),
    ]
    parts += [(f"network.{index}", kind) for kind in KINDS.values() for index in range(MOST_LAYERS)]
    fields = [
        (part, field.name) for part, config in parts for field in dataclasses.fields(config) if field.type == "bool"
    ]
    found = {f"--{part}.{no}{name.replace('_', '-')}" for part, name in fields for no in ("", "no-")}
    return found | {"--json", "--quiet", "--quick", "--video", "--plain", "--profile", "-h", "--help"}


def scan(arguments: list[str]) -> tuple[str, str]:
    """RECIPE and the value of --env, before the flags are known: the recipe decides what they are."""
    name = env = flag = ""
    valueless = switches()
    for argument in arguments:
        if argument.startswith("-") and not argument[1:2].isdigit():
            flag, _, value = argument.partition("=")
            if flag == "--env":
                env = value
            if value or flag in valueless:
                flag = ""
        elif flag == "--env" and not env:
            env, flag = argument, ""
        elif flag in SEVERAL and argument not in FRAMEWORKS:
            flag, name = "", name or argument
        elif flag:
            flag = flag if flag in SEVERAL else ""
        elif not name and argument not in WORDS and not re.fullmatch(NUMBER, argument):
            name = argument
    return name, env


def cli(command: Any, name: str, arguments: list[str], **keywords: Any) -> Any:
    """Tyro, with its errors as one line."""
    errors = io.StringIO()
    try:
        with contextlib.redirect_stderr(errors), warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".* does not match any type in Union")  # a memory kind of the user's own
            return tyro.cli(command, args=arguments, prog=f"triptych {name}", config=CONFIG, **keywords)
    except SystemExit as stop:
        if not stop.code:
            raise
        raise InputError(one_line(errors.getvalue())) from None


def one_line(box: str) -> str:
    """The message of tyro's error box, without its frame and its hints."""
    lines: list[str] = []
    rows = [row.strip().strip("│╰╯").strip() for row in re.sub(r"\x1b\[[0-9;]*m", "", box).splitlines()]
    if not any(row.startswith("╭") for row in rows):  # an encoding without frames: a title, and a rule below it
        rows = rows[next((index for index, row in enumerate(rows) if is_rule(row)), -1) + 1 :]
    for row in rows:
        if is_rule(row):
            break
        if not row.startswith("╭"):
            lines.append(row)
    text = " ".join(filter(None, lines))
    number = re.match(
        r"Error parsing (--[\w.-]+): (?:invalid literal for (int)\(\).*|could not convert .*): ('.*')", text
    )
    if number:
        return f"{number[1]} is {number[3]}; allowed: a {'whole ' if number[2] else ''}number"
    union = re.match(r"Error parsing (--[\w.-]+): no type matching (.+?) could be instantiated from (\[.*?\])", text)
    if union:
        return f"{union[1]} is {union[3]}; allowed: {union[2].replace('{None}', 'None').replace('|', ' or ')}"
    several = re.match(
        r"Error parsing (--[\w.-]+): Could not parse arguments (\[.*?\]) into tuple type \w+\.Tuple\[(.*)\]", text
    )
    if several:
        return f"{several[1]} is {several[2]}; allowed: {several[3]}, with spaces between them"
    # A field's own check says what is wrong; where tyro met it is no help.
    return re.sub(r"^Error parsing recipe[\w.]*: ", "", text)


def is_rule(row: str) -> bool:
    return bool(row) and set(row) <= {"─", "-"}
