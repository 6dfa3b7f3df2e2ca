"""What the commands share: flags, and how results are printed."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import Positional, UseAppendAction, arg

from triptych.frameworks import FRAMEWORKS
from triptych.recipes import Recipe
from triptych.trackers.registry import TRACKERS
from triptych.utils.checks import InputError, check

if TYPE_CHECKING:
    Framework = str
    Tracker = str
else:
    Framework = Literal[tuple(FRAMEWORKS)]  # the choices of a flag, as many as there are
    Tracker = Literal[tuple(TRACKERS)]
Device = Annotated[str, arg(metavar="{auto,cpu,cuda,cuda:N}")]
OnAlarm = Annotated[Literal["warn", "stop", "off"], arg(metavar="{warn,stop,off}")]
On = Annotated[Literal["here", "ray"], arg(metavar="{here,ray}")]
Policy = Literal["sample", "greedy"]
RecipeName = Annotated[Positional[str], arg(metavar="RECIPE", help_behavior_hint="")]
RunName = Annotated[Positional[str], arg(metavar="RUN", help_behavior_hint="")]
Settings = Annotated[tuple[str, ...], UseAppendAction, arg(metavar="NAME=VALUE")]
ALL: tuple[str, ...] = tuple(FRAMEWORKS)


@dataclass(frozen=True)
class Somewhere:
    """A command whose runs may be made elsewhere."""

    on: On = "here"  # where it runs: here, or as Ray tasks on this machine or a cluster (docs/ray.md)
    # which Ray cluster: auto (the one of this machine) or HOST:PORT; None: Ray is started here, and ended
    address: Annotated[str | None, arg(metavar="{auto,HOST:PORT}")] = None


@dataclass(frozen=True)
class Command:
    """What every command prints, and how much of it."""

    json: bool = False  # print the result as one JSON object, the last line of standard output
    quiet: bool = False  # no progress and no notes: warnings and the result alone
    verbose: bool = False  # also tell what is done on the way


@dataclass(frozen=True)
class Where(Command):
    """A command that works with runs."""

    runs_dir: Path = Path("runs")  # the folder in which run folders lie


def settings_of(words: tuple[str, ...], before: str = "") -> dict[str, str]:
    """What `--setting NAME=VALUE` said, by name with `before` in front.

    Raises:
        InputError: a word is no such pair.
    """
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        check(bool(name and equals), "setting", word, "NAME=VALUE, such as split=test")
        found[f"{before}{name.replace('-', '_')}"] = value
    return found


def named(name: str, recipe: Recipe) -> str:
    from triptych.runs.names import safe

    return safe(name or recipe.env.id)


def needed(value: str, what: str, allowed: str) -> None:
    if not value:
        raise InputError(f"{what} is missing; allowed: {allowed}")


def print_json(command: Command, result: Any) -> None:
    """Prints a result where JSON is wanted: a dataclass or a dict. What is no finite number is null."""
    if command.json:
        content = dataclasses.asdict(result) if dataclasses.is_dataclass(result) else result  # type: ignore[arg-type]
        print(json.dumps(plain_json(content), allow_nan=False))


def plain_json(value: Any) -> Any:
    """A value of what JSON has: paths as text, NaN and infinity as null."""
    if isinstance(value, dict):
        return {str(key): plain_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_json(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)
