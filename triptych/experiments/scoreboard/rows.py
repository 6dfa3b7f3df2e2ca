"""What came of the scoreboard's runs: found or missed, when, by which alarm."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from triptych.checkup.faults import find
from triptych.experiments.scoreboard.case import Case
from triptych.experiments.scoreboard.expected import EXPECTED


@dataclass(frozen=True)
class Row:
    """What came of one run."""

    framework: str
    fault: str | None  # None: nothing is wrong
    row: str | None  # of the list of mistakes
    recipe: str
    seed: int | None  # None: the recipe's
    outcome: (
        str  # found, missed, not applicable; of a healthy run: quiet, expected, false alarm; failed: it says nothing
    )
    named: bool  # whether an alarm names the mistake
    signal: str | None  # the alarm that says it best: one that names it, else the first
    severity: str | None
    step: int | None  # at which it was told
    seconds: float | None  # after the run's start
    alarms: tuple[str, ...]  # all that the same healthy run does not have; of a healthy run, all
    why: str = ""  # it could not be expressed, or failed
    scene: str = ""  # of a healthy run: settings that are not its recipe's, as a fault needs them

    @property
    def key(self) -> tuple[Any, ...]:
        """What was run: a newer row of the same takes an older one's place."""
        return self.framework, self.fault, self.recipe, self.seed, self.scene


@dataclass(frozen=True)
class Scoreboard:
    """All rows, and what they come to."""

    found: int  # faults with an alarm that the same healthy run does not have
    of: int  # faults that could be expressed, those that could not be judged among them
    false_alarms: int  # alarms of healthy runs that are not expected of their recipe
    not_applicable: int  # faults that cannot be expressed in a framework
    rows: list[Row] = field(default_factory=list)


@dataclass(frozen=True)
class Part:
    """Rows that were made with the same versions on the same processor."""

    about: dict[str, Any]  # commit (None: not known), processor, versions
    rows: list[Row]


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


def as_json(board: Scoreboard) -> dict[str, Any]:
    """With exactly the keys found, of, false_alarms, not_applicable and rows."""
    return asdict(board)


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
        scene=words_of(case.scene),
        **{name: best.get(name) for name in ("signal", "severity", "step", "seconds")},
    )


def unjudged(case: Case, baseline: Row) -> Row:
    """A fault whose baseline failed."""
    nothing = {"outcome": "failed", "alarms": [], "why": f"the same run without the mistake failed: {baseline.why}"}
    return dataclasses.replace(fault_row(case, nothing), outcome="failed")


def words_of(scene: Mapping[str, Any]) -> str:
    """Settings as words."""
    return ", ".join(f"{name}={value}" for name, value in scene.items())
