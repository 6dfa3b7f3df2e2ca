"""The scoreboard: faults injected, found or missed, when, by which alarm; and the alarms of runs in which nothing is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from triptych.checkup.faults import FAULTS, Fault, find
from triptych.experiments.scoreboard.case import Case
from triptych.experiments.scoreboard.expected import names_of, scene_of
from triptych.experiments.scoreboard.rows import Row, Scoreboard, counted, fault_row, healthy_row, unjudged, words_of
from triptych.experiments.scoreboard.series import Series
from triptych.frameworks import FRAMEWORKS, check_framework
from triptych.recipes import BUILT_IN, built_in
from triptych.utils.checks import InputError, check
from triptych.utils.words import likely, shown

SECONDS = 60.0  # of a run with a fault
HEALTHY_SECONDS = 20.0  # of a healthy run of a recipe of the catalogue


def scoreboard(
    frameworks: Sequence[str] = (),
    faults: Sequence[str] = (),
    *,
    healthy: bool = True,
    healthy_only: bool = False,
    recipes: Sequence[str] = (),
    seconds: float = SECONDS,
    healthy_seconds: float = HEALTHY_SECONDS,
    seeds: int = 1,
    jobs: int = 1,
    told: Callable[[Row], None] = lambda row: None,
) -> Scoreboard:
    """Injects faults, one in each run, and makes healthy runs.

    Args:
        frameworks: none: all.
        faults: their names; none: all.
        healthy: whether healthy runs of the catalogue's recipes follow. Each short run is made once without a fault in any case.
        healthy_only: make these alone, and put no fault into anything.
        recipes: of which healthy runs are made; none: all of the catalogue.
        seconds: that a run with a fault may take, and the same run without one.
        healthy_seconds: that a healthy run of a recipe may take.
        seeds: healthy runs of each recipe, with seeds from 0.
        jobs: runs at the same time.
        told: is told each row as it is known.

    Raises:
        InputError: there is no such framework, fault or recipe, a number makes no sense, or what is given leaves no run.
    """
    check(not (healthy_only and faults), "healthy_only", True, "without faults")
    check(healthy or not (healthy_only or recipes), "healthy", False, "True where healthy_only or recipes is given")
    catalogue = [shipped(name) for name in recipes] or list(BUILT_IN)
    wanted = [] if healthy_only else [find(name) for name in faults] or spread()
    for name, value in {"seconds": seconds, "healthy_seconds": healthy_seconds, "seeds": seeds, "jobs": jobs}.items():
        check(value > 0, name, value, "above 0")
    chosen = list(frameworks) or list(FRAMEWORKS)
    for framework in chosen:
        check_framework(framework)
    rows: list[Row] = []

    def note(row: Row) -> None:
        rows.append(row)
        told(row)

    for framework in chosen:
        with Series(framework, jobs) as series:
            baselines = run_baselines(series, framework, wanted, seconds, note)
            run_faults(series, framework, wanted, seconds, baselines, note)
            some = [  # one that is stopped has seen every recipe
                Case(framework, recipe, None, healthy_seconds, seed=seed)
                for seed in range(seeds)
                for recipe in catalogue
            ]
            series.run(some if healthy else [], lambda case, found: note(healthy_row(case, found)))
    return counted(rows)


def spread() -> list[Fault]:
    """All faults, the first of each row of the list before the others: a scoreboard that is stopped has seen every row."""
    first = list({one.row: one for one in reversed(FAULTS.values())}.values())[::-1]
    return [*first, *(one for one in FAULTS.values() if one not in first)]


def shipped(name: str) -> str:
    """The recipe of the catalogue that is meant.

    Raises:
        InputError: there is none of that name.
    """
    found = built_in(name)
    if found is None:
        raise InputError(f"recipe is {shown(name)}; allowed: one of `triptych recipes`{likely(name, BUILT_IN)}")
    return found


def baseline_of(framework: str, fault: Fault, seconds: float) -> Case:
    """The same run without the fault."""
    return Case(framework, fault.short, None, seconds, scene=scene_of(fault))


def run_baselines(
    series: Series, framework: str, faults: Sequence[Fault], seconds: float, note: Callable[[Row], None]
) -> dict[tuple[Any, ...], Row]:
    """The short runs without a fault, each once, by their keys."""
    found: dict[tuple[Any, ...], Row] = {}

    def keep(case: Case, answer: dict[str, Any]) -> None:
        row = healthy_row(case, answer)
        found[row.key] = row
        note(row)

    cases = {(one.short, str(scene_of(one))): baseline_of(framework, one, seconds) for one in faults}
    series.run(list(cases.values()), keep)
    return found


def run_faults(
    series: Series,
    framework: str,
    faults: Sequence[Fault],
    seconds: float,
    baselines: Mapping[tuple[Any, ...], Row],
    note: Callable[[Row], None],
) -> None:
    """The runs with a fault, each beside its baseline. Where that failed, no alarm can be told from one of the recipe's own: nothing is run."""
    cases = []
    for one in faults:
        beside = baselines[framework, None, one.short, None, words_of(scene_of(one))]
        case = Case(framework, one.short, one.name, seconds, beside.alarms, names_of(one))
        if beside.outcome == "failed":
            note(unjudged(case, beside))
        else:
            cases.append(case)
    series.run(cases, lambda case, found: note(fault_row(case, found)))
