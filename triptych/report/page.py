"""`triptych report`: runs as one self-contained HTML page. It reads logs and trains nothing.

It writes the page and nothing else: what random play scores is remembered in the user's cache.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from triptych.report import alarmed, figures, films, results, tables, words
from triptych.report.begun import flags, reused
from triptych.report.command import repeat, with_switches
from triptych.report.html import MOST_BYTES, check_page, render, script, write_page
from triptych.report.logs import Log, proofs, read_all
from triptych.report.logs.folders import PROOF
from triptych.report.random_play import cached, random_play
from triptych.report.series import Series, series_of
from triptych.report.show import build as show
from triptych.report.sources import sources
from triptych.runs.names import run_path
from triptych.runs.records import read_verdict
from triptych.utils.checks import EnvironmentFailed, InputError, check
from triptych.utils.console import warn
from triptych.utils.files import check_new_file


def report(
    arguments: list[str], *, runs_dir: str | Path = "runs", out: Path | None = None, frames_are: str = "steps",
    trust: bool = False, columns: Sequence[str] = (),
) -> Path:  # fmt: skip
    """Writes the page of some runs and returns its path.

    Args:
        arguments: run folders, runs' names, lockstep folders, logs of other tools, folders of any of them, CSV files of one run
            joined by `+`.
        out: the file; None: report.html in `runs_dir`, or for a single run of `runs_dir` in its own folder.
        frames_are: what a foreign file's `frames` column counts: `steps` or `emulator` frames.
        trust: run what the runs name, so that their games are known; without it only what this user's own runs name.
        columns: `THEIRS=ours`, what a column in a log of others is called here.

    Raises:
        InputError: an argument cannot be read, or a package is missing.
    """
    check_page("report")
    if out is not None:
        check_new_file(out)
        check(
            out.suffix.lower() in (".html", ".htm"),
            "out",
            str(out),
            "a file that ends on .html; .md and .pdf with --question",
        )
    paths = {argument: run_path(argument, runs_dir) for argument in arguments}
    names = [argument for argument in arguments if not (paths[argument] / PROOF).is_file()]
    logs = read_all(names, Path(runs_dir), frames_are, trust, columns)
    if not logs:
        raise InputError("there is no run to report on; allowed: at least one run folder, run's name or CSV file")
    path = out or default_place(logs, Path(runs_dir)) / "report.html"
    found = content(logs, verdicts(paths.values()))
    found |= {"style": script("page.css"), "script": script("chart.js", "curves.js", "page.js")}
    room = MOST_BYTES - len(render("page.html", **found, films=[]).encode())
    write_page(path, "page.html", **found, films=films.shown(films.films(logs), path, room))
    return path


def default_place(logs: list[Log], runs_dir: Path) -> Path:
    """The folder of a page that nobody gave a place: never one outside `runs_dir`, which is only read."""
    own = logs[0].path if len(logs) == 1 else None
    return own if own is not None and own.resolve().is_relative_to(runs_dir.resolve()) else runs_dir


def verdicts(paths: Iterable[Path]) -> list[str]:
    """What the locksteps in some folders show, a sentence each; of several the folder's name stands before it."""
    files = list(dict.fromkeys(file for path in paths if path.is_dir() for file in proofs(path)))
    several = len(files) > 1
    return [(f"{file.parent.name}. " if several else "") + words.verdict(read_verdict(file)) for file in files]


def content(logs: list[Log], proofs: list[str]) -> dict[str, Any]:
    """Everything that the template shows, but for films."""
    random = bands(logs)
    games = figures.by_game(logs)
    series = [one for runs in games.values() for one in series_of(runs) if one.logs[0].recipe]
    return {
        "title": words.title(logs),
        "lead": words.lead(logs),
        "results": [{"game": game} | results.table(runs, random) for game, runs in games.items()],
        "in_words": words.summary(games, random),
        "sentences": words.sentences(logs, random),
        "verdicts": proofs,
        "alarms": alarmed.alarms(logs),
        "charts": [{"game": game} | figures.data(runs, random, len(logs)) for game, runs in games.items()],
        "tested": [(log.name, test) for log in logs for test in log.evaluations],
        "speed": [tables.speed(log) for log in logs if log.summary],
        "reused": [table for log in logs for table in reused(log)],
        "settings": tables.settings([one.logs for one in series]),
        "names": [one.label for one in series] if len(games) == 1 else [game_label(one) for one in series],
        "machines": tables.machines(logs),
        "commands": commands(series),
        "sources": sources(series),
        "called": show.names_table(),
        "notes": list(dict.fromkeys(note for log in logs for note in log.notes)),
    }


def game_label(series: Series) -> str:
    recipe = series.logs[0].recipe
    return series.label if recipe is None else f"{recipe.env.id}: {series.label}"


def commands(series: list[Series]) -> list[tuple[str, str]]:
    """What repeats each run, seeds of one series a line each."""
    return [
        (
            one.label,
            "\n".join(
                with_switches(repeat(log.recipe, log.framework, flags(log)), log.config)
                for log in one.logs
                if log.recipe
            ),
        )
        for one in series
    ]


def bands(logs: list[Log]) -> dict[str, dict[str, Any]]:
    """What random play scores in each environment; not where it cannot be played."""
    found: dict[str, dict[str, Any]] = {}
    for log in logs:
        if log.recipe is None or not log.playable or log.random_key in found:
            continue
        known = [other.path / "random.json" for other in logs if other.path and other.random_key == log.random_key]
        try:
            found[log.random_key] = random_play(log.recipe.env, cached(log.recipe.env), known=known)
        except (InputError, EnvironmentFailed) as error:
            warn(f"no band of random play: {error}")
    return found
