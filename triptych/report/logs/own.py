"""Run folders that Triptych wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from triptych.report.logs.log import Columns, Log, Numbers
from triptych.runs.alarms import read_alarms
from triptych.runs.names import LOGS
from triptych.runs.records import read_beside, read_config, read_evaluations, read_resumes, read_summary
from triptych.runs.trust import Allowed, RefusedError
from triptych.utils.checks import InputError
from triptych.utils.console import counted, warn
from triptych.utils.reading import AS_LEFT
from triptych.utils.tables import read_table


def read_run(path: Path, trust: bool = False) -> Log:
    """A run folder. The page goes on without a game that it may not make.

    Raises:
        InputError: something in it cannot be read; the line names it.
    """
    config, playable = read_what_may(path, trust)
    (columns, notes), (metrics, more) = (columns_of(path / name) for name in LOGS)
    return Log(
        name=path.name,
        playable=playable,
        columns=columns,
        metrics=metrics,
        framework=config["framework"],
        path=path,
        config=config if config["recipe"] is not None else None,
        summary=read_summary(path),
        resumes=read_resumes(path),
        evaluations=read_evaluations(path),
        alarms=read_alarms(path),
        notes=notes + more,
    )


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


def columns_of(file: Path) -> tuple[Columns, tuple[str, ...]]:
    """A log's numbers, and what had to be left out of it; nothing where no row was written yet."""
    if not file.exists() or not file.stat().st_size:
        return {}, ()
    table = read_table(file, whole=True)
    if "steps" not in table.names:
        raise InputError(f"{file} cannot be read: it has no column 'steps'; allowed: {AS_LEFT}")
    notes = (f"{file.name}: {counted(table.torn, 'torn line')} left out",) if table.torn else ()
    return {name: Numbers(values) for name, values in table.columns.items()} if len(table) else {}, notes
