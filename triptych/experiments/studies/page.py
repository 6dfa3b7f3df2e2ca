"""A study as one self-contained page: scores with their intervals, learning curves, the runs."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from triptych.experiments.studies import Study, learned, published
from triptych.experiments.studies.filming import LONGEST, films_of
from triptych.experiments.studies.measures import curve_of
from triptych.experiments.studies.table import Run
from triptych.report import films, html
from triptych.report.colours import by_name
from triptych.report.curves import over_seeds
from triptych.report.matrix import matrix
from triptych.utils.files import write_json
from triptych.utils.reading import Finite, read_json

FEWEST = 4  # seeds of a variant below which intervals say nothing


class Curve(TypedDict):
    """A variant's learning curve, as curves.json keeps it."""

    name: str
    settings: list[str]
    x: list[Finite | None]
    mean: list[Finite | None]
    low: list[Finite | None]
    high: list[Finite | None]
    colour: NotRequired[str]


def write_page(path: Path, study: Study, result: Any, runs: list[Run]) -> None:
    """Writes the page, and beside it `curves.json`, from which a page made without the runs' folders has its curves."""
    colours = by_name(row.label for row in result.rows)
    file = path.with_name("curves.json")
    kept = read_json(file, dict[str, list[Curve]]) if file.exists() else {}
    charts = [chart(study, task, result, runs, colours, kept.get(task, [])) for task in result.best]
    for made in charts:  # a curve that could not be made, nor used this time, stays for another page
        curves = {curve["name"]: curve for curve in (*kept.get(made["task"], []), *made["curves"])}
        kept[made["task"]] = list(curves.values())
    write_json(file, kept, indent=None)
    others = published.figure(study.published, result.rows) if study.published else None
    content = {
        "study": study,
        "result": result,
        "matrix": matrix(scores_of(result)),
        "sentences": (published.sentences(study.published) if study.published else []) + sentences(result),
        "learned": learned.tables(study, result.rows),
        "choice": learned.sentences(study, result.rows),
        "data": {"tasks": charts, "published": others},
        "command": command(study, result),
        "style": html.script("page.css"),
        "script": html.script("chart.js", "study.js"),
    }
    room = html.MOST_BYTES - len(html.render("study.html", **content, films=[]).encode())
    html.write_page(path, "study.html", **content, films=films.shown(films_beside(path, result), path, room))


def films_beside(path: Path, result: Any) -> list[films.FilmFile]:
    """The films that lie beside the page, of its tasks."""
    kept = {task: path.with_name(kept["file"]) for task, kept in films_of(path.parent).items() if task in result.best}
    return [
        films.FilmFile(
            file,
            task,
            f"one test game each, on the same seed, of the run with the median score; its first {LONGEST} steps at most",
        )
        for task, file in kept.items()
    ]


def command(study: Study, result: Any) -> str:
    """What makes the runs of the page again: a line for the tasks that share their variants and seeds."""
    common = ["--quick"] if result.quick else []
    common += ["--steps", str(result.steps)] if result.steps is not None else []
    common += ["--precision", result.precision] if result.precision is not None else []
    lines = []
    for seeds, only, tasks in alike(study, result):
        words = ["triptych", "study", result.study, "--framework", result.framework, "--seeds", str(seeds), *common]
        if tasks and (study.published or set(tasks) != {arm.task for arm in study.arms}):
            words += ["--games", *tasks]
        words += ["--only", *only] if only else []
        lines.append(shlex.join(words))
    return "\n".join(lines)


def alike(study: Study, result: Any) -> list[tuple[int, list[str], list[str]]]:
    """Seeds, labels (none: all that there are) and tasks: the tasks of which these are the same stand together."""
    found: list[tuple[int, list[str], list[str]]] = []
    for task in dict.fromkeys(row.task for row in result.rows):
        rows = [row for row in result.rows if row.task == task]
        for seeds in sorted({len(row.scores) for row in rows}, reverse=True):
            labels = list(dict.fromkeys(row.label for row in rows if len(row.scores) == seeds))
            only = [] if set(labels) == {arm.label for arm in study.arms if arm.task == task} else labels
            same = next((tasks for s, others, tasks in found if s == seeds and set(others) == set(only)), None)
            if same is None:
                found.append((seeds, only, [task]))
            else:
                same.append(task)
    return found or [(result.seeds, [], [])]


