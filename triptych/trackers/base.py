"""What a tracker is, for the mirror that feeds it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from triptych.trackers.columns import STEP, named
from triptych.trackers.rows import Row

PROJECT = "triptych"  # where the tool asks for one and the user has named none
ROW = "triptych/row"  # a row's place, by which a tool that was killed tells how far it had come
FILM = "triptych/film"  # the file of a film, likewise


@dataclass(frozen=True)
class About:
    """What is mirrored."""

    folder: Path  # the run's
    name: str  # what the run is called: its folder's name, with a number behind it where its past was rewritten
    settings: Mapping[str, Any]  # config.json's, flat: {"algorithm.gamma": 0.99}; numbers, words, None
    begun: float  # seconds since 1970 at which the run began
    run: str | None  # what the tool calls the run; None: it is not known there yet
    kept: Mapping[str, Any]  # what the tracker's `kept` said last
    group: str | None = None  # what the run is one of: a comparison, a study, a search


@dataclass(frozen=True)
class Point:
    """A row as a tracker shows it."""

    index: int  # from 0, without a gap
    step: int  # of the environments
    time: float  # seconds since 1970 at which it was, as far as the folder tells
    values: Mapping[str, float]

    @classmethod
    def of(cls, row: Row, begun: float) -> Point:
        return cls(row.index, row.step, begun + row.seconds, named(row))

    def marked(self) -> dict[str, float]:
        """Its values, with its step and its place beside them."""
        return {**self.values, STEP: self.step, ROW: self.index}


def plain_name(name: str) -> str:
    """A run's name of letters that every tool takes, and no more of them than that."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", name)[:100]


class Tracker(Protocol):
    """One run in one tool. Making it (`open_run` of its module) finds the run there, or gives it a name.

    Whatever it raises, the mirror ends with one line, and the run goes on without it.
    """

    run: str  # what the tool calls the run
    where: str  # for the user: where to look at it
    late: bool  # whether it writes a moment after it was given something, so that it may lose that where it is killed

    def held(self) -> int | None:
        """How many rows the tool holds, as it says itself; None: as many as the folder says were sent.

        It is asked first, when the folder knows what the tool calls the run.
        """
        ...

    def films(self) -> Collection[str] | None:
        """Which files of films it holds; None: those that the folder says were sent."""
        ...

    def rows(self, points: Sequence[Point]) -> None:
        """Takes rows, in their order."""
        ...

    def test(self, name: str, values: Mapping[str, float], step: int) -> None:
        """Takes what test games came to."""
        ...

    def video(self, name: str, file: Path, step: int) -> None:
        """Takes a film of a test game, an MP4."""
        ...

    def weights(self, alias: str, files: Mapping[str, Path], step: int) -> None:
        """Takes weights, with what is needed to play them: files by their names in a run folder.

        Args:
            alias: "best" or "latest".
        """
        ...

    def kept(self) -> Mapping[str, Any]:
        """Makes all that was taken durable, if it is not `late`; what the folder is to keep of it, as JSON. `close` is not its end."""
        ...

    def close(self) -> None:
        """Ends the session there."""
        ...
