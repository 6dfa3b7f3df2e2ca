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
from triptych.runs.names import fresh_name
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
    """The newest of the runs `PREFIX-1`, `PREFIX-2`, ... where it has these very settings; None: there is none to go on with."""
    numbers = [path.name.removeprefix(f"{prefix}-") for path in Path(runs_dir).glob(f"{prefix}-*")]
    for number in sorted((int(one) for one in numbers if one.isdecimal()), reverse=True):
        config = Path(runs_dir) / f"{prefix}-{number}" / "config.json"
        if config.is_file():
            found = read_json(config, dict[str, Any]).get("recipe")
            return f"{prefix}-{number}" if found == recorded else None
    return None
