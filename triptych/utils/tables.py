"""CSV files read line by line, of our own making or of anybody's: checked, named by line, and small in memory."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import math
import typing
import zlib
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from triptych.utils.checks import InputError
from triptych.utils.reading import AS_LEFT, is_text, typed

SEPARATORS = ",;\t"
MOST_LETTERS = 4_000_000  # of one line; csv alone refuses a field above 131,072
MOST_COLUMNS = 10_000
MOST_WORDS = 1_000  # different values of a column of text; with more it tells no rows apart
MOST_WORD_LETTERS = 100
GZIP = b"\x1f\x8b"
UTF16 = (b"\xff\xfe", b"\xfe\xff")  # what a spreadsheet's "Unicode text" and PowerShell's > begin with
UNREADABLE = (OSError, UnicodeError, EOFError, zlib.error)


class Words:
    """A column of text with few different values: which there are, and each row's place among them."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}
        self.rows = array("i")

    def append(self, word: str) -> None:
        if len(self.places) <= MOST_WORDS:
            self.rows.append(self.places.setdefault(word.strip()[:MOST_WORD_LETTERS], len(self.places)))

    @property
    def few(self) -> bool:
        return len(self.places) <= MOST_WORDS


@dataclass(frozen=True)
class Table:
    """The numbers of a file, a column an array of float64: NaN where a field is empty or no finite number."""

    path: Path
    names: tuple[str, ...]  # as they stand in the file, in its order
    columns: dict[str, np.ndarray]
    comments: tuple[str, ...] = ()  # the lines before the column names that begin with #
    torn: int = 0  # lines with another number of fields than there are names; left out
    broken: dict[str, np.ndarray] = field(
        default_factory=dict
    )  # a column's rows that hold something, but no finite number
    words: dict[str, Words] = field(default_factory=dict)  # the columns that were asked for as text

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    @property
    def lost(self) -> dict[str, int]:
        """How many fields of a column hold something, but no finite number; only columns that have such."""
        return {name: len(rows) for name, rows in self.broken.items()}


def read_table(path: Path, is_words: Callable[[str], bool] = lambda name: False, whole: bool = False) -> Table:
    """Anybody's CSV file as numbers: comma, semicolon or tab, with or without a byte-order mark, gzipped or not.

    Bytes that are no UTF-8 cost only the field that they stand in. Where semicolons separate, a comma is the decimal sign.

    Args:
        is_words: which columns, by name, are kept as text too.
        whole: leaves out a last line without its end, as `read_rows` does.

    Raises:
        InputError: it cannot be opened, has no column names, or a line of it is no line of a CSV file.
    """
    with opened(path, errors="replace") as text:
        comments, first = header(path, text)
        separator = max(SEPARATORS, key=first.count)
        lines = fields(path, text, separator, first, len(comments), whole)
        _, row = next(lines, (0, [""]))
        written = [name.strip() for name in row]
        if len(written) > MOST_COLUMNS:
            raise InputError(f"{path} has {len(written):,} columns; allowed: at most {MOST_COLUMNS:,}")
        names = unlike(written)
        values = [array("d") for _ in names]
        words = {index: Words() for index, name in enumerate(names) if is_words(name)}
        broken, torn = [array("q") for _ in names], 0
        for _, row in lines:
            if len(row) == len(names) + 1 and not row[-1]:  # a separator after the last field
                row.pop()
            if len(row) != len(names):
                torn += 1
            elif [cell.strip() for cell in row] != written:  # files put together repeat the names
                for index, cell in enumerate(row):
                    value = number(cell.replace(",", ".") if separator == ";" else cell)
                    if math.isnan(value) and cell.strip():
                        broken[index].append(len(values[index]))
                    values[index].append(value)
                for index, found in words.items():
                    found.append(row[index])
    return Table(
        path,
        tuple(names),
        {name: np.frombuffer(numbers, np.float64) for name, numbers in zip(names, values, strict=True)},
        tuple(comments),
        torn,
        broken={name: np.frombuffer(rows, np.int64) for name, rows in zip(names, broken, strict=True) if rows},
        words={names[index]: found for index, found in words.items() if found.few},
    )


