"""Runs a study: every variant with every seed, each in a process of its own; what is done already is not done again."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triptych.experiments.jobs import work_all
from triptych.experiments.load import holds_weights
from triptych.experiments.ray_jobs import On, check_place, place_of
from triptych.experiments.studies import Arm, Study, load_study
from triptych.experiments.studies.arms import Plan, Planned, chosen_arms, job_of, plan_of
from triptych.experiments.studies.filming import make_films
from triptych.experiments.studies.rows import Result, conclude
from triptych.experiments.studies.table import Run, append_rows, read_runs, test_of
from triptych.frameworks import check_framework
from triptych.report.html import check_page
from triptych.spec import Precision
from triptych.trackers.registry import check_trackers
from triptych.trackers.track import send_all
from triptych.utils.checks import check
from triptych.utils.console import say
from triptych.utils.failures import machine_failures
from triptych.utils.processes import Place

QUICK_SEEDS, QUICK_GAMES = 2, 10


@machine_failures()
def run_study(
    name: str,
    framework: str = "torch",
    *,
    quick: bool = False,
    seeds: int | None = None,
    only: tuple[str, ...] = (),
    games: tuple[str, ...] = (),
    steps: int | None = None,
    precision: Precision | None = None,
    jobs: int = 1,
    runs_dir: str | Path = "runs",
    train: bool = True,
    out: Path | None = None,
    quiet: bool = True,
    on: On = "here",
    address: str | None = None,
    track: Sequence[str] = (),
) -> Result:
    """Trains and tests what is still missing, then writes `study.csv`, `runs.csv`, `study.json` and `study.html`.

    Args:
        quick: short runs with two seeds and few test games, which show that all works and nothing else.
        seeds: runs of each variant; None: as the study says.
        only: labels or tasks to train now; empty: all. The page shows whatever is there.
        games: tasks to train now; empty: all, but none where the page has published scores to show.
        steps: of each run; None: as the study says. Each length has a folder and a page of its own.
        precision: of each run; None: as the study says. It too has a folder and a page of its own.
        jobs: runs at the same time, each in a process of its own. Where two studies want the same run, it is made
            once; so let one end before the next begins.
        train: False: train nothing, and write page and tables of what is there.
        on: "here", or "ray": as Ray tasks, as many at once as have cores.
        address: of a Ray cluster: "auto", or "HOST:PORT"; None: one of its own on this machine.
        track: trackers that follow each run that is trained now, as in `train`; runs on Ray are sent when they have all ended.
        out: the folder of the results; None: see `folder_of`.

    Raises:
        InputError: unknown study, framework, label or game, or a package is missing.
        WorkerError: a run ended without a result.
    """
    study = load_study(name)
    if quick:
        study = dataclasses.replace(study, games=min(study.games, QUICK_GAMES))
    check_framework(framework)
    check_page("study")
    count = seeds if seeds is not None else QUICK_SEEDS if quick else None
    check(count is None or count > 0, "seeds", count, "above 0")
    check(jobs > 0, "jobs", jobs, "above 0")
    check_place(on, address)
    trackers = check_trackers(track)
    chosen = chosen_arms(study, only, games) if train else []
    changed = {name: value for name, value in (("steps", steps), ("precision", precision)) if value is not None}
    plan = plan_of(study, count, quick, changed)
    begun = any(run.arm.begins is not None for run in plan.values())
    check(on == "here" or not begun, "on", on, "here, as some of its runs begin with others of this machine")
    folder = out or folder_of(Path(name).stem, framework, quick, changed, Path(runs_dir))
    folder.mkdir(parents=True, exist_ok=True)
    shared = {"games": study.games, "epsilon": study.epsilon, "quiet": quiet, "runs_dir": str(runs_dir)}
    shared |= {"track": trackers if on == "here" else (), "group": folder.name}
    table, files = folder / "runs.csv", [name] if name.endswith(".py") else []
    todo = [job | shared for job in missing_jobs(study, plan, chosen, table, framework, quick, Path(runs_dir))]
    with place_of(on if todo else "here", address if todo else None, quiet) as place:
        for first in (True, False):  # others begin with these
            some = [job for job in todo if ("begins" not in job) == first]
            once = list({job["run_name"]: job for job in reversed(some)}.values())[::-1]
            train_missing(once, table, jobs, quiet, files, place)
            train_missing([job for job in some if job not in once], table, jobs, quiet, files, place)  # tests alone
    mine = rows_of_study(study, plan, table, framework)
    make_films(study, mine, {run.settings: run.recipe for run in plan.values()}, folder)
    result = conclude(name, study, mine, folder, framework, count or study.seeds, quick, changed)
    if on != "here":
        send_all([Path(runs_dir) / job["run_name"] for job in todo], trackers, folder.name)
    return result


def missing_jobs(
    study: Study, plan: Plan, chosen: list[Arm], table: Path, framework: str, quick: bool, runs_dir: Path
) -> list[dict[str, Any]]:
    """A job for each run of the chosen arms that has not been made, or not been tested as the study says now, and for each
    that one of them begins with, where its folder is not there."""
    made = {(row["framework"], row["settings"], *test_of(row)) for row in read_runs(table)}

    def untested(run: Planned) -> list[float | None]:
        tests = tests_of(study, run.arm.task)
        return [test[2] for test in tests if (framework, run.settings, *test) not in made]

    wanted: dict[tuple[str, str], tuple[Planned, list[float | None]]] = {}  # a run may be tested in several tasks
    for run in plan.values():
        if run.arm not in chosen or not untested(run):
            continue
        if (source := run.source) is not None:
            gone = not holds_weights(runs_dir / source.run_name(framework, quick) / "checkpoints")
            if gone or untested(source):
                wanted.setdefault((source.settings, source.arm.task), (source, untested(source)))
        wanted[run.settings, run.arm.task] = (run, untested(run))
    return [
        job_of(run, framework, quick) | asked_of(study, run.arm.task) | {"flicker": missing}
        for run, missing in wanted.values()
    ]


def asked_of(study: Study, task: str) -> dict[str, Any]:
    """What a run's process is to find out beside its score."""
    threshold = study.goals[task].threshold if task in study.goals else None
    return {"window": study.window, "threshold": threshold, "film": task in study.films, "test": played(study, task)}


