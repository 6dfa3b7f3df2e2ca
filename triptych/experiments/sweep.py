"""The runs of a comparison: recipes x frameworks x seeds, new ones or those of a comparison that was stopped."""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any

from triptych.experiments.jobs import work_all
from triptych.recipes import Recipe
from triptych.recipes.serialise import to_dict
from triptych.runs.names import RECIPE_FILE, fresh_name, is_bare
from triptych.utils.checks import WorkerError
from triptych.utils.console import warn
from triptych.utils.processes import Place
from triptych.utils.reading import read_json


def train_all(
    recipes: dict[str, Recipe],
    frameworks: tuple[str, ...],
    seeds: int,
    prefixes: dict[str, str],
    job: dict[str, Any],
    place: Place | None,
    again: bool,
) -> tuple[dict[tuple[str, str], list[dict[str, Any]]], list[str]]:
    """Trains each recipe in each framework with each seed: what the runs came to by (title, framework), and what failed."""
    whose, jobs = list[tuple[str, str]](), list[dict[str, Any]]()
    for seed, (title, recipe), name in product(range(seeds), recipes.items(), frameworks):
        recorded = to_dict(dataclasses.replace(recipe, seed=recipe.seed + seed))
        prefix = f"{prefixes[title]}-{name}-seed{recorded['seed']}"
        run = begun_name(prefix, job["runs_dir"], recorded) if again else None
        whose.append((title, name))
        run = run or fresh_name(prefix, job["runs_dir"])
        jobs.append(job | {"recipe": recorded, "framework": name, "run_name": run})
    results: dict[int, dict[str, Any]] = {}
    failures: dict[int, str] = {}

    def failed(index: int, error: WorkerError) -> None:  # the other runs are worth having
        failures[index] = f"{jobs[index]['run_name']}: {error}"
        warn(failures[index])

    try:
        work_all("train", jobs, results.__setitem__, place=place, failed=failed)
    finally:
        for one in jobs:  # those that nothing came of
            with suppress(OSError):
                (Path(job["runs_dir"]) / one["run_name"]).rmdir()
    made: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for index in sorted(results):
        made.setdefault(whose[index], []).append(results[index])
    return made, [failures[index] for index in sorted(failures)]


def begun_name(prefix: str, runs_dir: str | Path, recorded: dict[str, Any]) -> str | None:
    """The newest of the runs `PREFIX-1`, `PREFIX-2`, ... where it has these very settings; None: there is none to go on with.

    Folders that are newer and of which nothing came, as their process was ended before its first step, do not count: the oldest
    of them is taken where there is no such run.
    """
    numbers = [path.name.removeprefix(f"{prefix}-") for path in Path(runs_dir).glob(f"{prefix}-*")]
    left = None
    for number in sorted((int(one) for one in numbers if one.isdecimal()), reverse=True):
        name = f"{prefix}-{number}"
        folder = Path(runs_dir) / name
        if (config := folder / "config.json").is_file():
            same = read_json(config, dict[str, Any]).get("recipe") == recorded and is_same_file(recorded, folder)
            return name if same else left
        if is_bare(folder):
            left = name
    return left


def is_same_file(recorded: dict[str, Any], folder: Path) -> bool:
    """Whether the user's file of the recipe, if there is one, still says what the run's copy of it says."""
    file, copy = Path(recorded["source"]), folder / RECIPE_FILE
    return not (file.is_file() and copy.is_file()) or file.read_bytes() == copy.read_bytes()
