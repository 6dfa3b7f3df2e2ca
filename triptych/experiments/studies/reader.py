"""What a study came to, as values, for whoever looks at it in Python."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from triptych.experiments.studies import NAMES, load_study
from triptych.experiments.studies.published import Published
from triptych.experiments.studies.rows import StudyRow
from triptych.report.handin.studies import CURVES, RESULT, Curve, Goal
from triptych.utils.checks import InputError, check
from triptych.utils.reading import read_json
from triptych.utils.words import shown


@dataclass(frozen=True)
class Stored:
    """What study.json holds, as far as it is read here; those of before lack the last four."""

    study: str
    question: str
    framework: str
    games: int
    rows: list[StudyRow]
    reading: str = ""
    learned: str = ""
    choice: str = ""
    goals: dict[str, Goal] = field(default_factory=dict)


@dataclass(frozen=True)
class StudyCurve:
    """A variant's learning curve over its seeds: the mean reward, and the 95 % bootstrap interval of this mean."""

    steps: np.ndarray  # [points]
    mean: np.ndarray  # [points]
    low: np.ndarray  # [points]
    high: np.ndarray  # [points]


@dataclass(frozen=True)
class StudyRecord:
    """What a study has found. `pandas.DataFrame(record.rows)` makes a table of it."""

    path: Path  # its folder
    study: str  # its name
    question: str
    framework: str
    games: int  # test games that judge each run's best weights
    rows: list[StudyRow]  # a variant each: task, label, flicker, iqm, low, high, scores, parameters, is_best
    curves: dict[str, dict[str, StudyCurve]]  # task -> label -> its learning curve
    goals: dict[str, Goal]  # task -> chance and threshold, where the study names them
    reading: str  # what its numbers mean
    learned: str  # what its runs have taught; empty: nobody has written it
    choice: str  # what it means for somebody who must choose; likewise
    published: tuple[Published, ...]  # scores of others that it is laid over: game, random, human, scores

    @property
    def tasks(self) -> list[str]:
        """The tasks, in the study's order."""
        return list(dict.fromkeys(row.task for row in self.rows))

    def of_task(self, task: str) -> list[StudyRow]:
        """A task's rows.

        Raises:
            InputError: the study has no such task.
        """
        check(task in self.tasks, "task", task, ", ".join(self.tasks))
        return [row for row in self.rows if row.task == task]

    def row(self, task: str, label: str, flicker: float | None = None) -> StudyRow:
        """A variant's row on a task; `flicker`: the chance of a hidden observation in the test.

        Raises:
            InputError: the study has no such row.
        """
        rows = self.of_task(task)
        for row in rows:
            if (row.label, row.flicker) == (label, flicker):
                return row
        labels = dict.fromkeys(row.label for row in rows)
        chances = dict.fromkeys(str(row.flicker) for row in rows)
        allowed = f"{', '.join(labels)}, with a flicker of {', '.join(chances)}"
        raise InputError(f"label is {shown(label)} with a flicker of {flicker}; allowed: {allowed}")


def read_study(folder: str | Path) -> StudyRecord:
    """Reads what a study has written: scores with their intervals, and learning curves.

    Args:
        folder: the folder of its results, as `run_study` or `triptych study` left it.

    Raises:
        InputError: it is no such folder, or a file of it cannot be read.
    """
    path = Path(folder)
    check((path / RESULT).is_file(), "study", str(folder), f"a folder with a study's results ({RESULT})")
    kept = read_json(path / RESULT, Stored)
    drawn = read_json(path / CURVES, dict[str, list[Curve]]) if (path / CURVES).is_file() else {}
    curves = {task: {one.name: curve_of(one) for one in found} for task, found in drawn.items()}
    published = load_study(kept.study).published if kept.study in NAMES else ()
    return StudyRecord(
        path, kept.study, kept.question, kept.framework, kept.games, kept.rows, curves, kept.goals,
        kept.reading, kept.learned, kept.choice, published,
    )  # fmt: skip


def curve_of(stored: Curve) -> StudyCurve:
    return StudyCurve(*(np.array(values) for values in (stored.x, stored.mean, stored.low, stored.high)))
