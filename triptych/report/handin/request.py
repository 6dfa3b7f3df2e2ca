"""What a report was asked for, and what its arguments name: runs and studies, in sections."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from triptych.report.handin.studies import StudyResult, is_study, read_study
from triptych.report.logs import Log, read_all
from triptych.report.logs.folders import PROOF
from triptych.report.page import verdicts
from triptych.runs.names import run_path
from triptych.utils.checks import InputError, check
from triptych.utils.reading import is_text

LONGEST = 2_000  # letters of what the author writes
LINK = re.compile(r"(?P<text>[^=]*[^=\s][^=]*)=(?P<address>https?://\S+)")


@dataclass(frozen=True)
class Request:
    """What the author gives.

    Raises:
        InputError: a text is empty or long, a number is not what it may be, or a link is none.
    """

    question: str
    author: str = ""
    title: str = ""  # "": the question is
    answer: str = ""  # the author's own words
    sections: tuple[tuple[str, tuple[str, ...]], ...] = ()  # further ones: name, arguments
    threshold: float | None = (
        None  # mean reward of 100 training episodes; None: the game's own, or half of the way to the best
    )
    margin: float | None = None  # points that do not matter between frameworks; None: a tenth of what was learned
    compare_to: str = ""  # published scores: a CSV file, or a name
    links: tuple[str, ...] = ()  # TEXT=ADDRESS

    def __post_init__(self) -> None:
        check(bool(self.question.strip()), "question", self.question, "a text")
        for name in ("question", "author", "title", "answer"):
            text = getattr(self, name)
            check(len(text) <= LONGEST, name, f"{len(text):,} letters", f"at most {LONGEST:,}")
            check(is_text(text), name, text, "text that can be printed")
        check(self.threshold is None or math.isfinite(self.threshold), "threshold", self.threshold, "a number")
        check(self.margin is None or (self.margin > 0 and math.isfinite(self.margin)), "margin", self.margin, "above 0")
        for link in self.links:
            is_link = LINK.fullmatch(link) is not None and is_text(link)
            check(is_link, "link", link, "TEXT=ADDRESS, and an address begins with https://")
        for name, arguments in self.sections:
            check(is_text(name), "section", name, "text that can be printed")
            check(bool(name.strip()), "section", name, "a name, then runs or studies")
            check(bool(arguments), "section", name, f"a name, then runs or studies: --section {name!r} RUN...")

    @property
    def addresses(self) -> list[tuple[str, str]]:
        return [(found["text"].strip(), found["address"]) for link in self.links if (found := LINK.fullmatch(link))]


@dataclass(frozen=True)
class Section:
    """One question of the page: its runs, its studies, its proofs. The first one, of the question itself, has no name."""

    name: str
    logs: list[Log]
    studies: list[StudyResult] = field(default_factory=list)
    verdicts: list[str] = field(default_factory=list)  # of locksteps, a sentence each


@dataclass(frozen=True)
class Reading:
    """How logs are read; see `triptych.report.logs.read_all`."""

    runs_dir: Path
    frames_are: str = "steps"
    trust: bool = False
    columns: Sequence[str] = ()


def sections(arguments: Sequence[str], request: Request, how: Reading) -> list[Section]:
    """The page's sections: that of the question, then those that the user named.

    Raises:
        InputError: an argument cannot be read, or nothing is there to report on.
    """
    found = [section("", arguments, how)] if arguments else []
    found += [section(name, given, how) for name, given in request.sections]
    if not found or not (found[0].logs or found[0].studies):
        raise InputError("there is no run to report on; allowed: at least one run, study's results or log")
    return found


def section(name: str, arguments: Sequence[str], how: Reading) -> Section:
    paths = {argument: run_path(argument, how.runs_dir) for argument in arguments}
    studies = [path for path in paths.values() if is_study(path)]
    rest = [a for a, path in paths.items() if not is_study(path) and not (path / PROOF).is_file()]
    logs = read_all(rest, how.runs_dir, how.frames_are, how.trust, how.columns) if rest else []
    proved = verdicts(path for path in paths.values() if path not in studies)
    return Section(name, logs, [read_study(path) for path in studies], proved)
