"""alarms.csv: what the checkup found wrong in a run while it went on. A row an alarm; no row, no file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from triptych.runs.names import ALARMS
from triptych.utils.checks import InputError
from triptych.utils.console import counted
from triptych.utils.files import is_link
from triptych.utils.reading import Count
from triptych.utils.tables import read_rows

MOST = 1_000  # rows that are read: each kind of alarm is told once, so there are never as many


class Alarm(TypedDict):
    """A row."""

    step: Count | None  # of the run, when it was told
    since: Count | None  # from which step on it is so, about; None: it is not known
    signal: str  # its short name: "weights-still"
    severity: str  # "warn" or "stop"
    title: str
    measured: NotRequired[str]
    expected: NotRequired[str]
    causes: NotRequired[str]  # the likeliest first, with " | " between them
    look: NotRequired[str]


def read_alarms(folder: Path) -> list[dict[str, Any]]:
    """A run's alarms, in their order.

    Raises:
        InputError: the file cannot be read.
    """
    file = folder / ALARMS
    if is_link(file) or not file.is_file():
        return []
    found: list[dict[str, Any]] = []
    for row in read_rows(file, Alarm, whole=True):
        if len(found) == MOST:
            break
        found.append({**dict.fromkeys(("measured", "expected", "causes", "look"), ""), **row})
    return found


def alarms_or_none(folder: Path) -> list[dict[str, Any]]:
    """The same; none where the file cannot be read, for whoever can do without it."""
    try:
        return read_alarms(folder)
    except InputError:
        return []


def sentence(alarm: dict[str, Any]) -> str:
    """All of an alarm but its causes, in a line."""
    since = f" since step {alarm['since']:,}" if alarm["since"] else ""
    expected = f"; expected: {alarm['expected']}" if alarm["expected"] else ""
    return f"{alarm['title']}{since}: {alarm['measured']}{expected}"


def summed_up(alarms: Sequence[Mapping[str, Any]], folder: Path) -> list[str]:
    """How many alarms a run has, which, and where they can be read, as a line; no alarm, no line."""
    if not alarms:
        return []
    names = dict.fromkeys(str(alarm["signal"]) for alarm in alarms)
    return [f"{counted(len(alarms), 'alarm')} of the checkup: {', '.join(names)}; read in {folder / ALARMS}"]
