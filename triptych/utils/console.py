"""Lines for people, on standard error."""

from __future__ import annotations

import sys


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


def say(*lines: str) -> None:
    for text in lines:
        print(plain(text), file=sys.stderr)


def warn(*lines: str) -> None:
    say(*(f"warning: {text}" for text in lines))
