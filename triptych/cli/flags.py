"""The flags of a command: those of its own dataclass, and those of the recipe that they start from."""

from __future__ import annotations

import dataclasses
import functools
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tyro.conf import Positional, Suppress, UseAppendAction, arg
from tyro.constructors import MISSING_NONPROP, ConstructorRegistry, StructConstructorSpec, StructTypeInfo

from triptych.recipes import Recipe
from triptych.recipes.override import COMMON
from triptych.recipes.values import Reader, reader
from triptych.spec import KINDS, OPTIMISERS, layer_names

# Shown first in the help, in this order; the recipe's by their short names.
FIRST = (
    "env", "framework", "frameworks", "memory", "steps", "seed", "num-envs", "batch-size", "learning-rate", "device", "run-name",
)  # fmt: skip
SHORT = {path: name.replace("_", "-") for name, path in COMMON.items()} | {"env.id": "env"}  # field -> its flag
HABITS = {"steps": ("--total-timesteps",), "learning-rate": ("--lr",), "env": ("--env-id",)}  # flag -> taken as well
MORE = "more"  # the group of what is neither common nor a part of the recipe
POSITIONAL, APPENDED, HIDDEN = (typing.get_args(marked[str])[1] for marked in (Positional, UseAppendAction, Suppress))
ARG = type(arg())  # what tyro.conf.arg puts into an annotation


@dataclass(frozen=True)
class Flag:
    """One flag, or one word without a flag."""

    path: str  # where its value goes: a field of the command, or a path of the recipe
    name: str  # without dashes
    kind: Any  # the field's type
    default: Any
    help: str
    group: str = ""  # the title of its box in the help; '': the first box
    description: str = ""  # of that group
    of_recipe: bool = False
    is_positional: bool = False
    is_repeated: bool = False  # given several times, for several values
    metavar: str = ""  # '': what its reader says

    @property
    def names(self) -> tuple[str, ...]:
        """All that is typed for it, its own name first; that of config.json and Python, `--algorithm.warm-up`, too."""
        whole = f"--{self.path.replace('_', '-')}"
        others = (whole,) if self.path in SHORT and whole != f"--{self.name}" else ()
        return (f"--{self.name}", *HABITS.get(self.name, ()), *others)

    @property
    def is_switch(self) -> bool:
        return self.kind is bool

    @functools.cached_property
    def reader(self) -> Reader | None:
        return reader(self.kind)


def flags_of(command: Any, recipe: Recipe | None) -> list[Flag]:
    """Every flag of a command, the common ones first.

    Args:
        recipe: what the recipe's flags start from, where the command takes one. Its layers have two flags each, by name and
            by place.
    """
    found = [*own(command), *(of_recipe(recipe) if recipe else ())]
    if recipe is None:
        found = [dataclasses.replace(flag, group="") for flag in found]
    found = [flag for flag in found if flag.is_positional or flag.reader is not None]
    return sorted(found, key=lambda flag: FIRST.index(flag.name) if flag.name in FIRST else len(FIRST))


def fields(kind: Any) -> Iterator[tuple[str, Any, list[Any], Any, str]]:
    """Name, type, tyro's marks, default and help of each field of a dataclass, as tyro reads them."""
    spec = ConstructorRegistry.get_struct_spec(StructTypeInfo.make(kind, MISSING_NONPROP, False))
    assert isinstance(spec, StructConstructorSpec)
    for field in spec.fields:
        kind, *marks = (
            typing.get_args(field.type) if typing.get_origin(field.type) is typing.Annotated else (field.type,)
        )
        told: Callable[[], str | None] | str | None = field.helptext
        yield field.name, kind, marks, field.default, (told() if callable(told) else told) or ""


def own(command: Any) -> Iterator[Flag]:
    """A command's own flags and words."""
    for name, kind, marks, default, told in fields(command):
        if HIDDEN in marks or name == "recipe":
            continue
        said = next((mark for mark in marks if isinstance(mark, ARG)), arg())
        flag = (said.name or name).replace("_", "-")  # type: ignore[attr-defined]
        yield Flag(
            path=name,
            name=flag,
            kind=kind,
            default=default,
            help=told,
            group="" if flag in FIRST or POSITIONAL in marks else MORE,
            is_positional=POSITIONAL in marks,
            is_repeated=APPENDED in marks,
            metavar=said.metavar or "",  # type: ignore[attr-defined]
        )


def of_recipe(recipe: Recipe) -> Iterator[Flag]:
    """The flags of a recipe and its parts."""
    kinds = ", ".join(["none", *KINDS])
    told = f"what the network remembers with: {kinds}, or your own"
    yield Flag("memory", "memory", str, "the recipe's", told, of_recipe=True)
    told = f"which optimiser: {', '.join(OPTIMISERS)}; the settings that all have stay as they are"
    yield Flag("optimiser.kind", "optimiser.kind", str, recipe.optimiser.kind, told, "optimiser", of_recipe=True)
    for path, part in parts(recipe):
        description = (type(part).__doc__ or "").strip().split("\n")[0] if path else ""
        for name, kind, marks, _, told in fields(type(part)):
            where = f"{path}.{name}" if path else name
            if where == "source" or HIDDEN in marks:
                continue
            flag = SHORT.get(where, where.replace("_", "-"))
            group = "" if flag in FIRST else path.replace("_", "-") or MORE
            yield Flag(where, flag, kind, getattr(part, name), told, group, description, of_recipe=True)


def parts(recipe: Recipe) -> Iterator[tuple[str, Any]]:
    """The dataclasses that a recipe consists of, by path: itself '', `env`, `network.0`, `network.dense_1`, ..."""
    yield "", recipe
    for name in ("env", "algorithm", "optimiser"):
        yield name, getattr(recipe, name)
    for place, (name, layer) in enumerate(zip(layer_names(recipe.network), recipe.network, strict=True)):
        yield f"network.{name}", layer
        yield f"network.{place}", layer


def listed(flags: list[Flag], reads: Callable[[Flag], bool]) -> list[Flag]:
    """What the help shows: of a layer's two flags the one with its name, and of the recipe's what is read."""
    return [
        flag
        for flag in flags
        if not any(part.isdigit() for part in flag.path.split("."))
        if not flag.of_recipe or reads(flag)
    ]
