"""The one error a user's input can raise and the helpers that raise it; those of environments and workers."""

from __future__ import annotations

import functools
import inspect
import math
import sys
import typing
from types import UnionType
from typing import Any, Literal

from triptych.utils.console import plain, shortened

Unit = Literal["steps", "episodes", "updates"]
Period = tuple[int, Unit]
UNITS = ("steps", "episodes", "updates")


MOST_LETTERS = 480  # of an error's line


class InputError(ValueError):
    """Something the user gave cannot be used. The message is one line: what, where, what is allowed.

    The command line prints it and exits with code 2. What a stranger's file puts into it can neither make it long nor move the
    terminal's cursor.
    """

    def __init__(self, line: object = ""):
        super().__init__(shortened(plain(str(line)), MOST_LETTERS))


class EnvironmentFailed(RuntimeError):
    """A game raised, ended its process, or returned what it may not, in `reset` or `step`. The user's own exception is its cause.

    Args:
        env_id: of the environment.
        game: which of the games that step together, from 0; None: nobody knows, and the step is of all.
        step: of its episode, from 1; 0: its reset.
        problem: what happened, in one line.
    """

    def __init__(self, env_id: str, game: int | None, step: int, problem: str):
        super().__init__(env_id, game, step, problem)  # all of them, so that it travels between processes
        self.env_id, self.game, self.step, self.problem = env_id, game, step, problem

    def __str__(self) -> str:
        if self.game is None:
            where = f"step {self.step:,}" if self.step else "the reset"
            return f"the environment {self.env_id!r} failed at {where}: {self.problem}"
        where = f"step {self.step:,} of its episode" if self.step else "its reset"
        return f"the environment {self.env_id!r} failed in game {self.game} at {where}: {self.problem}"


class WorkerError(RuntimeError):
    """A process that trained for us ended without a result."""


def check(condition: bool, name: str, value: Any, allowed: str) -> None:
    """Raises InputError naming the field, its value and what is allowed, unless `condition` holds."""
    if not condition:
        raise InputError(f"{name} is {shown(value)}; allowed: {allowed}")


def shown(value: Any) -> str:
    """A value as Python writes it, as far as a line has room for it."""
    return shortened(repr(value), 100)


def number(config: Any, name: str) -> Any:
    """A field's value, refused where it is no finite number, or no whole one where the field is an int."""
    value = getattr(config, name)
    if value is None:
        return None
    whole = isinstance(value, int) and not isinstance(value, bool)
    check(whole or (isinstance(value, float) and math.isfinite(value)), name, value, "a finite number")
    kind: Any = type(config)
    kinds = kinds_of(kind, name)
    if int in kinds and float not in kinds:
        check(whole, name, value, "a whole number")
    return value


@functools.cache
def hint_of(config: type, name: str) -> Any:
    """The type of a dataclass' field, whether its module spells annotations as they are or as strings; Any where it cannot be looked up."""
    owner = next(base for base in config.__mro__ if name in inspect.get_annotations(base))
    names = vars(sys.modules[owner.__module__]) if owner.__module__ in sys.modules else {}
    # Alone, since another field's type may be a name that only type checkers see.
    field = type(name, (), {"__annotations__": {name: inspect.get_annotations(owner)[name]}})
    try:
        return typing.get_type_hints(field, names)[name]
    except NameError:
        return Any


@functools.cache
def kinds_of(config: type, name: str) -> tuple[Any, ...]:
    """The types that a field of a dataclass may have, without None; () where they cannot be looked up."""
    found = hint_of(config, name)
    if found is Any:
        return ()
    kinds = typing.get_args(found) if typing.get_origin(found) in (typing.Union, UnionType) else (found,)
    return tuple(kind for kind in kinds if kind is not type(None))


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


def as_period(setting: int | Period | None) -> Period | None:
    """A setting of any of our fields as a number and a unit: a number alone is of steps. None: never, as is 0."""
    return setting if isinstance(setting, tuple) else (setting, "steps") if setting else None


def passed(every: int | Period | None, counters: Any) -> int:
    """How many whole periods have passed by the counts of steps, episodes and updates; 0 where that is never."""
    found = as_period(every)
    return getattr(counters, found[1]) // found[0] if found else 0


def moment(period: int | Period) -> str:
    """The point of a run at which a period has passed for the first time: `step 5,000`, `update 200`."""
    number, unit = period if isinstance(period, tuple) else (period, "steps")
    return f"{unit.removesuffix('s')} {number:,}"


def period(config: Any, name: str) -> None:
    """Checks that the named field of a dataclass is a number above 0 and a unit (None passes).

    Where the field's type has numbers too, one of 0 or more passes: of steps, 0 for never.
    """
    value = getattr(config, name)
    kind: Any = type(config)
    if value is None:
        return
    if not isinstance(value, tuple) and int in kinds_of(kind, name):
        at_least(config, 0, name)
        return
    pair = isinstance(value, tuple) and len(value) == 2
    check(pair, name, value, "a number and a unit, (500, 'steps')")
    count, unit = value
    check(isinstance(count, int) and not isinstance(count, bool), name, count, "a whole number")
    check(count > 0, name, count, "above 0")
    check(unit in UNITS, name, unit, ", ".join(UNITS))
