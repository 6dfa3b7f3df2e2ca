"""A run folder with alarms in it, without training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from triptych.checkup.findings import ALARMS, Finding, Signal
from triptych.runs.folder import RunFolder

ODD = Signal("odd", "stop", "an <odd> thing", ("a first reason", "a second one"), "a & place")


def write_alarms(folder: Path, *steps: int, signal: Signal = ODD) -> list[dict[str, Any]]:
    """Appends an alarm for each step."""
    rows = [Finding(signal, f"{step} seen", "149 at most", step).row(step) for step in steps]
    with RunFolder(folder) as run:
        for row in rows:
            run.append("alarms.csv", row, ALARMS)
    return rows
