"""One file of another tool, or of one's own: which tool wrote it is told by its columns."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from triptych.report.logs import jsons, sb3, wandb
from triptych.report.logs.columns import OURS, OWN, Dialect, Naming, shown
from triptych.report.logs.dopamine import DOPAMINE
from triptych.report.logs.ends import taken_out, with_broken
from triptych.report.logs.log import COUNTERS, HIGH, LOW, Arrays
from triptych.report.logs.parts import Found
from triptych.report.logs.rllib import RLLIB
from triptych.report.logs.runs import is_key, started_over, told_apart
from triptych.report.logs.sb3 import PROGRESS
from triptych.report.logs.spinningup import SPINNING_UP, with_deviation
from triptych.report.logs.wandb import CLEANRL, HISTORY
from triptych.utils.checks import InputError
from triptych.utils.tables import Table, read_table

DIALECTS = (PROGRESS, SPINNING_UP, DOPAMINE, HISTORY, CLEANRL, RLLIB)  # the first that knows a column reads the file
KNOWN = {*OURS, *(ours + end for ours in OURS for end in (LOW, HIGH))}


def read_runs(table: Table, name: str, naming: Naming) -> list[Found]:
    """The runs in a file's table, which is no CSV export of TensorBoard's; `name` is the file's.

    Raises:
        InputError: it holds no row, or no column of it is known.
    """
    if not len(table):
        raise InputError(
            f"{table.path} has no row of {len(table.names)} fields below its column names; allowed: at least one"
        )
    if sb3.is_monitor(table.names):
        found = [sb3.read_monitors([table], name, naming)]
    elif wandb.is_export(table.names):
        found = wandb.read_export(table, naming)
    else:
        found = read_rows(table, name, naming)
    found[0].notes = [*found[0].notes, *mended(table)]
    return found


def table_of(path: Path) -> Table:
    """A file of CSV or JSON as a table.

    Raises:
        InputError: it is neither.
    """
    return jsons.read_json(path) if jsons.is_json(path) else read_table(path, is_key)


def read_rows(table: Table, name: str, naming: Naming) -> list[Found]:
    """A table in a tool's own words, or in somebody's: rows of one run or of several."""
    held = [name for name in table.names if np.isfinite(table.columns[name]).any()]
    dialect = next((one for one in DIALECTS if one.wrote(held)), OWN)
    names = naming.name([name for name in held if not is_key(name) or name in naming.given], dialect)
    check_known(table, names.values())
    called = {in_steps(ours, names.values(), naming.frames_are): theirs for theirs, ours in names.items()}
    every = np.arange(len(table))
    broken = {theirs: np.isin(every, table.broken[theirs]) for theirs in names if theirs in table.broken}
    found = []
    for run, game, rows in told_apart(name, table):
        part: Arrays = {ours: table.columns[theirs][rows] for theirs, ours in names.items()}
        part = with_deviation(in_agent_steps(part, naming.frames_are))
        pieces = started_over(with_broken(part, {names[theirs]: mask[rows] for theirs, mask in broken.items()}))
        for number, (piece, ends) in enumerate(map(taken_out, pieces), start=1):
            named = f"{run}, part {number}" if len(pieces) > 1 else run
            notes = [dialect.note] if dialect.note else []
            found.append(Found(named, [piece], is_by_episode(piece, dialect), game, notes, called, ends))
    return found


def check_known(table: Table, names: Iterable[str]) -> None:
    """Raises InputError where no column is known, or nothing but counters is there."""
    there = set(names)
    if not there & KNOWN or not there - set(COUNTERS):
        raise InputError(
            f"{table.path} has columns {shown(table.names)}, of which none is known to be a result; "
            "allowed: --columns THEIRS=ours, such as --columns ep_ret=episode_reward total=steps"
        )


def in_agent_steps(part: Arrays, frames_are: str) -> Arrays:
    return {in_steps(name, part, frames_are): values for name, values in part.items()}


def in_steps(name: str, names: Iterable[str], frames_are: str) -> str:
    """A column's name where `frames` may count agent steps."""
    return "steps" if name == "frames" and frames_are == "steps" and "steps" not in names else name


def is_by_episode(part: Arrays, dialect: Dialect) -> bool:
    """Whether each row of somebody's own table is one episode, none left out."""
    if dialect is not OWN or "episode_reward" not in part:
        return False
    if "episode" not in part:
        return "episode_length" in part
    counts = part["episode"][np.isfinite(part["episode"])]
    return len(counts) > 0 and bool((np.diff(counts) == 1).all())


def mended(table: Table) -> list[str]:
    """What of a table was left out, in sentences."""
    notes = [f"{table.path.name}: {table.torn:,} torn lines left out"] if table.torn else []
    for name, count in list(table.lost.items())[:5]:
        if np.isfinite(table.columns[name]).any() and not is_key(name):
            notes.append(
                f"{table.path.name}: {count:,} values of {shown([name])} are no finite numbers and are left out"
            )
    return notes
