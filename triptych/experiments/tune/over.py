"""Which settings are searched, and over which values: `optimiser.learning_rate=1e-5..1e-2:log`, `network.dense_1.units=32,64,128`."""

from __future__ import annotations

import dataclasses
import itertools
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from triptych.experiments.tune.space import Setting
from triptych.recipes import Recipe
from triptych.recipes.override import COMMON, override
from triptych.recipes.values import Reader, Unreadable, reader
from triptych.spec import KINDS, OPTIMISERS, layer_names
from triptych.utils.checks import InputError, hint_of, shown
from triptych.utils.words import likely, nearest, plain

SHAPE = "FIELD=LOW..HIGH, FIELD=LOW..HIGH:log, or FIELD=VALUE,VALUE"
OF_BUDGET = ("steps", "episodes", "solved_at")
SINGLE = ("num_envs", "precision")  # fields of the recipe itself that may be searched
MOST_COMBINATIONS = 256  # of ends that are tried before a range is refused


def parse_space(over: Iterable[str], recipe: Recipe) -> tuple[Setting, ...]:
    """The settings that `--over` names.

    Raises:
        InputError: there is no such field, it may not be searched, or the values are none of it; the line says what is allowed.
    """
    known = searchable(recipe)
    space: list[Setting] = []
    for text in over:
        path, equals, values = text.partition("=")
        if not (path.strip() and equals and values.strip()):
            raise refused(text, SHAPE)
        found = field_named(path.strip(), text, recipe, known)
        if found in [setting.path for setting in space]:
            raise refused(text, "each field once")
        space.append(parse_values(found, values.strip(), text, known[found]))
    check_kinds(space)
    check_ends(space, recipe)
    return tuple(space)


def refused(text: str, allowed: str) -> InputError:
    return InputError(f"over is {shown(text)}; allowed: {allowed}")


def searchable(recipe: Recipe) -> dict[str, Any]:
    """The fields that may be searched, by path, and their types."""
    parts: dict[str, Any] = {"algorithm": recipe.algorithm, "optimiser": recipe.optimiser}
    parts |= {f"network.{name}": layer for name, layer in zip(layer_names(recipe.network), recipe.network, strict=True)}
    found = {
        f"{path}.{field.name}": hint_of(part.__class__, field.name)
        for path, part in parts.items()
        for field in dataclasses.fields(part)
    }
    found |= {name: hint_of(Recipe, name) for name in SINGLE} | {"memory": str, "optimiser.kind": str}
    return {path: hint for path, hint in found.items() if reader(hint) is not None}


def field_named(path: str, text: str, recipe: Recipe, known: Mapping[str, Any]) -> str:
    """The field's path with neutral names: `network.0.units`, `network.dense-1.units` and `learning-rate` are known, too."""
    path = path.replace("-", "_")
    path = COMMON.get(path, path)
    part, _, rest = path.partition(".")
    layer, dot, field = rest.partition(".")
    names = layer_names(recipe.network)
    if part == "network" and layer.isdigit() and int(layer) < len(names):
        path = f"network.{names[int(layer)]}{dot}{field}"
    if path in known:
        return path
    if part == "env":
        raise refused(text, "what leaves the game as it is, or scores would be of different tasks")
    if path in OF_BUDGET:
        raise refused(text, f"what leaves each trial the same budget; give --{path.replace('_', '-')} a value instead")
    if path == "seed":
        raise refused(text, "settings, which luck is not; --seeds-per-trial N gives each trial several seeds")
    if path in [field.name for field in dataclasses.fields(Recipe)]:
        raise refused(text, "fields that change what is learned, not how a run is kept or judged")
    parts = dict.fromkeys(name.rpartition(".")[0] or name for name in known)
    raise refused(text, f"fields of {', '.join(parts)}{near(path, known)}")


def near(path: str, known: Iterable[str]) -> str:
    """`; did you mean algorithm.gamma?`: by the whole path, or by its last part."""
    lasts = {name.rpartition(".")[2]: name for name in reversed(list(known))}
    found = nearest(path, known, 1) or [lasts[last] for last in nearest(path.rpartition(".")[2], lasts, 1)]
    return f"; did you mean {found[0]}?" if found else ""


