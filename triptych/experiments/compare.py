"""Side by side: `compare` trains a recipe in each framework, or several recipes.

Every framework runs in a process of its own, so that memory and start-up are its own too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from triptych.checkup.watch import OnAlarm, check_on_alarm
from triptych.experiments.film import FPS, film_side_by_side
from triptych.experiments.ray_jobs import On, check_place, place_of
from triptych.experiments.sweep import train_all
from triptych.experiments.tape import Tape, read
from triptych.experiments.teach import with_teacher
from triptych.frameworks import FRAMEWORKS, set_device, versions
from triptych.recipes import BUILT_IN, Recipe, resolve
from triptych.recipes.feasibility import prepare
from triptych.runs.names import run_path, safe
from triptych.runs.records import read_settings
from triptych.trackers.registry import check_trackers
from triptych.trackers.track import send_all
from triptych.utils import machine
from triptych.utils.checks import check
from triptych.utils.equivalence import Equivalence, check_margin, equivalences
from triptych.utils.failures import machine_failures
from triptych.utils.statistics import bootstrap_mean

ALL = tuple(FRAMEWORKS)


@dataclass(frozen=True)
class ComparisonRow:
    """One line of a comparison: medians over its runs, the score over their games."""

    recipe: str
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
    """One recipe or several in one framework or several."""

    recipe: str  # several: "one against another"
    rows: list[ComparisonRow]
    equivalence: list[Equivalence]  # of each pair; empty where no margin was given
    video: (
        str | None
    )  # of a test game of each, side by side; None: the games do not draw themselves, or none was wanted
    failures: list[str]  # runs that ended without a result, and how; the rows are of the others
    seeds: list[int]
    games: int  # a run
    steps: int  # of the first recipe
    threads: int
    processor: str
    versions: dict[str, str]


@machine_failures()
def compare(
    recipe: str | Recipe | Sequence[str | Recipe] | None = None,
    frameworks: tuple[str, ...] = ALL,
    seeds: int = 1,
    *,
    games: int = 20,
    margin: float | None = None,
    runs_dir: str | Path = "runs",
    run_name: str | None = None,
    label: str | Sequence[str] | None = None,
    quiet: bool = True,
    video: bool = True,
    device: str = "auto",
    on: On = "here",
    address: str | None = None,
    go_on: bool = False,
    track: Sequence[str] = (),
    on_alarm: OnAlarm = "warn",
    **changes: Any,
) -> Comparison:
    """Trains recipes in each framework with each seed, and plays the best and last weights.

    Args:
        recipe: one, or several to set against each other: names, files, Recipes, or run folders, whose settings are taken.
        seeds: how many, counted up from the recipe's own.
        games: whole games played by each run's best weights, and as many by its last.
        margin: difference of scores that does not matter; then it is tested whether the rows are nearer than that.
        run_name: what the runs' folders begin with.
        label: what to call the recipe, or each of them; None: its name, or the environment's where it has none.
        video: film a test game of each run's best weights, and those of the first seed side by side, where the game can draw
            itself.
        device: where each trains, as in `train`.
        on: "here": one run after the other in processes of this machine; "ray": as Ray tasks, as many at once as have cores.
        address: of a Ray cluster: "auto", or "HOST:PORT"; None: one of its own on this machine.
        go_on: go on with the newest runs of the same names and settings, as a compare that was stopped left them; those that
            have ended are kept.
        track: trackers that follow each run, as in `train`; runs on Ray are sent when they have all ended.
        on_alarm: as in `train`, of each run; one that an alarm stops has no result.
        changes: recipe fields, as in `train`, of every recipe.

    Raises:
        InputError: something given cannot be used.
    """
    set_device(device)  # here for its spelling alone; each process asks its framework
    check(seeds > 0, "seeds", seeds, "above 0")
    check(games > 0, "games", games, "above 0")
    check_place(on, address)
    trackers = check_trackers(track)
    check_on_alarm(on_alarm)
    names = tuple(frameworks)
    given: list[Any] = list(recipe) if isinstance(recipe, list | tuple) else [recipe]
    check_margin(margin, seeds, len(names) * len(given))
    resolved = [checked(settings_of(one, runs_dir), names, changes, runs_dir=runs_dir) for one in given]
    called = label if isinstance(label, list | tuple) else [label] * len(given)
    titles = [
        title or safe(Path(one).name if isinstance(one, str) else found.env.id)
        for title, one, found in zip(called, given, resolved, strict=True)
    ]
    check(len(set(titles)) == len(titles), "recipes", " ".join(titles), "each one once")
    named = dict(zip(titles, resolved, strict=True))
    prefixes = {
        title: f"{run_name or 'compare'}{'' if run_name and len(named) == 1 else '-' + title}" for title in named
    }
    # Trusted: what is given is the user's own, or `settings_of` let it through.
    job = {"runs_dir": str(runs_dir), "games": games, "quiet": quiet, "trust": True, "video": video, "device": device}
    job |= {"on_alarm": on_alarm}
    group = run_name or f"compare-{'-'.join(titles)}"
    job |= {"track": trackers if on == "here" else (), "group": group}
    job |= {"exact": go_on or on == "ray"}  # a node may be lost, and the numbers are to be the same
    with place_of(on, address, quiet) as place:
        made, failures = train_all(named, names, seeds, prefixes, job, place, go_on)
    rows = [make_row(title, name, made[title, name]) for title, name in product(titles, names) if (title, name) in made]
    scores = {row.framework if len(titles) == 1 else f"{row.recipe} {row.framework}": row.run_scores for row in rows}
    first = resolved[0]
    tapes = [tapes_of(title, recipe, names, made, len(named) > 1) for title, recipe in named.items()]
    film = None
    if rows:
        path = film_path(runs_dir, group)
        film = film_side_by_side(tapes, path, Path(rows[0].runs[0]))
    found = Comparison(
        recipe=" against ".join(titles),
        rows=rows,
        equivalence=[] if margin is None else equivalences(scores, margin),
        video=str(film) if film else None,
        failures=failures,
        seeds=[first.seed + seed for seed in range(seeds)],
        games=games,
        steps=first.steps,
        threads=machine.threads_for(first.threads),
        processor=machine.processor(),
        versions=versions(),
    )
    if on != "here":
        send_all([run for row in rows for run in row.runs], trackers, group)
    return found


def tapes_of(
    title: str,
    recipe: Recipe,
    frameworks: tuple[str, ...],
    made: dict[tuple[str, str], list[dict[str, Any]]],
    several: bool,
) -> list[Tape]:
    """The game of each framework's first run, as far as it was kept."""
    found = []
    for framework in frameworks:
        runs = made.get((title, framework), [])
        if runs and runs[0].get("tape"):
            name = f"{FRAMEWORKS[framework].title}{f', {title}' if several else ''}"
            actions = runs[0]["tape"]
            decisions = read(runs[0].get("decisions"), actions)
            found.append(Tape(name, framework, recipe.env, actions, recipe.video_fps or FPS, decisions=decisions))
    return found


