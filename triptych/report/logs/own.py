"""Run folders that Triptych wrote."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from triptych.report.logs.log import Columns, Log
from triptych.runs.records import read_beside, read_config, read_evaluations, read_log, read_summary
from triptych.runs.trust import Allowed, RefusedError
from triptych.utils.checks import InputError
from triptych.utils.console import warn
from triptych.utils.tables import number


def read_run(path: Path, trust: bool = False) -> Log:
    """A run folder. The page goes on without a game that it may not make."""
    config, playable = read_what_may(path, trust)
    files = {name: path / f"{name}.csv" for name in ("episodes", "metrics", "resumes")}
    try:
        rows = {name: read_log(file) if file.exists() else [] for name, file in files.items()}
        return Log(
            name=path.name,
            playable=playable,
            columns=to_columns(rows["episodes"]),
            metrics=to_columns(rows["metrics"]),
            framework=config["framework"],
            path=path,
            config=config if config["recipe"] is not None else None,
            summary=read_summary(path),
            resumes=rows["resumes"],
            evaluations=read_evaluations(path),
        )
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        raise InputError(f"the logs in {path} cannot be read ({error}); allowed: files as triptych left them") from None


def read_what_may(path: Path, trust: bool) -> tuple[dict[str, Any], bool]:
    """A run's config as far as nothing that it names must run, and whether its game may be made.

    Without its recipe where layers or an algorithm are not known: then its curves are all there is to show.
    """
    try:
        return read_config(path, Allowed(trust=trust, ways=("--trust (run what it names)",))), True
    except RefusedError as error:
        warn(f"{error}; its page leaves out what needs its game")
    try:
        return read_config(path), False
    except InputError:
        recorded = read_beside(path)
        return {"framework": str(recorded.get("framework", "")), "recipe": None}, False


def to_columns(rows: list[dict[str, str]]) -> Columns:
    names = [name for name in rows[0] if name] if rows else []  # a row too long has its rest under None
    found: Columns = {}
    for name in names:
        values = [number(row[name] or "") for row in rows]
        found[name] = [None if value != value else value for value in values]
    return found