def parse_values(path: str, values: str, text: str, hint: Any) -> Setting:
    """A range or a list of values of a field."""
    if path in ("memory", "optimiser.kind"):
        return Setting(path, text, kinds(path, values, text))
    read = reader(hint)
    assert read is not None, path
    low, dots, rest = values.partition("..")
    if not dots:
        given = tuple(read_one(read, word.split(), text) for word in values.split(",") if word.strip())
        if len(set(map(repr, given))) < 2 or len(set(map(repr, given))) < len(given):
            raise refused(text, "two values or more, each once, or LOW..HIGH")
        return Setting(path, text, given)
    high, colon, scale = rest.partition(":")
    if colon and scale != "log":
        raise refused(text, f"LOW..HIGH or LOW..HIGH:log{likely(scale, ['log'])}")
    if not number_types(hint):
        raise refused(text, f"values of {path} with commas between them: {read.metavar}")
    ends = tuple(read_one(read, [word.strip()], text) for word in (low, high))
    if None in ends or not ends[0] < ends[1]:
        raise refused(text, "LOW..HIGH with LOW below HIGH")
    if colon and ends[0] <= 0:
        raise refused(text, "a LOW above 0 with :log")
    return Setting(path, text, low=ends[0], high=ends[1], log=bool(colon), whole=number_types(hint) == {int})


def number_types(hint: Any) -> set[Any]:
    """Which of int and float a type allows; `float | None` is a float here."""
    return {int, float} & set(typing.get_args(hint) or (hint,))


def kinds(path: str, values: str, text: str) -> tuple[str, ...]:
    """Kinds of memories or optimisers."""
    known = {plain(name): name for name in (("none", *KINDS) if path == "memory" else OPTIMISERS)}
    words = [word.strip() for word in values.split(",")]
    wrong = [word for word in words if plain(word) not in known]
    if wrong or len(set(words)) < 2:
        raise refused(text, f"two or more of {', '.join(known.values())}{likely(wrong[0], known) if wrong else ''}")
    return tuple(known[plain(word)] for word in words)


def read_one(read: Reader, words: list[str], text: str) -> Any:
    try:
        return read.read(words)
    except Unreadable as error:
        raise refused(text, f"{error}; as {SHAPE}") from None


def check_kinds(space: Sequence[Setting]) -> None:
    """Refuses a field that only some of the searched optimisers or memories have."""
    paths = [setting.path for setting in space]
    for setting in space:
        kind = setting.path.removeprefix("network.").rpartition("_")[0]
        if "memory" in paths and setting.path.startswith("network.") and kind in KINDS:
            raise refused(setting.text, "beside memory no field of the layer that it replaces")
    kinds = next((setting.values for setting in space if setting.path == "optimiser.kind"), ())
    for setting in space:
        part, _, name = setting.path.rpartition(".")
        if part != "optimiser" or name == "kind":
            continue
        for kind in kinds:
            fields = [field.name for field in dataclasses.fields(OPTIMISERS[kind])]
            if name not in fields:
                raise refused(setting.text, f"beside optimiser.kind what each has, which {kind} has not")


def check_ends(space: Sequence[Setting], recipe: Recipe) -> None:
    """Refuses a range an end of which the recipe never takes, whatever the other settings are."""
    for setting in space:
        others = [other for other in space if other is not setting]
        for value in setting.ends():
            problem = None
            for rest in itertools.islice(combinations(others, recipe), MOST_COMBINATIONS):
                try:
                    override(recipe, rest | {setting.path: value})
                    problem = None
                    break
                except InputError as error:
                    problem = problem or error
            if problem is not None:
                raise InputError(f"over is {shown(setting.text)}: {problem}")


def combinations(space: Sequence[Setting], recipe: Recipe) -> Iterator[dict[str, Any]]:
    """Changes of the other settings: none first, then all combinations of their ends."""
    yield {}
    for values in itertools.product(*(setting.ends() for setting in space)):
        yield {setting.path: value for setting, value in zip(space, values, strict=True)}