def film_path(runs_dir: str | Path, name: str) -> Path:
    """`NAME-side-by-side.mp4` among the runs, or with the first number that is free."""
    path = Path(runs_dir) / f"{name}-side-by-side.mp4"
    number = 2
    while path.exists():
        path = path.with_name(f"{name}-side-by-side-{number}.mp4")
        number += 1
    return path


def settings_of(given: str | Recipe | None, runs_dir: str | Path) -> str | Recipe | None:
    """The settings of a run, where its folder or its name was given; else what was given."""
    if not isinstance(given, str) or given in BUILT_IN or not (run_path(given, runs_dir) / "config.json").is_file():
        return given
    return read_settings(run_path(given, runs_dir))


def make_row(recipe: str, framework: str, results: list[dict[str, Any]]) -> ComparisonRow:
    """Condenses the runs of one recipe in one framework."""
    score, low, high = bootstrap_mean([result["best_rewards"] for result in results])

    def middle(name: str) -> float:
        return median(found) if (found := [result[name] for result in results if result[name] is not None]) else 0.0

    return ComparisonRow(
        recipe=recipe,
        framework=framework,
        score=score,
        low=low,
        high=high,
        latest_score=bootstrap_mean([result["latest_rewards"] for result in results])[0],
        steps_per_second=middle("steps_per_second"),
        updates_per_second=middle("updates_per_second"),
        compile_seconds=middle("compile_seconds"),
        peak_memory=int(middle("peak_memory")),
        run_scores=[float(np.mean(result["best_rewards"])) for result in results],
        runs=[result["path"] for result in results],
    )


def checked(
    recipe: str | Recipe | None,
    names: tuple[str, ...],
    changes: dict[str, Any],
    provable: Callable[[Recipe], Recipe] = lambda recipe: recipe,
    runs_dir: str | Path = "runs",
) -> Recipe:
    """The resolved recipe, after everything that can be refused was looked at; `provable` gives the one that a lockstep plays."""
    check(bool(names), "frameworks", "", ", ".join(ALL))
    check(len(set(names)) == len(names), "frameworks", " ".join(names), "each one once")
    resolved = with_teacher(resolve(recipe, changes), runs_dir)
    prepare(provable(resolved), *names, num_envs=1).games.close()
    return resolved
