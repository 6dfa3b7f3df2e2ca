"""What a search is, apart from what came of it: all that decides its results, kept in `tune.json`."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triptych.experiments.tune.halving import RUNGS, WHOLE, Pruner
from triptych.experiments.tune.journal import Sampler
from triptych.experiments.tune.space import Setting
from triptych.recipes import Recipe
from triptych.recipes.serialise import from_dict, to_dict
from triptych.runs.names import RECIPE_FILE
from triptych.runs.records import own_source
from triptych.runs.trust import Allowed, Stored, allow, marks
from triptych.utils.checks import InputError, at_least, check, one_of, positive
from triptych.utils.files import write_json
from triptych.utils.reading import build, read_json

FILE = "tune.json"


@dataclass(frozen=True)
class Plan:
    """A search. Two that are equal, but for `trials`, try the same settings in the same order."""

    label: str  # what the recipe is called
    framework: str
    over: tuple[str, ...]  # the settings and their ranges, as they are written
    trials: int = 30  # settings to try
    sampler: Sampler = "tpe"
    pruner: Pruner = "hyperband"
    seeds_per_trial: int = 1
    fresh_seeds: int = 3  # with which the best setting and the recipe's own are trained again at the end
    games: int = 20  # test games that a run is judged by
    window: int = 8  # trials that are chosen before it is known what came of the first of them
    device: str = "auto"

    def __post_init__(self) -> None:
        positive(self, "trials", "seeds_per_trial", "games", "window")
        at_least(self, 1, "fresh_seeds")
        one_of(self, "sampler", ("tpe", "random", "grid"))
        one_of(self, "pruner", tuple(RUNGS))

    @property
    def rungs(self) -> tuple[int, ...]:
        return RUNGS[self.pruner]

    def until(self, recipe: Recipe, at: int) -> int | None:
        """The step at or behind which a run pauses for its test at a rung, given by its place; None: the run's end."""
        return None if self.rungs[at] == WHOLE else max(1, recipe.steps * self.rungs[at] // WHOLE)

    def fingerprint(self, recipe: Recipe) -> str:
        """Eight letters that differ where anything does but the number of trials; of a grid that, too, as it decides the points."""
        settings = dataclasses.asdict(self) | {"recipe": to_dict(recipe)}
        if self.sampler != "grid":
            del settings["trials"]
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]


def grid_of(plan: Plan, space: tuple[Setting, ...]) -> list[tuple[Any, ...]]:
    """The values along each setting of a grid: of ranges as many as the number of trials has room for.

    Raises:
        InputError: two values of each range are too many already.
    """
    found = [setting.grid(2) for setting in space]
    if math.prod(map(len, found)) > plan.trials:
        least = math.prod(map(len, found))
        raise InputError(f"trials is {plan.trials}; allowed: {least} or more for a grid of these settings")
    for points in range(3, plan.trials + 1):
        finer = [setting.grid(points) for setting in space]
        if finer == found or math.prod(map(len, finer)) > plan.trials:
            break
        found = finer
    return found


def write_plan(folder: Path, plan: Plan, recipe: Recipe) -> None:
    """Writes what a search is; a recipe's file of the user's is copied beside it."""
    recorded = to_dict(recipe)
    write_json(folder / FILE, dataclasses.asdict(plan) | {"recipe": recorded, **marks(recorded, folder)})


def read_plan(folder: Path) -> tuple[Plan, Recipe]:
    """The search of a folder, with the recipe that it begins from; the user's own file is run again, a stranger's is refused.

    Raises:
        InputError: it is no search's folder, its file is damaged, or the recipe needs code that may not run.
    """
    file = folder / FILE
    check(file.is_file(), "resume", str(folder), f"a folder of triptych tune: it holds {FILE}")
    content = read_json(file, dict[str, Any])
    stored = Stored(folder, content.get("recipe"), folder, content)
    ways = (f"the command that began it, in place of --resume (its recipe: {RECIPE_FILE})",)
    allow(stored, Allowed(ways=ways, again=True))
    recipe = from_dict(content.get("recipe"), file)
    settings = {name: value for name, value in content.items() if name not in ("recipe", "recipe_file", "mark")}
    return build(Plan, settings, file, "tune"), dataclasses.replace(recipe, source=own_source(stored))