def sentences(result: Any) -> list[str]:
    """What the numbers say of each task (and flicker): the highest variant, and which others cannot be told from it."""
    found = []
    for task, flicker in dict.fromkeys((row.task, row.flicker) for row in result.rows):
        rows = [row for row in result.rows if (row.task, row.flicker) == (task, flicker)]
        best = highest(rows)
        near = [row for row in rows if row is not best and row.high >= best.low]
        below = [row for row in rows if row.high < best.low]
        where = task if flicker is None else f"{task}, tested at {flicker:.0%} hidden"
        if min(len(row.scores) for row in rows) < FEWEST:
            others = ", ".join(f"{row.label} {row.iqm:,.2f}" for row in rows if row is not best)
            found.append(
                f"{where}: highest is {best.label} with {best.iqm:,.2f} ({others}); too few seeds to say more."
                if others
                else f"{where}: {best.label} {best.iqm:,.2f}, and no other variant beside it."
            )
            continue
        text = f"{where}: highest is {best.label} with {best.iqm:,.2f} ({best.low:,.2f} to {best.high:,.2f})."
        if near:
            text += f" Its interval overlaps with those of {', '.join(row.label for row in near)}."
        if below:
            text += f" Below it, intervals apart: {', '.join(f'{row.label} ({row.iqm:,.2f})' for row in below)}."
        found.append(text)
    return found


def highest(rows: list[Any]) -> Any:
    """The row with the highest mean, among equal ones the surest."""
    return max(rows, key=lambda row: (round(row.iqm, 6), row.low))


def scores_of(result: Any) -> dict[str, dict[str, tuple[float, float, float]]]:
    """The numbers of the page's first table: by task (and flicker), then by variant."""
    found: dict[str, dict[str, tuple[float, float, float]]] = {}
    for row in result.rows:
        where = row.task if row.flicker is None else f"{row.task}, tested at {row.flicker:.0%} hidden"
        found.setdefault(where, {})[row.label] = (row.iqm, row.low, row.high)
    return found


def named(row: Any) -> str:
    return row.label if row.flicker is None else f"{row.label} tested at {row.flicker:.0%} hidden"


def chart(
    study: Study, task: str, result: Any, runs: list[Run], colours: dict[str, str], kept: list[dict[str, Any]]
) -> dict[str, Any]:
    """A task's scores and curves as numbers for the page's script; a kept curve serves where not all runs are there."""
    rows = [row for row in result.rows if row.task == task]
    bars = [
        {"name": named(row), "iqm": row.iqm, "low": row.low, "high": row.high, "scores": row.scores, "colour": colours[row.label]}
        for row in rows
    ]  # fmt: skip
    curves = []
    for label in dict.fromkeys(row.label for row in rows):
        settings = {run["settings"]: run["run"] for run in runs if (run["task"], run["label"]) == (task, label)}
        found = {
            name: columns
            for name, columns in ((name, drawn(run, study.window)) for name, run in settings.items())
            if columns[0]
        }
        curve = next((old for old in kept if old["name"] == label and settings.keys() >= set(old["settings"])), None)
        if curve is None or len(found) >= len(curve["settings"]):
            columns = list(found.values())
            made = over_seeds(columns) if len(columns) != 1 else alone(*columns[0])
            curve = None if made is None else {"name": label, "settings": list(found), **made}
        if curve is not None:
            curves.append(curve | {"colour": colours[label]})
    goal = study.goals.get(task)
    lines = (
        [] if goal is None else [{"name": "random play", "y": goal.chance}, {"name": "threshold", "y": goal.threshold}]
    )
    return {"task": task, "bars": bars, "curves": curves, "lines": lines}


def alone(steps: list[float | None], values: list[float | None]) -> dict[str, list[float | None]]:
    """One run's curve, which has no interval."""
    return {"x": steps, "mean": values, "low": values, "high": values}


def drawn(run: str, window: int) -> tuple[list[float | None], list[float | None]]:
    """Steps and heights of a run's learning curve; none where its folder is gone."""
    curve = curve_of(Path(run), window)
    return curve.steps.tolist(), curve.means.tolist()
