"""The same recipe side by side: `compare` trains it in each framework, `lockstep` proves them equal.

Every framework runs in a process of its own, so that memory and start-up are its own too.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from triptych.experiments.jobs import work
from triptych.frameworks import FRAMEWORKS, versions
from triptych.recipes import Recipe, resolve
from triptych.recipes.feasibility import prepare
from triptych.recipes.serialise import to_dict
from triptych.runs.names import fresh_name, safe
from triptych.utils import machine
from triptych.utils.checks import WorkerError, check
from triptych.utils.equivalence import Equivalence, check_margin, equivalences
from triptych.utils.statistics import bootstrap_mean

ALL = tuple(FRAMEWORKS)


@dataclass(frozen=True)
class Row:
    """One framework's line of a comparison: medians over its runs, the score over their games."""

    framework: str
    score: float  # mean raw reward of the best weights
    low: float  # 95 % bootstrap interval: over games with one seed, over seeds' means with several
    high: float
    latest_score: float  # the same for the last weights
    steps_per_second: float
    updates_per_second: float
    compile_seconds: float
    peak_memory: int  # bytes
    run_scores: list[float]  # mean raw reward of each run's best weights
    runs: list[str]  # folders


@dataclass(frozen=True)
class Comparison:
    """A recipe in several frameworks."""

    recipe: str
    rows: list[Row]
    equivalence: list[Equivalence]  # of each pair; empty where no margin was given
    failures: list[str]  # runs that ended without a result, and how; the rows are of the others
    seeds: list[int]
    games: int  # a run
    steps: int
    threads: int
    processor: str
    versions: dict[str, str]


def compare(
    recipe: str | Recipe | None = None,
    frameworks: tuple[str, ...] = ALL,
    seeds: int = 1,
    *,
    games: int = 20,
    margin: float | None = None,
    runs_dir: str | Path = "runs",
    run_name: str | None = None,
    label: str | None = None,
    quiet: bool = True,
    **changes: Any,
) -> Comparison:
    """Trains a recipe in each framework with each seed, one after the other, and plays the best and last weights.

    Args:
        seeds: how many, counted up from the recipe's own.
        games: whole games played by each run's best weights, and as many by its last.
        margin: difference of scores that does not matter; then it is tested whether the frameworks are nearer than that.
        run_name: what the runs' folders begin with.
        label: what to call the recipe; None: its name, or the environment's where it has none.
        changes: recipe fields, as in `train`.

    Raises:
        InputError: something given cannot be used.
    """
    check(seeds > 0, "seeds", seeds, "above 0")
    check(games > 0, "games", games, "above 0")
    check_margin(margin, seeds, len(frameworks))
    resolved = checked(recipe, frameworks, changes)
    label = label or safe(recipe if isinstance(recipe, str) else resolved.env.id)
    prefix = run_name or f"compare-{label}"
    numbers = [resolved.seed + index for index in range(seeds)]
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in frameworks}
    failures: list[str] = []
    for seed in numbers:
        for name in frameworks:
            run = fresh_name(f"{prefix}-{name}-seed{seed}", runs_dir)
            job = {"recipe": to_dict(dataclasses.replace(resolved, seed=seed)), "framework": name, "run_name": run}
            job["trust"] = True  # the recipe is the user's own
            job |= {"runs_dir": str(runs_dir), "games": games, "quiet": quiet}
            try:
                results[name].append(work("train", job))
            except WorkerError as error:  # the other runs are worth having
                failures.append(f"{run}: {error}")
                print(f"warning: {failures[-1]}", file=sys.stderr)
    rows = [make_row(name, results[name]) for name in frameworks if results[name]]
    return Comparison(
        recipe=label,
        rows=rows,
        equivalence=[] if margin is None else equivalences({row.framework: row.run_scores for row in rows}, margin),
        failures=failures,
        seeds=numbers,
        games=games,
        steps=resolved.steps,
        threads=machine.threads_for(resolved.threads),
        processor=machine.processor(),
        versions=versions(),
    )


def make_row(framework: str, results: list[dict[str, Any]]) -> Row:
    """Condenses the runs of one framework."""
    score, low, high = bootstrap_mean([result["best_rewards"] for result in results])

    def median(name: str) -> float:
        values = sorted(result[name] for result in results)
        return values[len(values) // 2] if len(values) % 2 else sum(values[len(values) // 2 - 1 :][:2]) / 2

    return Row(
        framework=framework,
        score=score,
        low=low,
        high=high,
        latest_score=bootstrap_mean([result["latest_rewards"] for result in results])[0],
        steps_per_second=median("steps_per_second"),
        updates_per_second=median("updates_per_second"),
        compile_seconds=median("compile_seconds"),
        peak_memory=int(median("peak_memory")),
        run_scores=[float(np.mean(result["best_rewards"])) for result in results],
        runs=[result["path"] for result in results],
    )


def checked(
    recipe: str | Recipe | None,
    names: tuple[str, ...],
    changes: dict[str, Any],
    provable: Callable[[Recipe], Recipe] = lambda recipe: recipe,
) -> Recipe:
    """The resolved recipe, after everything that can be refused was looked at; `provable` gives the one that a lockstep plays."""
    check(bool(names), "frameworks", "", ", ".join(ALL))
    check(len(set(names)) == len(names), "frameworks", " ".join(names), "each one once")
    resolved = resolve(recipe, changes)
    prepare(provable(resolved), *names, num_envs=1).games.close()
    return resolved
