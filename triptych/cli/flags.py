"""From command-line arguments to dataclasses (tyro), with errors of one line."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import io
import re
import warnings
from typing import Annotated, Any

import tyro
from tyro.constructors import ConstructorRegistry, StructConstructorSpec, StructTypeInfo

from triptych.cli.errors import one_line
from triptych.cli.scan import find_recipe, value_of
from triptych.envs import changed
from triptych.recipes import Recipe, with_memory
from triptych.recipes.override import COMMON, by_place
from triptych.utils.checks import InputError

CONFIG = (tyro.conf.FlagCreatePairsOff,)
SHORT = {path: name.replace("_", "-") for name, path in COMMON.items()} | {"env.id": "env"}  # field -> its flag
MARKED = "marked"  # among a type's markers: its fields have theirs


def parse(command: Any, name: str, arguments: list[str], steps: int | None = None) -> Any:
    """A command's dataclass from its arguments. The recipe named there supplies the defaults of the recipe's flags.

    Args:
        steps: what `--steps` is where it is not given; None: what the recipe says.

    Raises:
        InputError: unknown flags, values that are not allowed.
    """
    if "recipe" not in {field.name for field in dataclasses.fields(command)}:
        return cli(command, name, arguments)
    recipe = find_recipe(command, arguments)
    if steps is not None:
        recipe = dataclasses.replace(recipe, steps=steps)
    env = value_of("--env", arguments)
    if env:  # whose kind says which settings it has
        recipe = dataclasses.replace(recipe, env=changed(recipe.env, {"id": env}))
    memory = value_of("--memory", arguments)
    if memory:  # whose own fields become flags
        recipe = defaults_with(recipe, memory)
    placed = [with_place(argument, recipe) for argument in arguments]
    try:
        found = cli(command, name, placed, recipe)
        return dataclasses.replace(found, given=given(arguments, found.recipe)) if hasattr(found, "given") else found
    except InputError as error:  # in the user's own words
        raise InputError(as_typed(str(error), placed, arguments)) from None


def defaults_with(recipe: Recipe, memory: str) -> Recipe:
    """The defaults of the flags where the network has another memory. Never run: other flags may be what makes them fit."""
    changed = copy.copy(recipe)
    object.__setattr__(changed, "network", with_memory(recipe.network, memory))
    return changed


def given(arguments: list[str], recipe: Recipe) -> dict[str, Any]:
    """The recipe's fields that the flags name, by path, and what they are now: `--env.observe all` is {"env.observe": "all"}."""
    paths = {flag: path for path, flag in SHORT.items()}
    memory = value_of("--memory", arguments)
    found: dict[str, Any] = {"memory": memory} if memory else {}
    for argument in arguments:
        flag = flag_of(argument).removeprefix("--").replace("_", "-")
        *parents, last = paths.get(flag, flag).replace("-", "_").split(".")
        for name in (last, last.removeprefix("no_")):
            path = ".".join([*parents, name])
            with contextlib.suppress(LookupError, TypeError, ValueError):
                if argument.startswith("--") and path != "memory":
                    found[path] = value_at(recipe, by_place(path, recipe.network))
                    break
    return found


def value_at(config: Any, path: str) -> Any:
    """What stands at a path of fields and places of layers.

    Raises:
        LookupError: there is no such field.
    """
    for name in path.split("."):
        if isinstance(config, tuple):
            config = config[int(name)]
        else:
            config = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}[name]
    return config


def with_place(argument: str, recipe: Recipe) -> str:
    """`--network.lstm-1.units` as the flag that it stands for, `--network.5.units`; anything else as it is."""
    flag = flag_of(argument)
    if not re.match(r"--network\.[a-zA-Z]", flag):
        return argument
    return f"--{by_place(flag.removeprefix('--'), recipe.network)}{argument[len(flag) :]}"


def as_typed(said: str, placed: list[str], arguments: list[str]) -> str:
    """A message that names flags by the words that the user chose."""
    for ours, typed in zip(placed, arguments, strict=True):
        if ours != typed:
            either = "[-_]".join(map(re.escape, re.split("[-_]", flag_of(ours))))  # tyro takes both, and tells one
            said = re.sub(rf"{either}(?![\w.-])", flag_of(typed).replace("\\", r"\\"), said)
    return said


def flag_of(argument: str) -> str:
    return argument.partition("=")[0]


def marks(recipe: Recipe) -> dict[type, dict[str, Any]]:
    """What tyro must know of the fields of a recipe and its parts, as they themselves know nothing of flags."""
    found: dict[type, dict[str, Any]] = {
        type(recipe): {"network": tyro.conf.AvoidSubcommands, "source": tyro.conf.Suppress}
    }
    for path, short in SHORT.items():
        part, field = path.split(".")
        found.setdefault(type(getattr(recipe, part)), {})[field] = tyro.conf.arg(name=short, prefix_name=False)
    return found


def rules(known: dict[type, dict[str, Any]]) -> ConstructorRegistry:
    """Has tyro read the classes as it reads any dataclass, each field with its mark."""
    registry = ConstructorRegistry()

    @registry.struct_rule
    def with_marks(info: StructTypeInfo) -> StructConstructorSpec | None:
        if info.type not in known or MARKED in info.markers:
            return None
        spec = ConstructorRegistry.get_struct_spec(dataclasses.replace(info, markers=(*info.markers, MARKED)))
        if not isinstance(spec, StructConstructorSpec):
            return None
        marked = known[info.type]
        types: dict[str, Any] = {
            field.name: Annotated[field.type, marked[field.name]] if field.name in marked else field.type
            for field in spec.fields
        }
        fields = tuple(dataclasses.replace(field, type=types[field.name]) for field in spec.fields)
        return dataclasses.replace(spec, fields=fields)

    return registry


def cli(command: Any, name: str, arguments: list[str], recipe: Recipe | None = None) -> Any:
    """Tyro, with its errors as one line; the recipe, where the command takes one, is what its flags start from."""
    errors = io.StringIO()
    keywords = {} if recipe is None else {"default": command(recipe=recipe)}
    try:
        with rules(marks(recipe) if recipe else {}), contextlib.redirect_stderr(errors), warnings.catch_warnings():
            for what in ("does not match any type in Union", "network. is annotated with type"):  # a user's own layers
                warnings.filterwarnings("ignore", f".*{what}")
            return tyro.cli(command, args=arguments, prog=f"triptych {name}", config=CONFIG, **keywords)
    except SystemExit as stop:
        if not stop.code:
            raise
        raise InputError(one_line(errors.getvalue())) from None
