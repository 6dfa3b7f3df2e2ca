"""What the checkup found wrong in the runs of a page."""

from __future__ import annotations

from typing import Any

from triptych.report.logs import Log
from triptych.runs.endings import why
from triptych.utils.console import counted


def alarms(logs: list[Log]) -> list[dict[str, Any]]:
    """The page's alarms: those of each run that had some, each with its causes as a list."""
    return [
        {"run": log.name, "alarms": [alarm | {"causes": causes_of(alarm)} for alarm in log.alarms]}
        for log in logs
        if log.alarms
    ]


def causes_of(alarm: dict[str, Any]) -> list[str]:
    return [cause for cause in str(alarm["causes"]).split(" | ") if cause]


def sentences(log: Log) -> list[str]:
    """What the first screen says of a run that diverged, that an alarm stopped, or that had alarms."""
    ended, lines = log.summary.get("stopped_by"), []
    if ended in ("diverged", "alarm"):
        at = int(log.summary.get("steps") or 0)
        kept = " What was learned before is kept: its last good weights." if ended == "diverged" else ""
        lines.append(f"{log.name} is over before its end: {why(ended, at, 0)}.{kept}")
    if log.alarms:
        titles = ", ".join(dict.fromkeys(str(alarm["title"]) for alarm in log.alarms))
        lines.append(f"{log.name} had {counted(len(log.alarms), 'alarm')}: {titles}. What was measured stands below.")
    return lines
