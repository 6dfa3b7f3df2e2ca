"""The words behind a flag, as the value of a field: `10k`, `1e5`, `84,84`, `Torch`, `none`."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import re
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from triptych.frameworks import ALIASES
from triptych.utils.checks import InputError, hint_of
from triptych.utils.words import likely, shown

THOUSANDS = {"k": 1_000, "m": 1_000_000}  # `10k`, `1M`
TRUE, FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


class Unreadable(ValueError):
    """Words that are no such value. The message says what is allowed."""


@dataclass(frozen=True)
class Reader:
    """How a field's value is written on the command line."""

    metavar: str  # what stands for it in the help
    read: Callable[[list[str]], Any]  # raises Unreadable
    several: bool = False  # whether it may be more than one word
    choices: tuple[str, ...] = ()  # all that it can be, for shells to complete; (): anything


def reader(kind: Any) -> Reader | None:
    """The reader of a type; None: no command line can give such a value."""
    simple = {
        int: Reader("INT", whole),
        float: Reader("FLOAT", real),
        str: Reader("STR", text),
        Path: Reader("PATH", path),
    }
    if kind in simple:
        return simple[kind]
    if kind is bool:
        return Reader("{True,False}", truth)
    if kind is type(None):
        return Reader("None", none)
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is Literal and all(isinstance(part, str) for part in parts):
        return Reader("{" + ",".join(parts) + "}", lambda words: choice(words, parts), choices=parts)
    if origin in (typing.Union, types.UnionType):
        return union([reader(part) for part in parts])
    if origin is tuple and len(parts) == 2 and parts[1] is ...:
        return every(reader(parts[0]))
    if origin is tuple and parts:
        return row([reader(part) for part in parts])
    return None


def one(words: list[str], allowed: str) -> str:
    if len(words) != 1:
        raise Unreadable(allowed)
    return words[0]


def number(word: str, allowed: str) -> float:
    """A number with the endings and underscores that people write."""
    scale = THOUSANDS.get(word[-1:].lower(), 1)
    try:
        return float(word[:-1] if scale > 1 else word) * scale
    except ValueError:
        raise Unreadable(allowed) from None


def whole(words: list[str]) -> int:
    word = one(words, "a whole number")
    with contextlib.suppress(ValueError):
        return int(word)
    value = number(word, "a whole number")
    if not math.isfinite(value) or value != round(value):
        raise Unreadable("a whole number")
    return round(value)


def steps_more(word: str | None) -> str | None:
    """`+10k` as `+10000`, `1e5` as `100000`; what is no such number stays, for whoever says so."""
    if word is None:
        return None
    sign = "+" if word.startswith("+") else ""
    with contextlib.suppress(Unreadable):
        return f"{sign}{whole([word.removeprefix('+')])}"
    return word


def real(words: list[str]) -> float:
    return number(one(words, "a number"), "a number")


def text(words: list[str]) -> str:
    return one(words, "one word; put quotes around several")


def path(words: list[str]) -> Path:
    return Path(text(words))


def truth(words: list[str]) -> bool:
    word = one(words, "True or False").lower()
    if word not in (*TRUE, *FALSE):
        raise Unreadable("True or False")
    return word in TRUE


def none(words: list[str]) -> None:
    if [word.lower() for word in words] != ["none"]:
        raise Unreadable("None")


def choice(words: list[str], choices: tuple[str, ...]) -> str:
    """One of some names, in any case; a framework by what people call it, too."""
    word = one(words, ", ".join(choices))
    known = {name.lower(): name for name in choices}
    known |= {alias: name for alias, name in ALIASES.items() if name in choices and alias not in known}
    if word.lower() not in known:
        raise Unreadable(", ".join(choices) + likely(word, choices))
    return known[word.lower()]


def union(options: list[Reader | None]) -> Reader | None:
    """What any of some readers takes; None first. Where any text is taken, `none` is a text (a run's name, say), and `None` alone is none."""
    readers = sorted((found for found in options if found), key=lambda found: found.metavar != "None")
    is_text = any(found.metavar == "STR" for found in readers)

    def read(words: list[str]) -> Any:
        allowed = []
        for found in readers:
            if found.metavar == "None" and is_text and words != ["None"]:
                continue
            try:
                return found.read(words)
            except Unreadable as error:
                allowed.append(str(error))
        raise Unreadable(", or ".join([*allowed[1:], allowed[0]] if allowed[0] == "None" else allowed))

    if not readers:
        return None
    metavars = [found.metavar for found in readers]
    if metavars[0] == "None":
        metavars = [*metavars[1:], "None"]
    choices = tuple(name for found in readers for name in found.choices)
    return Reader("|".join(metavars), read, any(found.several for found in readers), choices)


def every(item: Reader | None) -> Reader | None:
    """Any number of one kind of value, with spaces or commas between them."""
    if item is None:
        return None
    split = names_apart if item.read is text else apart
    return Reader(
        f"{item.metavar}...", lambda words: tuple(item.read([word]) for word in split(words)), True, item.choices
    )


def row(items: list[Reader | None]) -> Reader | None:
    """A fixed number of values, with spaces or commas between them."""
    found = [item for item in items if item]
    if len(found) < len(items):
        return None
    metavar = " ".join(item.metavar for item in found)

    def read(words: list[str]) -> tuple[Any, ...]:
        split = apart(words)
        allowed = f"{metavar}, with spaces or commas between them"
        if len(split) != len(found):
            raise Unreadable(allowed)
        try:
            return tuple(item.read([word]) for item, word in zip(found, split, strict=True))
        except Unreadable:
            raise Unreadable(allowed) from None

    return Reader(metavar, read, several=True)


def apart(words: list[str]) -> list[str]:
    """`torch,jax keras` as three words."""
    return [part.strip() for word in words for part in word.split(",") if part.strip()]


def names_apart(words: list[str]) -> list[str]:
    """`Pong,Breakout` as two words; a comma with a space behind it is part of a name: `positions, trained at 0% blank`."""
    return [part for word in words for part in re.split(r",(?!\s)", word) if part]


def read_setting(config: Any, name: str, value: Any) -> Any:
    """A field's value where it was written as a word; anything else is the value already.

    Args:
        config: a dataclass with that field; without it the value stays, for whoever says so.
    """
    owner: Any = type(config)
    kind = hint_of(owner, name) if name in {field.name for field in dataclasses.fields(config)} else Any
    found = reader(kind)
    if not isinstance(value, str) or kind is str or found is None:
        return value
    try:
        return found.read([value])
    except Unreadable as error:
        raise InputError(f"{name} is {shown(value)}; allowed: {error}") from None


def refused(flag: str, words: list[str], error: Unreadable) -> InputError:
    """The one line of words that are no such value."""
    return InputError(f"{flag} is {shown(' '.join(words))}; allowed: {error}")


def written(value: Any) -> str:
    """A value as the command line would have it."""
    if isinstance(value, tuple):
        return " ".join(map(written, value)) or "none"
    return str(value) if value != "" else "''"
