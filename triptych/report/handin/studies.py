"""The results of a study, as its folder keeps them: scores by task and variant, curves, and what was learned."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from triptych.frameworks import title_of
from triptych.report.colours import by_name
from triptych.report.films import FilmFile, is_file_itself
from triptych.report.handin.document import Line
from triptych.report.handin.tasks import Group, Task
from triptych.utils.console import counted
from triptych.utils.reading import Finite, read_json

RESULT, CURVES, FILMS, PAGE = "study.json", "curves.json", "films.json", "study.html"


@dataclass(frozen=True)
class Goal:
    chance: Finite
    threshold: Finite


@dataclass(frozen=True)
class Measures:
    """Of a variant's learning curves, as far as it is read here."""

    reached: list[int | None] = field(default_factory=list)  # a seed each: the step at which the threshold was reached


@dataclass(frozen=True)
class Row:
    """A variant's scores on a task."""

    task: str
    label: str
    scores: list[Finite]
    flicker: Finite | None = None
    measures: Measures | None = None


@dataclass(frozen=True)
class Curve:
    """A variant's learning curve over its seeds."""

    name: str
    x: list[Finite]
    mean: list[Finite]
    low: list[Finite]
    high: list[Finite]


@dataclass(frozen=True)
class Film:
    file: str  # its name


@dataclass(frozen=True)
class Kept:
    """What study.json holds, as far as it is read here; tables of before lack the last five."""

    study: str
    question: str
    framework: str
    games: int
    rows: list[Row]
    quick: bool = False
    processor: str = ""
    steps: int | None = None
    reading: str = ""
    learned: str = ""
    choice: str = ""
    goals: dict[str, Goal] = field(default_factory=dict)
    window: int = 100


@dataclass(frozen=True)
class StudyResult:
    """A study's folder."""

    path: Path
    kept: Kept
    tasks: list[Task]
    films: list[FilmFile] = field(default_factory=list)

    @property
    def whose(self) -> str:
        """What tells its tasks from those of another study, or of the same one in another framework."""
        return f"{self.kept.study} in {title_of(self.kept.framework)}"

    @property
    def page(self) -> Path | None:
        """The study's own page, where it is there."""
        return self.path / PAGE if (self.path / PAGE).is_file() else None


def is_study(path: Path) -> bool:
    return (path / RESULT).is_file()


def read_study(path: Path) -> StudyResult:
    """What a study's folder says.

    Raises:
        InputError: a file of it cannot be read.
    """
    kept = read_json(path / RESULT, Kept)
    curves = read_json(path / CURVES, dict[str, list[Curve]]) if (path / CURVES).is_file() else {}
    colours = by_name(row.label for row in kept.rows)
    return StudyResult(path, kept, tasks(kept, curves, colours), films(path, kept))


def films(path: Path, kept: Kept) -> list[FilmFile]:
    """The films beside a study's page, of its tasks; a name that leads out of the folder is none."""
    found = read_json(path / FILMS, dict[str, Film]) if (path / FILMS).is_file() else {}
    known = {row.task for row in kept.rows}
    told = "one test game of each variant, side by side, on the same seed"
    return [
        FilmFile(path / Path(film.file).name, f"{kept.study}, {task}", told, of_several=True)
        for task, film in found.items()
        if task in known and is_file_itself(path / Path(film.file).name)
    ]


def tasks(kept: Kept, curves: dict[str, list[Curve]], colours: dict[str, str]) -> list[Task]:
    """A task for each chance of a hidden observation in the tests; the learning curves stand with the first."""
    found = []
    drawn: set[str] = set()
    for task, flicker in dict.fromkeys((row.task, row.flicker) for row in kept.rows):
        rows = [row for row in kept.rows if (row.task, row.flicker) == (task, flicker) and row.scores]
        if not rows:
            continue
        goal = kept.goals.get(task)
        groups = [
            Group(row.label, colours[row.label], [float(score) for score in row.scores], title_of(kept.framework))
            for row in rows
        ]
        lines = (
            [] if task in drawn else [line(curve, colours) for curve in curves.get(task, []) if curve.name in colours]
        )
        drawn.add(task)
        found.append(
            Task(
                name=task if flicker is None else f"{task}, {flicker:.0%} hidden in the tests", groups=groups, curves=lines,
                measured=f"the mean reward of its best weights in {counted(kept.games, 'test game')}",
                chance=None if goal is None else goal.chance, threshold=None if goal is None else goal.threshold,
                reached={row.label: row.measures.reached for row in rows if row.measures and goal},
            )
        )  # fmt: skip
    return found


def line(curve: Curve, colours: dict[str, str]) -> Line:
    return Line(curve.name, colours[curve.name], curve.x, curve.mean, curve.low, curve.high)
