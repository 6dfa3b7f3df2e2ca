"""Lines for people, on standard error."""

from __future__ import annotations

import sys


def counted(number: int, noun: str) -> str:
    """`1 thread`, `2 threads`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def say(*lines: str) -> None:
    for text in lines:
        print(text, file=sys.stderr)


def warn(*lines: str) -> None:
    say(*(f"warning: {text}" for text in lines))
