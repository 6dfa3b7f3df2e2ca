"""Flags and arguments through tyro: what was given, or the help.

Tyro reads the arguments, writes the help and fits it to the terminal. What it reads them into is made here, of flags that are
known only once the recipe is: a TypedDict none of whose keys must be there, so that what was not given is not there. Each
flag has a reader of ours (`values`), which says itself what is allowed. So nothing is read from tyro's error box: what is
left of its own errors is a flag without a value, and words that no flag takes, which it hands back.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
from functools import partial
from typing import Annotated, Any, NamedTuple, TypedDict

import tyro
from tyro.conf import Positional, UseAppendAction, arg
from tyro.constructors import PrimitiveConstructorSpec

from triptych.cli.flags import Flag
from triptych.cli.meant import as_typed, not_known, without_value
from triptych.recipes.values import FALSE, TRUE, Unreadable, refused, written
from triptych.utils.checks import InputError
from triptych.utils.words import plain, shown


class Given(NamedTuple):
    """What was given, by path: for the command itself, and for the recipe."""

    own: dict[str, Any]
    recipe: dict[str, Any]


def read(flags: list[Flag], command: str, arguments: list[str], description: str = "") -> Given:
    """What the arguments say.

    Raises:
        InputError: a flag that there is not, or a value that is not allowed; in the words that the user typed.
        SystemExit: help was asked for, and is printed.
    """
    placed = without_truth(flags, arguments)
    # tyro prints the help on standard output; what it prints on standard error is its box, of which nothing is needed.
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            found, unknown = tyro.cli(
                view(flags), prog=f"triptych {command}", description=description, args=placed, return_unknown_args=True
            )
    except Refused as refusal:
        typed = as_typed(refusal.flag, arguments)
        raise refused(typed, refusal.words, refusal.error) from None
    except SystemExit as stop:
        if not stop.code:
            raise
        raise without_value(flags, placed) from None
    if unknown:
        raise not_known(flags, command, unknown)
    given = sorted_out(flags, found)
    check_several(flags, given, arguments)
    return given


def read_some(flags: list[Flag], arguments: list[str]) -> tuple[dict[str, Any], list[str]]:
    """The values of a few flags among arguments that hold others too, and the words that belong to none of the few.

    Raises:
        InputError: one of the few has no value.
    """
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            found, others = tyro.cli(view(flags), args=arguments, add_help=False, return_unknown_args=True)
    except SystemExit:
        raise without_value(flags, arguments) from None
    return sorted_out(flags, found).own, [word for word in others if not word.startswith("-")]


def check_several(flags: list[Flag], given: Given, arguments: list[str]) -> None:
    """Refuses a command's flag for one or several values that was given none: it would do nothing, without a word.

    Raises:
        InputError
    """
    for flag in flags:
        empty = (
            not flag.of_recipe and not flag.is_positional and not flag.is_repeated and given.own.get(flag.path) == ()
        )
        if empty:
            typed = as_typed(flag, arguments)
            names = flag.reader.choices if flag.reader else ()
            raise InputError(f"{typed} has no value; allowed: {', '.join(names) or 'one or several, behind it'}")


class Refused(Exception):
    """Words behind a flag that are no value of it. No ValueError, so that tyro lets it through."""

    def __init__(self, flag: Flag, words: list[str], error: Unreadable):
        super().__init__(flag.name)
        self.flag, self.words, self.error = flag, words, error


def view(flags: list[Flag], choices: bool = False) -> Any:
    """The type that tyro makes flags of: the first box's, and within it one a group. A key is a flag's place in the list.

    Args:
        choices: whether tyro is told the names that a value may be. It takes no others then, nor these in another case.
    """
    groups: dict[str, dict[str, Any]] = {"": {}}
    for place, flag in enumerate(flags):
        groups.setdefault(flag.group, {})[f"flag_{place}"] = annotated(flag, choices)
    first = groups.pop("")
    for title, keys in groups.items():
        group: Any = TypedDict("group", keys, total=False)  # type: ignore[operator, misc]
        group.__doc__ = next((flag.description for flag in flags if flag.group == title), "")
        first[f"group_{title}"] = Annotated[group, arg(name=title)]
    return TypedDict("view", first, total=False)  # type: ignore[operator, misc]


def annotated(flag: Flag, choices: bool) -> Any:
    """A flag's type, with all that tyro must know of it."""
    # tyro shows a flag's name behind its aliases; here the name that people should learn comes first.
    *aliases, name = flag.names
    default = "" if flag.is_positional or flag.is_repeated else f"(default: {written(flag.default)})"
    mark = partial(arg, help=flag.help, help_behavior_hint=default)
    named = partial(mark, name=name.removeprefix("--"), aliases=aliases or None, prefix_name=False)
    if flag.is_repeated:  # within a dataclass of its own, as tyro adds to what is there
        kind: Any = Annotated[flag.kind, UseAppendAction, named()]
        return Annotated[dataclasses.make_dataclass("Repeated", [("values", kind, flag.default)]), arg(name="")]
    if flag.is_switch:
        return Annotated[bool, named()]
    if flag.is_positional:
        return Annotated[Any, Positional, spec(flag, choices), mark(metavar=flag.metavar)]
    return Annotated[Any, spec(flag, choices), named()]


def spec(flag: Flag, choices: bool) -> PrimitiveConstructorSpec[Any]:
    """A flag's reader as tyro wants it."""
    reader = flag.reader
    assert reader is not None, flag

    def value(words: list[str]) -> Any:
        try:
            return reader.read(words)
        except Unreadable as error:
            raise Refused(flag, words, error) from None

    return PrimitiveConstructorSpec(
        nargs="*" if reader.several else 1,
        metavar=flag.metavar or reader.metavar,
        instance_from_str=value,
        is_instance=lambda value: True,
        str_from_instance=lambda value: [written(value)],
        choices=(reader.choices or None) if choices else None,
    )


def sorted_out(flags: list[Flag], found: Any) -> Given:
    """The values by the paths of their flags."""
    values = dict(found)
    for key in list(values):
        if key.startswith("group_"):
            values |= values.pop(key)
    given = Given({}, {})
    for place, flag in enumerate(flags):
        key = f"flag_{place}"
        if key in values:
            value = values[key].values if flag.is_repeated else values[key]
            (given.recipe if flag.of_recipe else given.own)[flag.path] = value
    return given


def without_truth(flags: list[Flag], arguments: list[str]) -> list[str]:
    """`--quiet True` and `--quiet=no` as `--quiet` and `--no-quiet`, as tyro's own flags take no value."""
    switches = {plain(name): name for flag in flags if flag.is_switch for name in flag.names}
    placed: list[str] = []
    waiting = ""  # the switch that may have a value now
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if waiting and argument.lower() in (*TRUE, *FALSE):
            placed[-1] = switched(waiting, argument)
            waiting = ""
            continue
        waiting = switches.get(plain(name), "")
        if waiting and equals:
            if value.lower() not in (*TRUE, *FALSE):
                raise InputError(f"{name} is {shown(value)}; allowed: True or False")
            argument, waiting = switched(waiting, value), ""
        placed.append(argument)
    return placed


def switched(switch: str, value: str) -> str:
    """A switch on or off, as tyro spells it: `--algorithm.no-double`."""
    if value.lower() in TRUE:
        return switch
    path, dot, name = switch.removeprefix("--").rpartition(".")
    return f"--{path}{dot}no-{name}"
