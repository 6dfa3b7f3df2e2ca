"""`triptych tune`: searches, trains the best setting anew with fresh seeds, and writes it down."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from triptych.experiments.jobs import work_all
from triptych.experiments.ray_jobs import On, check_place, place_of
from triptych.experiments.teach import with_teacher
from triptych.experiments.tune import check_optuna
from triptych.experiments.tune.halving import Pruner
from triptych.experiments.tune.journal import Sampler
from triptych.experiments.tune.over import parse_space
from triptych.experiments.tune.page import write_page
from triptych.experiments.tune.plan import FILE, Plan, grid_of, read_plan, write_plan
from triptych.experiments.tune.result import Fresh, TuneResult, best_course, conclude
from triptych.experiments.tune.search import Search, own_names
from triptych.experiments.tune.space import default_over
from triptych.experiments.tune.tracking import Tracking
from triptych.frameworks import check_framework, set_device
from triptych.recipes import Recipe, resolve
from triptych.recipes.feasibility import prepare
from triptych.recipes.serialise import to_dict
from triptych.report.html import check_page
from triptych.runs.folder import RunFolder
from triptych.runs.names import inside, run_path, safe
from triptych.trackers.registry import check_trackers
from triptych.utils.checks import WorkerError, check
from triptych.utils.console import problem, say, warn
from triptych.utils.processes import Place


def tune(
    recipe: str | Recipe | None = None,
    framework: str = "torch",
    *,
    over: Iterable[str] = (),
    trials: int | None = None,
    sampler: Sampler = "tpe",
    pruner: Pruner = "hyperband",
    seeds_per_trial: int = 1,
    fresh_seeds: int = 3,
    games: int = 20,
    window: int = 8,
    jobs: int = 1,
    device: str = "auto",
    run_name: str | None = None,
    label: str | None = None,
    runs_dir: str | Path = "runs",
    resume: str | Path | None = None,
    on: On = "here",
    address: str | None = None,
    track: Iterable[str] = (),
    quiet: bool = True,
    **changes: Any,
) -> TuneResult:
    """Searches for good values of a recipe's settings. The same call again goes on where it was stopped, and never begins anew.

    Args:
        recipe: as in `train`.
        over: what is searched: "optimiser.learning_rate=1e-5..1e-2:log", "network.dense_1.units=32,64"; none: the learning rate and what the algorithm says (`Config.ranges`).
        trials: settings to try, the recipe's own among them; None: 30, or as many as `resume` has.
        sampler: "tpe" (learns from the trials before), "random", or "grid" (as fine as `trials` allows).
        pruner: "hyperband" gives trials up at a ninth and at a third of their steps, by test games there; "none".
        seeds_per_trial: runs of a trial; its score is their mean.
        fresh_seeds: with which the best setting, and the recipe's own, are trained again at the end.
        games: whole games, with seeds apart from training's, played by a run's best weights.
        window: trials that are chosen before it is known what came of the first of them. At most so many go on at once.
        jobs: runs at the same time, each in a process of its own. It changes no result.
        run_name: the search's folder under `runs_dir`; None: named by what is searched.
        resume: the folder of a search to go on with; then all but `trials`, `jobs` and where it runs is as it was.
        on: "here", or "ray": runs are Ray tasks, as many at once as have cores and the window allows. It changes no result.
        address: of a Ray cluster, as in `compare`.
        track: trackers that follow each run, as in `train`, where all of them are a group; runs on Ray are sent at the end.

    Raises:
        InputError: something given cannot be used, or Optuna is not installed.
        WorkerError: a run failed, or no trial came to its end.
    """
    check_optuna()
    check_page("tune")
    check(jobs > 0, "jobs", jobs, "above 0")
    check_place(on, address)
    trackers = check_trackers(track)
    if resume is not None:
        folder = run_path(str(resume), runs_dir)
        plan, resolved = read_plan(folder)
        plan = dataclasses.replace(plan, trials=trials or plan.trials)
    else:
        check_framework(framework)
        set_device(device)  # here for its spelling alone
        resolved = with_teacher(resolve(recipe, changes), runs_dir)
        label = label or (safe(recipe) if isinstance(recipe, str) else safe(resolved.env.id))
        plan = Plan(
            label, framework, tuple(over) or default_over(resolved), trials if trials is not None else 30, sampler, pruner,
            seeds_per_trial, fresh_seeds, games, window, device,
        )  # fmt: skip
        name = run_name or f"tune-{label}-{framework}-{plan.fingerprint(resolved)}"
        folder = inside(name, runs_dir)
    space = parse_space(plan.over, resolved)
    if plan.sampler == "grid":
        grid_of(plan, space)  # which refuses one that is too large
    prepared = prepare(resolved, plan.framework, num_envs=1)
    prepared.games.close()
    for note in prepared.notes:
        warn(note)
    most = plan.window * plan.seeds_per_trial
    if jobs > most:
        warn(
            f"jobs is {jobs}: at most {most} go on at once with a window of {plan.window} (--window; another one is another search)"
        )
    with RunFolder(folder):
        plan = begun(folder, plan, resolved)
        try:
            with place_of(on, address, quiet) as place:
                at_once = jobs if place is None else place.at_once
                tracking = Tracking(folder, trackers, live=place is None)
                result = searched(Search(plan, resolved, space, folder, at_once, quiet, tracking), place)
            tracking.end()
            return result
        except KeyboardInterrupt:
            problem(f"interrupted; go on with: triptych tune --resume {shlex.quote(str(folder))}")
            raise
        except WorkerError as error:
            raise WorkerError(f"{error}; go on with: triptych tune --resume {shlex.quote(str(folder))}") from error


def begun(folder: Path, plan: Plan, recipe: Recipe) -> Plan:
    """Writes down what a search is where it begins; where it goes on, it must be the same, and has no fewer trials than before."""
    if (folder / FILE).exists():
        before, was = read_plan(folder)
        same = before.fingerprint(was) == plan.fingerprint(recipe)
        check(same, "run_name", folder.name, "a folder of this very search, or another name")
        if plan.trials <= before.trials:
            return dataclasses.replace(plan, trials=before.trials)
    write_plan(folder, plan, recipe)
    return plan


def searched(search: Search, place: Place | None) -> TuneResult:
    """Trains what is still missing, and writes what came of it."""
    plan = search.plan
    if not search.quiet:
        say(f"search    {search.folder}", *(f"over      {text}" for text in plan.over))
    work_all("trial", search.jobs(), search.then, search.at_once, place=place)
    best = best_course(search)
    own = own_names(search.recipe, search.space)
    fresh = trained_anew(search, "best", best.recipe, place)
    default = fresh if best.trial.names == own else trained_anew(search, "own", search.recipe, place)
    result = conclude(search, fresh, default)
    write_page(Path(result.page), search, result)
    return result


def trained_anew(search: Search, name: str, recipe: Recipe | None, place: Place | None) -> Fresh:
    """Whole runs with seeds that the search has not seen."""
    assert recipe is not None
    plan = search.plan
    first = recipe.seed + plan.seeds_per_trial
    shared = {
        "framework": plan.framework, "until": None, "games": plan.games, "device": plan.device, "trust": True,
        "runs_dir": str(search.folder / "fresh"),
    } | search.tracking.shared  # fmt: skip
    seeds = range(first, first + plan.fresh_seeds)
    setting = plan.fingerprint(recipe)  # a search that goes on may find another best one
    todo = [
        shared | {"recipe": to_dict(recipe) | {"seed": seed}, "run_name": f"{name}-{setting}-seed{seed}"}
        for seed in seeds
    ]
    found: dict[int, dict[str, Any]] = {}

    def keep(place: int, result: dict[str, Any]) -> None:
        found[place] = result
        search.tracking.hear(result)
        if not search.quiet:
            score = "diverged" if result["score"] is None else f"{result['score']:,.2f}"
            say(f"{len(found)} of {len(todo)} fresh seeds, {name} setting: seed {seeds[place]} {score}")

    work_all("trial", todo, keep, search.at_once, place=place)
    return Fresh(list(seeds), [found[place]["rewards"] for place in sorted(found)])
