"""JSON as a table: a line a row (RLlib's result.json), a list of rows, columns by name, or Dopamine's `iteration_N`."""

from __future__ import annotations

import json
import math
import re
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from triptych.report.logs.runs import is_key
from triptych.utils.checks import InputError
from triptych.utils.tables import MOST_COLUMNS, Table, Words, limited, opened

MOST_LETTERS = 64_000_000  # of a file that is one value; lines are read one by one
MOST_DEPTH = 8
ITERATION = re.compile(r"iteration_(\d+)$")
IGNORED = ("config", "hist_stats")  # RLlib's settings and its lists of single episodes


class Rows:
    """Rows of which each may have other columns."""

    def __init__(self) -> None:
        self.columns: dict[str, array] = {}
        self.words: dict[str, Words] = {}
        self.broken: dict[str, array] = {}
        self.count = 0

    def add(self, row: dict[str, Any]) -> None:
        for name, value in flat(row):
            if name in self.columns or len(self.columns) < MOST_COLUMNS:
                column = self.columns.setdefault(name, array("d"))
                if len(column) <= self.count:
                    pad(column, self.count)
                    column.append(value)
                    if not math.isfinite(value):
                        self.broken.setdefault(name, array("q")).append(self.count)
        for name, word in row.items():
            if is_key(name) and isinstance(word, str | int):
                words = self.words.setdefault(name, Words())
                for _ in range(len(words.rows), self.count):
                    words.append("")
                words.append(str(word)[:100])
        self.count += 1

    def table(self, path: Path, torn: int) -> Table:
        for column in self.columns.values():
            pad(column, self.count)
        arrays = {name: np.frombuffer(values, np.float64) for name, values in self.columns.items()}
        arrays = {name: np.where(np.isfinite(values), values, np.nan) for name, values in arrays.items()}
        words = {name: found for name, found in self.words.items() if found.few and len(found.rows) == self.count}
        broken = {name: np.frombuffer(rows, np.int64) for name, rows in self.broken.items()}
        return Table(path, tuple(arrays), arrays, torn=torn, broken=broken, words=words)


def pad(column: array, count: int) -> None:
    column.extend([float("nan")] * (count - len(column)))


def is_json(path: Path) -> bool:
    """Whether a file begins as a JSON value that could hold rows."""
    with opened(path, errors="replace") as text:
        return text.read(200).lstrip()[:1] in ("{", "[") and not path.name.endswith((".csv", ".csv.gz"))


def read_json(path: Path) -> Table:
    """The rows of a JSON file.

    Raises:
        InputError: it cannot be read, or holds no rows of numbers.
    """
    with opened(path, errors="replace") as text:
        first = text.readline(MOST_LETTERS)
        text.seek(0)
        rows, torn = Rows(), 0
        if isinstance(parsed(first), dict) and not as_rows(parsed(first), strict=True):
            for line in limited(path, text, most=MOST_LETTERS):
                row = parsed(line)
                if isinstance(row, dict):
                    rows.add(row)
                elif line.strip():
                    torn += 1
        else:
            whole = text.read(MOST_LETTERS + 1)
            if len(whole) > MOST_LETTERS:
                raise InputError(f"{path} is one value of more than {MOST_LETTERS:,} letters; allowed: a row a line")
            for row in as_rows(parsed(whole)):
                rows.add(row)
    if not rows.columns:
        raise InputError(
            f"{path} holds no rows of numbers; allowed: JSON with a row a line, a list of rows, or columns by name"
        )
    return rows.table(path, torn)


def parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def as_rows(value: Any, strict: bool = False) -> Iterable[dict[str, Any]]:
    """The rows that a value holds; with `strict` only where it cannot be a row itself."""
    if isinstance(value, list):
        return [row for row in value if isinstance(row, dict)]
    if not isinstance(value, dict):
        return []
    iterations = [(ITERATION.match(name), held) for name, held in value.items()]
    if iterations and all(found and isinstance(held, dict) for found, held in iterations):
        return sorted(
            ({"iteration": int(found[1]), **held} for found, held in iterations if found),
            key=lambda row: row["iteration"],
        )
    columns = {name: list(held.values()) if isinstance(held, dict) else held for name, held in value.items()}
    columns = {name: held for name, held in columns.items() if isinstance(held, list) and not any(map(is_nested, held))}
    if columns and len(columns) == len(value) and len(set(map(len, columns.values()))) == 1:
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return [] if strict else [value]


def is_nested(value: Any) -> bool:
    return isinstance(value, dict | list)


def flat(value: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, float]]:
    """The numbers in a nested row by their path; a list of numbers is its mean."""
    if isinstance(value, dict):
        for key, held in value.items() if depth < MOST_DEPTH else ():
            if depth or key not in IGNORED:
                yield from flat(held, f"{name}/{key}" if name else str(key), depth + 1)
    elif isinstance(value, list) and value and all(is_number(one) for one in value):
        yield name, float(np.mean(np.array(value, dtype=np.float64)))
    elif is_number(value):
        yield name, float(value)


def is_number(value: Any) -> bool:
    """A number that a float holds: JSON's whole numbers may be of any length."""
    return isinstance(value, float) or (
        isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 1023
    )