def read_rows(path: Path, kind: Any, whole: bool = False) -> Iterator[Any]:
    """The rows of a file of our own, one after the other, each as `kind`: a TypedDict of numbers and words. Other columns are left out.

    Args:
        whole: leaves out a last line without its end: the file may be written right now, or by a process that was killed.

    Raises:
        InputError: it cannot be read, or a field is of another type or missing; the line names it.
    """
    hints = typing.get_type_hints(kind)
    with opened(path) as text:
        lines = fields(path, text, whole=whole)
        names = next(lines, (0, []))[1]
        for number, row in lines:
            if len(row) != len(names):
                raise InputError(f"{path}, line {number}: {len(row)} fields; allowed: {len(names)}, one a column")
            if not all(map(is_text, row)):
                raise InputError(
                    f"{path}, line {number}: a field holds a character that no text has; allowed: {AS_LEFT}"
                )
            given = zip(names, row, strict=True)
            cells = {name: cell or ("" if hints[name] is str else None) for name, cell in given if name in hints}
            yield typed(cells, kind, f"{path}, line {number}", strict=False)


@contextmanager
def opened(path: Path, errors: str = "strict") -> Iterator[TextIO]:
    """A text file, unpacked and in the encoding that it says itself. What fails while it is read is one line.

    Args:
        errors: what becomes of bytes that are no text, as in `open`.

    Raises:
        InputError: it cannot be opened, unpacked or read as text.
    """
    try:
        with open(path, "rb") as raw:
            binary: Any = gzip.GzipFile(fileobj=raw) if raw.peek(2)[:2] == GZIP else raw
            start = binary.peek(2)[:2]
            encoding = "utf-16" if start in UTF16 else "utf-8-sig"
            with io.TextIOWrapper(binary, encoding=encoding, errors=errors, newline="") as text:
                yield text
    except UNREADABLE as error:
        raise InputError(f"{path} cannot be read ({reason(error)}); allowed: a CSV file in UTF-8") from None


def header(path: Path, text: TextIO) -> tuple[list[str], str]:
    """The comments above the column names, and the line of names itself. A name may begin with #; JSON after it is a comment."""
    comments: list[str] = []
    for line in limited(path, text):
        if line.startswith(("#{", "# {", "##")):
            comments.append(line.strip())
        elif line.strip():
            return comments, line.removeprefix("#")
        else:
            comments.append("")
    raise InputError(f"{path} is empty; allowed: a CSV file with a line of column names")


def fields(
    path: Path, text: TextIO, separator: str = ",", first: str = "", skipped: int = 0, whole: bool = False
) -> Iterator[tuple[int, list[str]]]:
    """Each line that is not blank: its number in the file and its fields. A field in quotes may hold line ends.

    Args:
        first: a line that was read from `text` already.
        skipped: how many lines came before it.
        whole: leaves out a last line without its end: the file may be written right now, or by a process that was killed.

    Raises:
        InputError: a line is too long, or its quotes are never closed.
    """
    csv.field_size_limit(MOST_LETTERS)
    read = 1 if first else 0
    lines = (line for line in limited(path, text, skipped + read) if not whole or line.endswith("\n"))
    reader = csv.reader(itertools.chain([first] * read, lines), delimiter=separator)
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise InputError(
                f"{path}, line {skipped + reader.line_num}: {error}; allowed: lines of a CSV file"
            ) from None
        if row is None:
            return
        if row and any(row):
            yield skipped + reader.line_num, row


def limited(path: Path, text: TextIO, skipped: int = 0, most: int | None = None) -> Iterator[str]:
    """The lines of a file, none so long that it would fill the memory.

    Raises:
        InputError: one has more than `most` letters; None: MOST_LETTERS.
    """
    most = most or MOST_LETTERS
    count = skipped
    while line := text.readline(most + 1):
        count += 1
        if len(line) > most:
            raise InputError(f"{path}, line {count}: longer than {most:,} letters; allowed: lines of a CSV file")
        yield line


def unlike(names: list[str]) -> list[str]:
    """Names of which no two are equal: the second `loss` is `loss_2`."""
    found: dict[str, None] = {}
    for name in names:
        count, fresh = 1, name
        while fresh in found:
            count += 1
            fresh = f"{name}_{count}"
        found[fresh] = None
    return list(found)


def number(text: str) -> float:
    """A finite number as Python writes it, or NaN."""
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def reason(error: BaseException) -> str:
    """What went wrong, in one short line."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return (text.splitlines() or [type(error).__name__])[0][:200]
