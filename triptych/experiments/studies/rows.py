"""What a study came to: its runs condensed into a row for each variant, and the files that tell them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from triptych.experiments.studies import Arm, Goal, Study, measures
from triptych.experiments.studies.measures import Measures
from triptych.experiments.studies.page import highest, write_page
from triptych.experiments.studies.table import Run
from triptych.utils.files import line, write_json, write_whole
from triptych.utils.statistics import bootstrap_iqm


@dataclass(frozen=True)
class StudyRow:
    """A variant's score over its seeds: the interquartile mean of the runs' scores, with its 95 % bootstrap interval."""

    task: str
    label: str
    flicker: float | None  # chance of a hidden observation in the test; None: as in training
    iqm: float
    low: float
    high: float
    scores: list[float]  # a seed each: mean raw reward of the best weights' test games
    parameters: int  # of the network
    is_best: bool = False  # of its task and flicker
    measures: Measures | None = None  # of its learning curves; None: not known


@dataclass(frozen=True)
class Result:
    """A study and what came of it."""

    study: str
    question: str
    rows: list[StudyRow]
    best: dict[str, str]  # task -> the label with the highest score there, over all flickers
    framework: str
    seeds: int
    games: int
    quick: bool
    steps: int | None  # of each run; None: as the study says
    precision: str | None  # likewise
    page: str
    csv: str
    processor: str  # that the runs were made on; several where they were
    versions: dict[str, str]  # of packages, likewise
    # Of the study, so that its results tell themselves what they are.
    reading: str = ""
    learned: str = ""
    choice: str = ""
    goals: dict[str, Goal] = field(default_factory=dict)  # by task
    window: int = 100  # episodes of a point of the learning curve


def conclude(
    name: str,
    study: Study,
    done: list[Run],
    folder: Path,
    framework: str,
    seeds: int,
    quick: bool,
    changed: dict[str, Any],
) -> Result:
    """Condenses the runs, and writes the table, the JSON and the page."""
    rows = [row for arm in study.arms for row in rows_of(study, arm, done)]
    rows = [dataclasses.replace(row, is_best=row is highest([r for r in rows if same(r, row)])) for row in rows]
    tasks = dict.fromkeys(row.task for row in rows)
    other = quick or "steps" in changed  # runs of other lengths: what the study's own have taught need not hold of them
    best = {task: highest([row for row in rows if row.task == task]).label for task in tasks}
    result = Result(
        study=name, question=study.question, rows=rows, best=best, framework=framework, seeds=seeds, games=study.games,
        quick=quick, steps=changed.get("steps"), precision=changed.get("precision"),
        page=str(folder / "study.html"), csv=str(folder / "study.csv"),
        processor="; ".join(dict.fromkeys(row["processor"] for row in done)), versions=versions_of(done), reading=study.reading,
        learned="" if other else study.learned, choice="" if other else study.choice, goals=study.goals, window=study.window,
    )  # fmt: skip
    write_whole(folder / "study.csv", lambda temporary: temporary.write_text(as_csv(rows), encoding="utf-8"))
    write_json(folder / "study.json", dataclasses.asdict(result))
    write_page(folder / "study.html", study, result, done)
    return result


def as_csv(rows: list[StudyRow]) -> str:
    """The rows as a table: a measure is its mean and the ends of its interval, empty where it is not known."""
    fields = ("task", "label", "flicker", "iqm", "low", "high", "parameters")
    names = ("area", "share", "steps_to_goal", "seconds_to_goal", "seconds")
    text = line([*fields, *(f"{name}{end}" for name in names for end in ("", "_low", "_high")), "reached"])
    for row in rows:
        cells = [getattr(row, field) for field in fields]
        for name in names:
            cells += getattr(row.measures, name, None) or [None] * 3
        cells.append("" if row.measures is None else sum(step is not None for step in row.measures.reached))
        text += line(["" if cell is None else cell for cell in cells])
    return text


def versions_of(done: list[Run]) -> dict[str, str]:
    """Each package's version, or versions, that the runs were made with."""
    found: dict[str, dict[str, None]] = {}
    for pair in (pair for row in done for pair in row["versions"].split()):
        name, version = pair.split("=", 1)
        found.setdefault(name, {})[version] = None
    return {name: " and ".join(versions) for name, versions in found.items()}


def rows_of(study: Study, arm: Arm, done: list[Run]) -> list[StudyRow]:
    """A variant's row for each chance of a hidden observation in the test."""
    mine = [row for row in done if (row["task"], row["label"]) == (arm.task, arm.label)]
    found = []
    for flicker in dict.fromkeys(row["flicker"] for row in mine):
        tested = sorted((row for row in mine if row["flicker"] == flicker), key=lambda row: row["seed"])
        scores = [row["score"] for row in tested]
        interval, parameters = bootstrap_iqm(scores), mine[0]["parameters"]
        measured = measures.over_seeds(tested, study)
        found.append(StudyRow(arm.task, arm.label, flicker, *interval, scores, parameters, measures=measured))
    return found


def same(a: StudyRow, b: StudyRow) -> bool:
    """Whether two rows stand against each other."""
    return (a.task, a.flicker) == (b.task, b.flicker)
