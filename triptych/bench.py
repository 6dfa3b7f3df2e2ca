"""The same recipe side by side: `compare` trains it in each framework, `lockstep` proves them equal.

Every framework runs in a process of its own, so that memory and start-up are its own too.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from triptych import envs, frameworks, machine, proof
from triptych.changes import to_dict
from triptych.checks import InputError, WorkerError, check
from triptych.equivalence import Equivalence, check_margin, equivalences
from triptych.experiment import check_framework, resolve, safe
from triptych.files import write_json
from triptych.fits import check_read, check_replay
from triptych.intervals import bootstrap_mean
from triptych.recipes import Recipe
from triptych.runs import RunFolder, fresh_name, new_path
from triptych.workers import work

ALL = tuple(frameworks.FRAMEWORKS)


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


@dataclass(frozen=True)
class Lockstep:
    """Whether the frameworks took the same actions and learned the same, and how much that proves."""

    agree: bool
    steps: int  # after the warm-up; the least of the frameworks, as are the next three
    updates: int
    greedy_actions: int
    target_copies: int
    worst_relative: float
    first_difference: dict[str, Any] | None
    actions_part_at: int | None  # step at which an action or a game differs, None: never; what follows is not compared
    too_few: list[str]  # counts below the floor: then nothing is proved and agree is False
    control: (
        dict[str, Any] | None
    )  # worst_relative, first_difference: the first framework from itself, rounded otherwise
    overrides: dict[str, Any]
    logs: dict[str, str]  # framework -> its CSV
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
        versions=machine.versions(),
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


def lockstep(
    recipe: str | Recipe | None = None,
    steps: int = 30_000,
    frameworks: tuple[str, ...] = ALL,
    *,
    runs_dir: str | Path = "runs",
    run_name: str | None = None,
    label: str | None = None,
    control: bool = False,
    quiet: bool = True,
    **changes: Any,
) -> Lockstep:
    """Proves that the frameworks are the same: in float64 they take the same actions for `steps` after the warm-up.

    Args:
        control: the first framework also plays against itself, its weights moved by their last bit after each update.
            Where that parts as far as the frameworks do, rounding suffices to explain them.

    Raises:
        InputError: something given cannot be used.
        WorkerError: a framework's process ended without a result.
    """
    check(len(frameworks) > 1, "frameworks", " ".join(frameworks), "two or more")
    check(steps > 0, "steps", steps, "above 0")
    resolved, overrides = proof.provable(checked(recipe, frameworks, changes, steps), steps)
    label = label or safe(recipe if isinstance(recipe, str) else resolved.env.id)
    folder = new_path(run_name or fresh_name(f"lockstep-{label}", runs_dir), runs_dir)
    with RunFolder(folder):
        if any(path.name != ".lock" for path in folder.iterdir()):
            raise InputError(f"folder {folder} is not empty; allowed: another --run-name")
        job = {"recipe": to_dict(resolved), "folder": str(folder), "quiet": quiet, "control": False}
        counts = [work("lockstep", job | {"framework": name}) for name in frameworks]
        result = conclude(folder, list(frameworks), counts, overrides, proof.floors(resolved))
        write_json(folder / "verdict.json", dataclasses.asdict(result))  # the control's process may end without its own
        if control:
            work("lockstep", job | {"framework": frameworks[0], "control": True})
            verdict = proof.judge(folder, [frameworks[0], "control"])
            found = {"worst_relative": verdict.worst, "first_difference": verdict.first}
            result = dataclasses.replace(result, control=found)
            write_json(folder / "verdict.json", dataclasses.asdict(result))
    return result


def conclude(
    folder: Path, names: list[str], counts: list[dict[str, int]], overrides: dict[str, Any], floors: dict[str, int]
) -> Lockstep:
    """Reads the logs of a proof and says what they show."""
    least = {name: min(count[name] for count in counts) for name in counts[0]}
    verdict = proof.judge(folder, names)
    too_few = [
        f"{name}: {least[name]}, needed {floor}, which take about {math.ceil(least['steps'] * floor / max(1, least[name])):,} steps"
        for name, floor in floors.items()
        if least[name] < floor
    ]
    return Lockstep(
        agree=verdict.first is None and not too_few,
        worst_relative=verdict.worst,
        first_difference=verdict.first,
        actions_part_at=None if math.isinf(verdict.parted) else int(verdict.parted),
        too_few=too_few,
        control=None,
        overrides=overrides,
        logs={name: str(folder / f"{name}.csv") for name in names},
        processor=machine.processor(),
        versions=machine.versions(),
        **least,
    )


def checked(
    recipe: str | Recipe | None, names: tuple[str, ...], changes: dict[str, Any], proven: int | None = None
) -> Recipe:
    """The resolved recipe, after everything that can be refused was looked at; `proven`: the steps of a lockstep."""
    check(bool(names), "frameworks", "", ", ".join(ALL))
    check(len(set(names)) == len(names), "frameworks", " ".join(names), "each one once")
    resolved = resolve(recipe, changes)
    for name in names:
        check_framework(name)
    games = envs.make(resolved.env, 1)
    games.close()
    check_read(resolved.env, games)
    resolved.make_network(games.observation, games.num_actions)
    check_replay(resolved if proven is None else proof.provable(resolved, proven)[0], games)
    return resolved
