"""The table of a study's runs: a row for each run and each test of it, written when the run has ended."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from triptych.utils.files import line, write_whole
from triptych.utils.reading import Count, Finite
from triptych.utils.tables import read_rows

COLUMNS = (
    "framework", "task", "label", "seed", "settings", "flicker", "epsilon", "games", "score", "best_step", "steps", "updates",
    "parameters", "seconds", "peak_memory", "processor", "versions", "run",
    "window", "area", "threshold", "threshold_step", "threshold_seconds", "test",
)  # fmt: skip


class Run(TypedDict):
    """A row of the table, as far as it is read."""

    framework: str
    task: str
    label: str
    seed: int
    settings: str
    flicker: Finite | None
    epsilon: Finite
    games: Count
    score: Finite
    parameters: Count
    processor: str
    versions: str
    run: str
    steps: NotRequired[Count | None]
    seconds: NotRequired[Finite | None]
    # Of the learning curve, see measures.py; not known in tables of before.
    window: NotRequired[Count | None]
    area: NotRequired[Finite | None]
    threshold: NotRequired[Finite | None]  # that the study named
    threshold_step: NotRequired[Count | None]  # None: never reached
    threshold_seconds: NotRequired[Finite | None]  # of the run until then
    test: NotRequired[str | None]  # the environment's settings in it, as JSON; nothing: those of the training


def test_of(row: Run) -> tuple[int, float, float | None, str]:
    """What a row's score was measured by: games, random actions, the chance of a hidden observation (None: as in training), and
    the environment's other settings (empty: as in training)."""
    return row["games"], row["epsilon"], row["flicker"], row.get("test") or ""


def append_rows(table: Path, known: dict[str, Any], found: dict[str, Any]) -> None:
    """A run's rows at once, one for each chance of a hidden observation that it was tested under."""
    rows = with_all_columns(table) if table.exists() else line(COLUMNS)
    for test in found["tests"]:
        row = found | known | {"run": found["path"]} | test
        rows += line(["" if row.get(column) is None else row[column] for column in COLUMNS])
    write_whole(table, lambda temporary: temporary.write_text(rows, encoding="utf-8"))


def with_all_columns(table: Path) -> str:
    """The table's text; one of before, which lacks the newer columns, with these left empty."""
    text = table.read_text(encoding="utf-8")
    if text.startswith(line(COLUMNS)):
        return text
    rows = csv.DictReader(io.StringIO(text, newline=""))
    return line(COLUMNS) + "".join(line([row.get(column) or "" for column in COLUMNS]) for row in rows)


def read_runs(table: Path) -> list[Run]:
    """The rows there are; none where no run has ended yet.

    Raises:
        InputError: it is no table of a study.
    """
    return list(read_rows(table, Run)) if table.exists() else []