def played(study: Study, task: str) -> str:
    """The environment's settings in a task's tests as JSON; empty where they are those of the training."""
    return json.dumps(study.tests[task], sort_keys=True) if study.tests.get(task) else ""


def tests_of(study: Study, task: str) -> list[tuple[int, float, float | None, str]]:
    """What the runs of a task are judged by now, as `test_of` reads it in the table."""
    return [(study.games, study.epsilon, chance, played(study, task)) for chance in study.flicker or (None,)]


def train_missing(
    todo: list[dict[str, Any]], table: Path, jobs: int, quiet: bool, files: list[str], place: Place | None = None
) -> None:
    """Does the jobs, so many at once; each run's rows stand in the table as soon as it has ended."""
    ended = itertools.count(1)

    def keep(place: int, found: dict[str, Any]) -> None:
        append_rows(table, todo[place], found)
        if not quiet:
            job = todo[place]
            # A run that others begin with is made again where its folder is gone; its rows are there already.
            told = f"{found['tests'][0]['score']:,.2f}" if found["tests"] else "made again"
            say(f"{next(ended)} of {len(todo)}: {job['task']}, {job['label']}, seed {job['seed']}: {told}")

    work_all("study", todo, keep, jobs, files, place)


def rows_of_study(study: Study, plan: Plan, table: Path, framework: str) -> list[Run]:
    """The table's rows that are of these runs and this study's tests, under the names that the arms have now."""
    arms = {(run.settings, test): run.arm for run in plan.values() for test in tests_of(study, run.arm.task)}
    return [
        row | {"task": arm.task, "label": arm.label}
        for row in read_runs(table)
        if row["framework"] == framework and (arm := arms.get((row["settings"], test_of(row)))) is not None
    ]


def folder_of(name: str, framework: str, quick: bool, changed: dict[str, Any], runs_dir: Path) -> Path:
    """Where results go that were given no place; runs of other lengths or precisions than the study's have one of their own."""
    suffix = f"-{changed['steps']}-steps" if "steps" in changed else ""
    suffix += f"-{changed['precision']}" if "precision" in changed else ""
    if quick:
        return runs_dir / f"study-{name}-{framework}-quick{suffix}"
    return Path("results/studies") / name / (framework + suffix)
