"""The one error a user's input can raise, and the helpers that raise it."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, Literal

Unit = Literal["steps", "episodes", "updates"]
Period = tuple[int, Unit]
UNITS = ("steps", "episodes", "updates")


class InputError(ValueError):
    """Something the user gave cannot be used. The message is one line: what, where, what is allowed.

    The command line prints it and exits with code 2.
    """


class WorkerError(RuntimeError):
    """A process that trained for us ended without a result."""


def check(condition: bool, name: str, value: Any, allowed: str) -> None:
    """Raises InputError naming the field, its value and what is allowed, unless `condition` holds."""
    if not condition:
        raise InputError(f"{name} is {value!r}; allowed: {allowed}")


def number(config: Any, name: str) -> Any:
    """A field's value, refused where it is no finite number, or no whole one where the field is an int."""
    value = getattr(config, name)
    if value is None:
        return None
    whole = isinstance(value, int) and not isinstance(value, bool)
    check(whole or (isinstance(value, float) and math.isfinite(value)), name, value, "a finite number")
    kind = next(field.type for field in dataclasses.fields(config) if field.name == name)
    if str(kind).startswith(("int", "Annotated[int")):
        check(whole, name, value, "a whole number")
    return value


def at_least(config: Any, low: float, *names: str) -> None:
    """Checks that each named field of a dataclass is a number >= `low` (None passes)."""
    for name in names:
        value = number(config, name)
        check(value is None or value >= low, name, value, f"{low} or more")


def positive(config: Any, *names: str) -> None:
    """Checks that each named field of a dataclass is above 0 (None passes)."""
    for name in names:
        value = number(config, name)
        check(value is None or value > 0, name, value, "above 0")


def within(config: Any, low: float, high: float, *names: str) -> None:
    """Checks that each named field of a dataclass lies in [low, high] (None passes)."""
    for name in names:
        value = number(config, name)
        check(value is None or low <= value <= high, name, value, f"{low} to {high}")


def one_of(config: Any, name: str, choices: tuple[Any, ...]) -> None:
    """Checks that the named field of a dataclass is one of `choices`."""
    value = getattr(config, name)
    check(value in choices, name, value, ", ".join(map(str, choices)))


def period(config: Any, name: str) -> None:
    """Checks that the named field of a dataclass is a number above 0 and a unit (None passes)."""
    value = getattr(config, name)
    if value is None:
        return
    pair = isinstance(value, tuple) and len(value) == 2
    check(pair, name, value, "a number and a unit, (500, 'steps')")
    count, unit = value
    check(isinstance(count, int) and not isinstance(count, bool), name, count, "a whole number")
    check(count > 0, name, count, "above 0")
    check(unit in UNITS, name, unit, ", ".join(UNITS))
