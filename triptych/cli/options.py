"""What the commands share: flags, and how results are printed."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import Positional, arg

from triptych.frameworks import FRAMEWORKS
from triptych.recipes import Recipe
from triptych.utils.checks import InputError

if TYPE_CHECKING:
    Framework = str
else:
    Framework = Literal[tuple(FRAMEWORKS)]  # the choices of a flag, as many as there are
RecipeName = Annotated[Positional[str], arg(metavar="RECIPE", help_behavior_hint="")]
RunName = Annotated[Positional[str], arg(metavar="RUN", help_behavior_hint="")]
ALL: tuple[str, ...] = tuple(FRAMEWORKS)


@dataclass(frozen=True)
class Where:
    """Where runs lie and what is printed."""

    runs_dir: Path = Path("runs")  # the folder of run folders


@dataclass(frozen=True)
class Answers(Where):
    """A command whose result may be wanted as JSON."""

    json: bool = False  # print one JSON object as the last line of standard output


def named(name: str, recipe: Recipe) -> str:
    from triptych.runs.names import safe

    return safe(name or recipe.env.id)


def needed(value: str, what: str, allowed: str) -> None:
    if not value:
        raise InputError(f"{what} is missing; allowed: {allowed}")


def print_json(command: Answers, result: Any) -> None:
    if command.json:
        print(json.dumps(dataclasses.asdict(result), default=str))
