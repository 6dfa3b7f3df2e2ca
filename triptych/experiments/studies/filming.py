"""A study's films: one test game of each variant of a task, side by side, on the same seed.

A run's process keeps the actions of its game; whoever writes the page plays them again, which needs no framework.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from statistics import median_low
from typing import TypedDict

from triptych.experiments.film import can_film, film, record
from triptych.experiments.studies import Study
from triptych.experiments.studies.table import Run
from triptych.experiments.tape import Tape
from triptych.recipes import Recipe
from triptych.report.colours import by_name
from triptych.utils.checks import InputError
from triptych.utils.console import warn
from triptych.utils.failures import first_line
from triptych.utils.files import write_json
from triptych.utils.reading import Count, read_json

TAPE = "videos/tape.json"  # in a run's folder
KEPT = "films.json"  # beside the page: which films there are
LONGEST = 500  # steps of a film: with the charts it must fit into a page


class Kept(TypedDict):
    """A game that a run's process has played."""

    actions: list[Count]
    fps: Count


class Film(TypedDict):
    """A film beside the page."""

    file: str  # its name
    settings: list[str]  # of the runs that it shows


def keep_tape(folder: Path, recipe: Recipe, framework: str, quiet: bool) -> None:
    """Plays a test game with a run's best weights and keeps its actions; a failure is a warning, never the run's end."""
    try:
        if can_film(recipe.env, quiet):
            tape = record(folder, recipe, framework)
            (folder / "videos").mkdir(exist_ok=True)
            # Without what the agent thought: bars and their digits make a film two or three times as large.
            write_json(folder / TAPE, Kept(actions=tape.actions[:LONGEST], fps=tape.fps))
    except (Exception, SystemExit) as error:  # of the user's own game too, which has never been drawn before
        warn(f"no film of {folder}: {first_line(error)}")


def make_films(study: Study, runs: list[Run], recipes: Mapping[str, Recipe], folder: Path) -> None:
    """Films each task that the study names, where it was not made of these very runs before; else what is there stays.

    Args:
        recipes: of the runs, by their settings' letters.
        folder: of the page.
    """
    kept = films_of(folder)
    labels = list(dict.fromkeys(arm.label for arm in study.arms))
    runs = sorted(runs, key=lambda run: labels.index(run["label"]))
    colours = by_name(run["label"] for run in runs)
    for task in study.films:
        shown = median_runs([run for run in runs if run["task"] == task])
        tapes = [tape for run in shown if (tape := tape_of(run, recipes[run["settings"]], colours[run["label"]]))]
        settings = [run["settings"] for run in shown]
        if not shown or len(tapes) < len(shown) or (task in kept and kept[task]["settings"] == settings):
            continue
        file = folder / f"film-{re.sub('[^a-z0-9]+', '-', task.lower()).strip('-')}.mp4"
        try:
            if film([tapes], file) is not None:
                kept[task] = Film(file=file.name, settings=settings)
                write_json(folder / KEPT, kept)
        except (Exception, SystemExit) as error:
            warn(f"no film {file}: {first_line(error)}")


def films_of(folder: Path) -> dict[str, Film]:
    """The films beside a page, by task."""
    return read_json(folder / KEPT, dict[str, Film]) if (folder / KEPT).exists() else {}


def median_runs(runs: list[Run]) -> list[Run]:
    """Of each variant the run with the median score, the lower of two: neither the luckiest nor the unluckiest seed."""
    found = []
    for label in dict.fromkeys(run["label"] for run in runs):
        mine = [run for run in runs if run["label"] == label]
        middle = median_low([run["score"] for run in mine])
        found.append(next(run for run in mine if run["score"] == middle))
    return found


def tape_of(run: Run, recipe: Recipe, colour: str) -> Tape | None:
    """The game that a run's process has kept; None where it kept none, or its folder is gone."""
    file = Path(run["run"]) / TAPE
    if not file.is_file():
        return None
    try:
        kept = read_json(file, Kept)
    except InputError as error:
        warn(f"no film of {run['run']}: {error}")
        return None
    return Tape(run["label"], run["framework"], recipe.env, list(kept["actions"]), int(kept["fps"]), colour)
