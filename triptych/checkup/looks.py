"""What a checkup looked at, and what it found."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from triptych.checkup.findings import Finding, Signal
from triptych.utils.checks import EnvironmentFailed, InputError
from triptych.utils.console import counted

FAILED = Signal(
    "look-failed", "warn", "a look ended in an error",
    ("code of one's own that fails where a run would call it too",), "the error",
)  # fmt: skip


class NotSeen(Exception):
    """Raised by a look: nothing could be compared there. It is the reason, and what was seen all the same."""


@dataclass(frozen=True)
class Look:
    """One thing that was looked at."""

    what: str
    seconds: float
    found: int  # alarms
    left_out: str = ""  # why nothing could be seen there; "": it was looked at
    read: tuple[str, ...] = ()  # of a log: sentences about what was read there, and of what nothing can be said


@dataclass
class Checkup:
    """What a checkup came to."""

    subject: str  # what was looked at: a recipe, a run, a log
    findings: list[Finding] = field(default_factory=list)  # notes too
    looks: list[Look] = field(default_factory=list)  # what was looked at, each with its seconds

    @property
    def alarms(self) -> list[Finding]:
        """What looks wrong: the findings that are more than a note."""
        return [finding for finding in self.findings if finding.severity != "note"]

    def verdict(self) -> str:
        """The last line: how much looks wrong, or how little could be looked at."""
        seen = sum(not look.left_out for look in self.looks)
        if self.alarms:
            return counted(len(self.alarms), "alarm")
        if 2 * seen < len(self.looks):
            return f"only {seen} of {len(self.looks)} things could be looked at, and nothing looks wrong there"
        return "nothing looks wrong"

    def look(
        self, what: str, judge: Callable[[], Iterable[Finding]], log: str = "", read: tuple[str, ...] = ()
    ) -> None:
        """Looks at one thing. An error in it is a finding, as a run would meet it too; bad input stays what it is.

        Args:
            log: the log's name, where it is one.
            read: what was read there, in sentences.
        """
        begun, found, why = time.perf_counter(), list[Finding](), ""
        try:
            for one in judge():  # what it finds before an error stays
                found.append(one)
        except NotSeen as reason:
            why = str(reason)
        except (InputError, EnvironmentFailed):
            raise
        except Exception as error:
            found.append(Finding(FAILED, f"{what}: {type(error).__name__}: {error}", "no error"))
        self.findings += [replace(one, log=log) for one in found] if log else found
        alarms = sum(one.severity != "note" for one in found)
        self.looks.append(Look(what, time.perf_counter() - begun, alarms, "" if alarms else why, read))

    def leave_out(self, what: str, why: str) -> None:
        """Says that something was not looked at."""
        self.looks.append(Look(what, 0.0, 0, why))

    def content(self) -> dict[str, Any]:
        """As JSON."""
        found = [{name: value for name, value in one.row(None).items() if name != "step"} for one in self.findings]
        for one, row in zip(self.findings, found, strict=True):
            row["causes"] = list(one.signal.causes)
            row |= {"log": one.log} if one.log else {}
        return {
            "subject": self.subject,
            "alarms": len(self.alarms),
            "findings": found,
            "looks": [vars(one) for one in self.looks],
        }
