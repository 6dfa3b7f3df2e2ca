"""The rows of a run's logs that no resume takes back any more, in the order of their steps."""

from __future__ import annotations

import csv
import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from triptych.runs.checkpoints import newest_manifest
from triptych.runs.names import LOGS
from triptych.utils.tables import number

TABLES = tuple(
    name.removesuffix(".csv") for name in LOGS
)  # of rows at one step the first table's come first, as they were written


@dataclass(frozen=True)
class Row:
    """A row of a log."""

    index: int  # its place among the rows of both logs, from 0
    table: str  # "episodes" or "metrics"
    step: int
    seconds: float  # of training, over all sessions
    values: Mapping[str, float]  # by column; empty fields are left out
    end: int  # bytes of its log up to here
    line: str  # as it stands there


@dataclass
class Place:
    """How far a log has been read: so many bytes, of which this was the last line."""

    bytes: int = 0
    line: str = ""

    def fits(self, path: Path) -> bool:
        """Whether the log still is what was read. A resume that goes back further than any usual one writes other rows there."""
        if not self.bytes:
            return True
        try:
            with open(path, "rb") as file:
                file.seek(max(0, self.bytes - len(self.line.encode())))
                return file.read(len(self.line.encode())) == self.line.encode()
        except OSError:
            return False


@dataclass
class Reader:
    """Reads a run's logs on from where it has come.

    Args:
        folder: the run's.
        places: by table, where to begin.
        count: rows before them.
    """

    folder: Path
    places: dict[str, Place] = field(default_factory=lambda: {table: Place() for table in TABLES})
    count: int = 0

    def still_fits(self) -> bool:
        """Whether the folder holds all that was read."""
        return all(place.fits(self.log(table)) for table, place in self.places.items())

    def skip(self, count: int) -> int:
        """Begins anew behind so many rows, or behind the last where there are fewer; gives how many were passed over."""
        self.places, self.count = {table: Place() for table in TABLES}, 0
        for row in self.rows() if count else ():
            if self.passed(row).count == count:
                break
        return self.count

    def passed(self, row: Row) -> Reader:
        """Goes on behind a row."""
        self.places[row.table], self.count = Place(row.end, row.line), row.index + 1
        return self

    def rows(self) -> Iterator[Row]:
        """The rows behind the place that are safe now; the reader itself stays where it is."""
        sizes = safe_sizes(self.folder)
        logs = [self.lines(table, sizes[table]) for table in TABLES]
        for index, (_, _, row) in enumerate(heapq.merge(*logs, key=lambda found: found[:2]), self.count):
            yield Row(index, **row)

    def lines(self, table: str, size: int) -> Iterator[tuple[int, int, dict]]:
        """A log's rows up to a size: step, the table's rank, and a row's fields."""
        path, rank, place = self.log(table), TABLES.index(table), self.places[table].bytes
        if place >= size:
            return
        with open(path, "rb") as file:
            header = file.readline()
            names = next(csv.reader([header.decode()]))
            end = max(place, len(header))
            file.seek(end)
            while end < size and (line := file.readline()).endswith(b"\n"):
                end += len(line)
                values = values_of(names, line.decode())
                step, seconds = int(values.get("steps", 0)), values.get("seconds", 0.0)
                row = {"table": table, "step": step, "seconds": seconds, "values": values, "end": end}
                yield step, rank, row | {"line": line.decode()}

    def log(self, table: str) -> Path:
        return self.folder / f"{table}.csv"


def values_of(names: list[str], line: str) -> dict[str, float]:
    """The finite numbers of a line."""
    cells = next(csv.reader([line]), [])
    values = {name: number(cell) for name, cell in zip(names, cells, strict=False) if cell}
    return {name: value for name, value in values.items() if value == value}


def safe_sizes(folder: Path) -> dict[str, int]:
    """Bytes of each log that no resume takes back: as many as at the newest checkpoint.

    A folder without checkpoints, as where somebody has removed them to save room, cannot be gone on with: all of it is safe.
    """
    newest = newest_manifest(folder)
    whole = {table: path.stat().st_size if (path := folder / f"{table}.csv").exists() else 0 for table in TABLES}
    if newest is None:
        return whole
    return {table: min(newest["logs"].get(f"{table}.csv", 0), whole[table]) for table in TABLES}
