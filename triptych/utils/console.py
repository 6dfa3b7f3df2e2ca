"""Lines for people, on standard error, through Python's logging.

Whoever read them may go away (`| head -1`, a closed terminal): that stops no training.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from typing import IO, Any, cast


def counted(number: int, noun: str) -> str:
    """`1 thread`, `2 threads`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def plain(text: str) -> str:
    """The text with what a terminal would not show, but obey, spelled out: `\\x1b[2J`; a tab and a line's end are spaces."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else " " if letter in "\t\n" else ascii(letter)[1:-1] for letter in text
    )


def shortened(text: str, letters: int) -> str:
    """A text of at most so many letters; of a longer one the middle is left out."""
    if len(text) <= letters:
        return text
    half = (letters - 3) // 2
    return f"{text[:half]}...{text[-half:]}"


class OnStandardError(logging.Handler):
    """Prints each message as a line on standard error, wherever that is at the time."""

    def emit(self, record: logging.LogRecord) -> None:
        before = "warning: " if record.levelno == logging.WARNING else ""
        with contextlib.suppress(OSError):
            print(plain(f"{before}{record.getMessage()}"), file=sys.stderr)


# What is told of a run. Who wants it elsewhere gives this logger other handlers.
LOGGER = logging.getLogger("triptych")
LOGGER.addHandler(OnStandardError())
LOGGER.setLevel(logging.INFO)
LOGGER.propagate = False


@contextlib.contextmanager
def level(quiet: bool, verbose: bool) -> Iterator[None]:
    """While a command runs. Quiet: warnings alone. Verbose: what is done on the way too."""
    before = LOGGER.level
    LOGGER.setLevel(logging.WARNING if quiet else logging.DEBUG if verbose else logging.INFO)
    try:
        yield
    finally:
        LOGGER.setLevel(before)


def detail(line: str) -> None:
    """What only `--verbose` shows."""
    LOGGER.debug("%s", line)


def say(*lines: str) -> None:
    """Prints lines on standard error."""
    for text in lines:
        LOGGER.info("%s", text)


def warn(*lines: str) -> None:
    for text in lines:
        LOGGER.warning("%s", text)


def problem(line: str) -> None:
    """What is told even where quiet is asked for."""
    LOGGER.error("%s", line)


def put(*lines: str) -> None:
    """Prints lines on standard output. A file's name in them may be anybody's."""
    try:
        for text in lines:
            print(plain(text), flush=True)
    except OSError:
        mute()


def mute() -> None:
    """Drops what is printed from now on, as nobody reads it: else the interpreter would complain at its end."""
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115 (open to the end)


class Heard:
    """A stream that drops what it cannot write any more."""

    def __init__(self, stream: IO[str]):
        self.stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            return self.stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self.stream.flush()


def heard(stream: IO[str]) -> IO[str]:
    return cast(IO[str], Heard(stream))
