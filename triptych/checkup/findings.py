"""What a signal has to say: what was measured, what was expected, since when, the likeliest causes, where to look."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from triptych.runs.alarms import sentence
from triptych.utils.checks import check

Severity = Literal["note", "warn", "stop"]  # a plain sentence; learning suffers; nothing can come of the run
SEVERITIES = ("note", "warn", "stop")


@dataclass(frozen=True)
class Signal:
    """A kind of finding. The same one is used for a run that goes on, for one that is over, and for other people's code."""

    name: str  # "weights-still": in alarms.csv, on the page, in JSON
    severity: Severity
    title: str  # what is wrong, in a few words
    causes: tuple[str, ...]  # the likeliest first
    look: str  # where: a setting, a method, a file

    def __post_init__(self) -> None:
        check(self.severity in SEVERITIES, "severity", self.severity, ", ".join(SEVERITIES))


@dataclass(frozen=True)
class Finding:
    """What one signal found."""

    signal: Signal
    measured: str
    expected: str = ""
    since: int | None = None  # steps of the run; None: before the first one
    log: str = ""  # the name of the log in which it was found; "": it is no log's

    @property
    def severity(self) -> Severity:
        return self.signal.severity

    def line(self) -> str:
        """All of it but the causes, as one line; a note is its sentence alone."""
        return self.measured if self.severity == "note" else sentence(self.row(None))

    def lines(self, with_log: bool = False) -> Iterator[str]:
        """For people, the causes and the place below it.

        Args:
            with_log: whether the log is named, as where there are several.
        """
        where = f"{self.log}: " if with_log and self.log else ""
        yield f"{self.severity:5} {where}{self.signal.name}: {self.line()}"
        if self.severity == "note":
            return
        for cause in self.signal.causes:
            yield f"      perhaps {cause}"
        yield f"      look at {self.signal.look}"

    def row(self, step: int | None) -> dict[str, Any]:
        """A line of alarms.csv."""
        told = asdict(self.signal) | {"signal": self.signal.name, "causes": " | ".join(self.signal.causes)}
        told |= {"step": step, "since": self.since, "measured": self.measured, "expected": self.expected}
        return {name: told[name] for name in ALARMS}

    @classmethod
    def read(cls, row: dict[str, Any]) -> Finding:
        """What `row` wrote."""
        causes = tuple(row["causes"].split(" | ")) if row["causes"] else ()
        signal = Signal(row["signal"], row["severity"], row["title"], causes, row["look"])
        return cls(signal, row["measured"], row["expected"], row["since"])


ALARMS = (
    "step",
    "since",
    "signal",
    "severity",
    "title",
    "measured",
    "expected",
    "causes",
    "look",
)  # alarms.csv's columns
