"""A log that grows: only what was appended is read. One that was cut back, as a resume does, is read anew."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np

from triptych.report.films import is_file_itself
from triptych.utils.tables import number, unlike

CHUNK = 4_000_000  # bytes that are read at once; a line that is longer is none of a log
KEPT = 256  # bytes before the end of what was read, by which a file is known again
MOST_COLUMNS = 500
END = 16_384  # bytes at a file's end in which its last rows are looked for
NUMBERS = msgspec.json.Decoder(list[float | None])


class Tail:
    """The numbers of one CSV file of ours. `refresh` reads on; what is no row of numbers is left out and counted.

    The file may be missing, empty, torn at its end, or anything at all: then there are no rows.
    """

    def __init__(self, path: Path):
        self.path = path
        self.generation = 0  # how often it was begun anew
        self.asked = 0  # of whoever keeps it
        self.forget()

    def forget(self) -> None:
        self.names: tuple[str, ...] = ()
        self.rows = np.empty((0, 0))  # room for more rows than there are
        self.count = self.torn = self.offset = 0
        self.last = b""  # the bytes before the offset
        self.file = (0, 0)  # which one it was
        self.seen = (-1, -1)  # its size and time then

    @property
    def version(self) -> str:
        """Another one where there is anything new."""
        return f"{self.generation}.{self.count}"

    @property
    def nbytes(self) -> int:
        return self.rows.nbytes

    def column(self, name: str) -> np.ndarray | None:
        """A column's numbers so far, NaN where there is none; None: there is no such column."""
        if name not in self.names:
            return None
        return self.rows[: self.count, self.names.index(name)]

    def heads(self) -> tuple[str, ...]:
        """The columns' names. Of a log that nobody has read only its first line is."""
        return self.names or (first_line(self.path) if is_file_itself(self.path) else ())

    def refresh(self) -> None:
        """Reads what has been appended since the last time."""
        try:
            told = self.path.lstat()
            file, seen = (told.st_dev, told.st_ino), (told.st_size, told.st_mtime_ns)
            if not is_file_itself(self.path):
                self.begin_anew()
            elif file != self.file or seen != self.seen:
                with open(self.path, "rb") as handle:
                    if file != self.file or not self.goes_on(handle, told.st_size):
                        self.begin_anew()
                    self.read_on(handle)
                self.file, self.seen = file, seen
        except OSError:  # gone, or not readable now
            self.begin_anew()

    def begin_anew(self) -> None:
        if self.offset:
            self.generation += 1
        self.forget()

    def goes_on(self, handle: BinaryIO, size: int) -> bool:
        """Whether what was read still stands there, at the end of it at least."""
        if size < self.offset:
            return False
        handle.seek(self.offset - len(self.last))
        return handle.read(len(self.last)) == self.last

    def read_on(self, handle: BinaryIO) -> None:
        handle.seek(self.offset)
        while chunk := handle.read(CHUNK):
            end = chunk.rfind(b"\n") + 1
            if not end:
                if len(chunk) < CHUNK:
                    return  # a line that is being written
                end = len(chunk)  # no line of ours: it is left out in pieces
            self.take(chunk[:end])
            self.offset += end
            self.last = (self.last + chunk[:end])[-KEPT:]
            handle.seek(self.offset)

    def take(self, lines: bytes) -> None:
        if not self.names:
            first, _, lines = lines.partition(b"\n")
            self.names = column_names(first)
            self.rows = np.empty((0, len(self.names)))
        if not lines:
            return
        found, torn = parsed(lines, len(self.names))
        self.torn += torn
        self.append(found)

    def append(self, found: np.ndarray) -> None:
        room = self.count + len(found)
        if room > len(self.rows):
            grown = np.empty((max(room, 2 * self.count), len(self.names)))
            grown[: self.count] = self.rows[: self.count]
            self.rows = grown
        self.rows[self.count : room] = found
        self.count = room


def first_line(path: Path) -> tuple[str, ...]:
    """The columns' names of a file; none where there is no whole line yet."""
    try:
        with open(path, "rb") as handle:
            line = handle.readline(END)
    except OSError:
        return ()
    return column_names(line) if line.endswith(b"\n") else ()


def column_names(line: bytes) -> tuple[str, ...]:
    text = line.decode("utf-8-sig", errors="replace").strip()
    try:
        names = next(csv.reader([text]), [])
    except csv.Error:
        names = []
    return tuple(unlike([name.strip() for name in names[:MOST_COLUMNS]])) or ("",)


def parsed(lines: bytes, columns: int) -> tuple[np.ndarray, int]:
    """Whole lines as numbers [rows, columns], NaN where a field is empty or no finite number; and how many lines were no rows."""
    letters = np.frombuffer(lines, np.uint8)
    ends = np.flatnonzero(letters == ord("\n"))
    commas = np.searchsorted(np.flatnonzero(letters == ord(",")), ends)
    if len(ends) and lines.endswith(b"\n") and (np.diff(commas, prepend=0) == columns - 1).all():
        try:
            return plain_numbers(lines).reshape(-1, columns), 0
        except ValueError:  # a field that JSON would not call a number
            pass
    return one_by_one(lines, columns)


def plain_numbers(lines: bytes) -> np.ndarray:
    """All fields, one after the other, by a JSON reader: five times as fast as `float` on each.

    Raises:
        ValueError: a field is no number as JSON has them. msgspec's DecodeError is one.
    """
    text = b"," + lines.replace(b"\r\n", b"\n").rstrip(b"\n").replace(b"\n", b",") + b","
    if b",," in text:
        text = text.replace(b",,", b",null,").replace(b",,", b",null,")
    found = np.array(NUMBERS.decode(b"[" + text[1:-1] + b"]"), dtype=np.float64)
    found[~np.isfinite(found)] = np.nan
    return found


def one_by_one(lines: bytes, columns: int) -> tuple[np.ndarray, int]:
    """The same by Python's own reader, line by line: of what cannot be read only that line is lost."""
    found, torn = [], 0
    for row in rows_of(lines):
        if len(row) == columns:
            found.append([number(cell) for cell in row])
        elif any(row):
            torn += 1
    return np.array(found, dtype=np.float64).reshape(-1, columns), torn


def rows_of(lines: bytes) -> Iterator[list[str]]:
    for line in io.StringIO(lines.decode("utf-8", errors="replace")):
        try:
            yield next(csv.reader([line]), [])
        except csv.Error:
            yield ["", "torn"]


def ending(path: Path) -> Tail:
    """The names and the last rows of a log, without the rest: enough to say how a run stands."""
    found = Tail(path)
    try:
        if not is_file_itself(path):
            return found
        with open(path, "rb") as handle:
            start = handle.read(END)
            first, _, behind = start.partition(b"\n")
            size = handle.seek(0, os.SEEK_END)
            if size > len(start):
                handle.seek(max(len(first) + 1, size - END))
                behind = handle.read(END)
                behind = behind if size - END <= len(first) + 1 else behind.partition(b"\n")[2]
    except OSError:
        return found
    whole = behind[: behind.rfind(b"\n") + 1]
    if first and (whole or b"\n" in start):
        found.take(first + b"\n" + whole)
    return found
