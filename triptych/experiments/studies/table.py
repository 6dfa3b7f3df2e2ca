"""The table of a study's runs: a row for each run and each test of it, written when the run has ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from triptych.utils.checks import InputError
from triptych.utils.files import line, read_rows, write_whole

COLUMNS = (
    "framework", "task", "label", "seed", "settings", "flicker", "epsilon", "games", "score", "best_step", "steps", "updates",
    "parameters", "seconds", "peak_memory", "processor", "versions", "run",
)  # fmt: skip


def test_of(row: dict[str, str]) -> tuple[int, float, float | None]:
    """What a row's score was measured by: games, random actions, the chance of a hidden observation (None: as in training)."""
    return int(row["games"]), float(row["epsilon"]), float(row["flicker"]) if row["flicker"] else None


def append_rows(table: Path, known: dict[str, Any], found: dict[str, Any]) -> None:
    """A run's rows at once, one for each chance of a hidden observation that it was tested under."""
    rows = table.read_text(encoding="utf-8") if table.exists() else line(COLUMNS)
    for test in found["tests"]:
        row = found | known | {"run": found["path"]} | test
        rows += line(["" if row.get(column) is None else row[column] for column in COLUMNS])
    write_whole(table, lambda temporary: temporary.write_text(rows, encoding="utf-8"))


def read_runs(table: Path) -> list[dict[str, str]]:
    if not table.exists():
        return []
    rows = read_rows(table)
    if rows and set(rows[0]) != set(COLUMNS):
        raise InputError(f"{table} is no table of a study; allowed: another --out")
    return rows
