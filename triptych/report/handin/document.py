"""What a report is made of, whatever it is written as: parts of blocks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from triptych.report.films import FilmFile


@dataclass(frozen=True)
class Cell:
    """A cell of a table."""

    text: str
    small: str = ""  # a line below it
    link: str = ""  # an address
    colour: str = ""  # of a dot before it
    strong: bool = False


@dataclass(frozen=True)
class Table:
    head: list[str]
    rows: list[list[Cell]]
    caption: str = ""
    numbers: int = 1  # the first column of numbers; those before it are words
    leads: bool = False  # the page's answer, in large letters


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str
    kind: str = ""  # "", "note", "warning", "verdict", "result"


@dataclass(frozen=True)
class Heading:
    text: str


@dataclass(frozen=True)
class Code:
    title: str
    text: str
    language: str = ""


@dataclass(frozen=True)
class Links:
    """Addresses, a line each."""

    items: list[tuple[str, str]]  # text, address


@dataclass(frozen=True)
class Line:
    """A curve with its interval."""

    label: str
    colour: str
    x: list[float]
    y: list[float]
    low: list[float] | None = None
    high: list[float] | None = None
    dash: str = "solid"


@dataclass(frozen=True)
class Point:
    """A number with its interval, beside the numbers that it is the mean of."""

    label: str
    colour: str
    value: float
    low: float | None = None
    high: float | None = None
    each: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Figure:
    """Curves, or numbers below each other; never both."""

    name: str  # of its file, without an ending
    title: str
    x: str  # what the axis says
    y: str = ""
    caption: str = ""
    lines: list[Line] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    marks: list[tuple[str, float]] = field(
        default_factory=list
    )  # a line across, with its name: random play, a threshold
    steps: bool = False  # curves are steps
    limits: tuple[float, float] | None = None  # of the axis that the numbers lie along


@dataclass(frozen=True)
class Curves:
    """The page's own figures of a game, which a reader can ask; on paper and elsewhere the figures that stand in for them."""

    chart: dict[str, Any]  # see report/figures.py
    figures: list[Figure]
    recorded: bool = False  # all that was recorded instead of the reward


@dataclass(frozen=True)
class Films:
    films: list[FilmFile]


@dataclass(frozen=True)
class Sources:
    """The agents as plain source; see report/sources.py."""

    found: dict[str, Any]
    called: list[Any]


Block = Table | Text | Heading | Code | Links | Figure | Curves | Films | Sources


@dataclass(frozen=True)
class Part:
    """A part of the page, with a heading and a line in the contents."""

    id: str
    title: str
    blocks: list[Block]


@dataclass(frozen=True)
class Document:
    title: str
    question: str
    author: str
    date: str
    lead: list[Block]  # the first screen
    parts: list[Part]

    @property
    def figures(self) -> list[Figure]:
        """Every figure that can be drawn, in order."""
        blocks = [block for part in self.parts for block in part.blocks]
        found: list[Figure] = []
        for block in [*self.lead, *blocks]:
            found += [block] if isinstance(block, Figure) else block.figures if isinstance(block, Curves) else []
        return found
