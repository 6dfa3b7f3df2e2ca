"""The scoreboard: faults injected, found or missed, when, by which alarm; and the alarms of runs in which nothing is wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from triptych.checkup.faults import FAULTS, Fault, find
from triptych.experiments.scoreboard.case import Case
from triptych.experiments.scoreboard.expected import EXPECTED, names_of
from triptych.experiments.scoreboard.series import Series
from triptych.frameworks import FRAMEWORKS, check_framework
from triptych.recipes import BUILT_IN
from triptych.utils.checks import check

SECONDS = 60.0  # of a run with a fault
HEALTHY_SECONDS = 20.0  # of a healthy run of a recipe of the catalogue


@dataclass(frozen=True)
class Row:
    """What came of one run."""

    framework: str
    fault: str | None  # None: nothing is wrong
    row: str | None  # of the list of mistakes
    recipe: str
    seed: int | None  # None: the recipe's
    outcome: str  # found, missed, not applicable; of a healthy run: quiet, expected, false alarm
    named: bool  # whether an alarm names the mistake
    signal: str | None  # the alarm that says it best: one that names it, else the first
    severity: str | None
    step: int | None  # at which it was told
    seconds: float | None  # after the run's start
    alarms: tuple[str, ...]  # all that the same healthy run does not have; of a healthy run, all
    why: str = ""  # it could not be expressed, or failed


@dataclass(frozen=True)
class Scoreboard:
    """All rows, and what they come to."""

    found: int  # faults with an alarm that the same healthy run does not have
    of: int  # faults that could be expressed
    false_alarms: int  # alarms of healthy runs that are not expected of their recipe
    not_applicable: int  # faults that cannot be expressed in a framework
    rows: list[Row] = field(default_factory=list)


def counted(rows: Sequence[Row]) -> Scoreboard:
    """What rows come to."""
    faults = [row for row in rows if row.fault is not None]
    expressed = [row for row in faults if row.outcome != "not applicable"]
    false = [row for row in rows if row.outcome == "false alarm"]
    return Scoreboard(
        sum(row.outcome == "found" for row in expressed),
        len(expressed),
        sum(len(set(row.alarms) - set(EXPECTED.get(row.recipe, ()))) for row in false),
        len(faults) - len(expressed),
        list(rows),
    )


def scoreboard(
    frameworks: Sequence[str] = (),
    faults: Sequence[str] = (),
    *,
    healthy: bool = True,
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
        seconds: that a run with a fault may take, and the same run without one.
        healthy_seconds: that a healthy run of a recipe may take.
        seeds: healthy runs of each recipe, with seeds from 0.
        jobs: runs at the same time.
        told: is told each row as it is known.

    Raises:
        InputError: there is no such framework or fault, or a number makes no sense.
    """
    wanted = [find(name) for name in faults] or spread()
    for name, value in {"seconds": seconds, "healthy_seconds": healthy_seconds, "seeds": seeds, "jobs": jobs}.items():
        check(value > 0, name, value, "above 0")
    chosen = list(frameworks) or list(FRAMEWORKS)
    for framework in chosen:
        check_framework(framework)
    rows: list[Row] = []

    def note(row: Row) -> None:
        rows.append(row)
        told(row)

    recipes = list(BUILT_IN) if healthy else []
    for framework in chosen:
        with Series(framework, jobs) as series:
            known = run_baselines(series, framework, wanted, seconds, note)
            run_faults(series, framework, wanted, seconds, known, note)
            some = [  # one that is stopped has seen every recipe
                Case(framework, recipe, None, healthy_seconds, seed=seed) for seed in range(seeds) for recipe in recipes
            ]
            series.run(some, lambda case, found: note(healthy_row(case, found)))
    return counted(rows)


def spread() -> list[Fault]:
    """All faults, the first of each row of the list before the others: a scoreboard that is stopped has seen every row."""
    first = list({one.row: one for one in reversed(FAULTS.values())}.values())[::-1]
    return [*first, *(one for one in FAULTS.values() if one not in first)]


def run_baselines(
    series: Series, framework: str, faults: Sequence[Fault], seconds: float, note: Callable[[Row], None]
) -> dict[str, tuple[str, ...]]:
    """The short runs without a fault; the alarms of each."""
    known: dict[str, tuple[str, ...]] = {}

    def keep(case: Case, found: dict[str, Any]) -> None:
        row = healthy_row(case, found)
        known[case.recipe] = row.alarms
        note(row)

    series.run([Case(framework, short, None, seconds) for short in dict.fromkeys(one.short for one in faults)], keep)
    return known


def run_faults(
    series: Series,
    framework: str,
    faults: Sequence[Fault],
    seconds: float,
    known: dict[str, tuple[str, ...]],
    note: Callable[[Row], None],
) -> None:
    cases = [Case(framework, one.short, one.name, seconds, known[one.short], names_of(one)) for one in faults]
    series.run(cases, lambda case, found: note(fault_row(case, found)))


def fault_row(case: Case, found: dict[str, Any]) -> Row:
    """Found or missed, when, and by which alarm."""
    assert case.fault is not None
    new = [alarm for alarm in found["alarms"] if alarm["signal"] not in case.known]
    naming = [alarm for alarm in new if alarm["signal"] in case.enough]
    best = (naming or new or [{}])[0]
    outcome = "found" if new else "missed"
    return Row(
        framework=case.framework,
        fault=case.fault,
        row=find(case.fault).row,
        recipe=case.recipe,
        seed=case.seed,
        outcome=found["outcome"] if found["outcome"] == "not applicable" else outcome,
        named=bool(naming),
        alarms=tuple(alarm["signal"] for alarm in new),
        why=found["why"],
        **{name: best.get(name) for name in ("signal", "severity", "step", "seconds")},
    )


def healthy_row(case: Case, found: dict[str, Any]) -> Row:
    """A run in which nothing is wrong. One that failed is told as such: it has shown nothing."""
    names = tuple(alarm["signal"] for alarm in found["alarms"])
    unexpected = [alarm for alarm in found["alarms"] if alarm["signal"] not in EXPECTED.get(case.recipe, ())]
    best = (unexpected or found["alarms"] or [{}])[0]
    outcome = "false alarm" if unexpected else "expected" if names else "quiet"
    return Row(
        framework=case.framework,
        fault=None,
        row=None,
        recipe=case.recipe,
        seed=case.seed,
        outcome="failed" if found["outcome"] == "failed" else outcome,
        named=False,
        alarms=names,
        why=found["why"],
        **{name: best.get(name) for name in ("signal", "severity", "step", "seconds")},
    )


def as_json(board: Scoreboard) -> dict[str, Any]:
    """With exactly the keys found, of, false_alarms, not_applicable and rows."""
    return asdict(board)
