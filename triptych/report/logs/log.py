"""What the page gets of one run: columns of numbers, and what is known about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, overload

import numpy as np

from triptych.recipes import Recipe
from triptych.report.logs.ends import Back, End

Arrays = Mapping[str, np.ndarray]  # float64, NaN where there is no value; all of one length

COUNTERS = ("steps", "frames", "episode", "updates", "seconds", "iteration", "row")  # they only grow within a run
AXES = {
    "steps": "agent steps", "frames": "emulator frames", "episode": "episodes", "seconds": "seconds",
    "iteration": "iterations", "updates": "updates", "row": "rows of the file",
}  # fmt: skip
LOW, HIGH = "__low", "__high"  # `loss__low` and `loss__high` are the band around `loss`
CHUNK = 65_536  # numbers that are made Python's at a time


class Numbers(Sequence[float | None]):
    """An array as a sequence of numbers, None where it is NaN. It takes eight bytes a number, however many there are."""

    def __init__(self, values: np.ndarray | Sequence[float | None]):
        self.values = np.asarray(values, dtype=np.float64)

    def __len__(self) -> int:
        return len(self.values)

    @overload
    def __getitem__(self, index: int) -> float | None: ...
    @overload
    def __getitem__(self, index: slice) -> Numbers: ...
    def __getitem__(self, index: int | slice) -> float | Numbers | None:
        if isinstance(index, slice):
            return Numbers(self.values[index])
        value = float(self.values[index])
        return None if value != value else value

    def __iter__(self) -> Iterator[float | None]:
        for start in range(0, len(self), CHUNK):
            for value in self.values[start : start + CHUNK].tolist():
                yield None if value != value else value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return f"Numbers({list(self[:10])}{', ...' if len(self) > 10 else ''})"


Columns = dict[str, Sequence[float | None]]


def columns_of(arrays: Arrays) -> Columns:
    return {name: Numbers(values) for name, values in arrays.items()}


@dataclass(frozen=True)
class Log:
    """One run's record. Every column of a part has a value, or None, in every row of that part."""

    name: str
    columns: Columns  # a row an episode, or a row now and then
    metrics: Columns = field(default_factory=dict)  # a row every log_every steps, and one per evaluation
    framework: str = ""  # "": a file that does not say
    path: Path | None = None  # the run folder
    config: dict[str, Any] | None = None
    summary: dict[str, Any] = field(default_factory=dict)
    resumes: list[dict[str, str]] = field(default_factory=list)
    evaluations: list[dict[str, Any]] = field(default_factory=list)  # what `triptych evaluate` found
    alarms: list[dict[str, Any]] = field(default_factory=list)  # what the checkup found wrong
    playable: bool = True  # whether its game may be made: a stranger's may need code
    more: tuple[Columns, ...] = ()  # what else somebody recorded, each with counters of its own
    played: str = ""  # the game's id, as a file of others names it
    notes: tuple[str, ...] = ()  # what a number means here, and what had to be mended or left out
    theirs: Mapping[str, str] = field(default_factory=dict)  # what the file calls our columns, where that is known
    back: Back | None = None  # where its first counter goes back; its rows are sorted
    ends: tuple[End, ...] = ()  # losses that hold no number any more, from some row to the last

    @property
    def random_key(self) -> str:
        """Which random play this run is to be held against: the game with all its settings."""
        return repr(self.recipe.env) if self.recipe else ""

    @property
    def recipe(self) -> Recipe | None:
        return None if self.config is None else self.config["recipe"]

    @property
    def game(self) -> str:
        """The id of the game that was played; empty where nothing says it."""
        return self.recipe.env.id if self.recipe else self.played

    @property
    def parts(self) -> tuple[Columns, ...]:
        return (self.columns, self.metrics, *self.more)
