"""What the audit says of a sample: nothing, or the first thing of it that differs, in words."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from triptych.checkup.findings import Signal
from triptych.checkup.stream import Stream


class Differs(NamedTuple):
    """The first thing of a sample that is not as the games' stream says."""

    signal: Signal
    measured: str
    expected: str


class Unknown(Exception):
    """A sample cannot be judged: it is of a time that was not heard."""


def place(stream: Stream, row: int, game: int) -> str:
    """A step of a game, for people."""
    step = int(stream.at("step", np.array(row), np.array(game)))
    return f"game {game}, step {step} of its episode"


def whose(stream: Stream, field: str, found: Any, row: int, game: int) -> str:
    """Whose number it is that stands in place of the right one, if one near by has it."""
    near = {
        "the step before": (row - 1, game),
        "the step after": (row + 1, game),
        "the game before": (row, (game - 1) % stream.num_envs),
        "the game after": (row, (game + 1) % stream.num_envs),
    }
    for name, (at_row, at_game) in near.items():
        inside = stream.oldest <= at_row < stream.count - 1 and (at_row, at_game) != (row, game)
        if inside and stream.at(field, np.array(at_row), np.array(at_game)) == found:
            return f", as that of {name}"
    return ""


def number(value: Any) -> str:
    return f"{float(value):.6g}"
