"""The command that puts mistakes into healthy agents, and counts which ones the checkup finds."""

from __future__ import annotations

from collections.abc import MutableSequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import UseAppendAction, arg

from triptych.cli import exits
from triptych.cli.options import Command, Framework, print_json
from triptych.utils.checks import check
from triptych.utils.console import put, say

if TYPE_CHECKING:
    from triptych.experiments.scoreboard.rows import Row, Scoreboard


@dataclass(frozen=True)
class ScoreboardCommand(Command):
    """Puts mistakes into healthy agents, and tells which ones the checkup finds.

    Each mistake has a run of its own. Runs in which nothing is wrong follow: an alarm there is a false one.
    """

    framework: Framework | None = None  # the one to put them into; None: all
    # a mistake by its name, may be given several times; none: all, and healthy runs of the catalogue's recipes follow
    fault: Annotated[tuple[str, ...], UseAppendAction] = ()
    healthy_only: bool = False  # put in no mistakes, and make the healthy runs of the catalogue alone
    # a recipe of the catalogue whose healthy runs are made, may be given several times; none: all, where no --fault is given
    recipes: Annotated[tuple[str, ...], UseAppendAction, arg(name="recipe")] = ()
    list: bool = False  # print the names of the mistakes, and run nothing
    seconds: float = 60.0  # that a run may take
    healthy_seconds: float = 20.0  # that a healthy run of a recipe may take; 0: there are none
    seeds: int = 1  # healthy runs of each recipe
    jobs: int = 1  # runs at the same time; more of them take the others' time
    # a folder for the rows of each framework and a table of them; rows that lie there already are kept, those of the same runs replaced;
    # None: they are only printed
    out: Path | None = None

    def run(self) -> int:
        from triptych.checkup.faults import FAULTS

        if self.list:
            put(*(f"{one.name:{max(map(len, FAULTS))}}  {one.about}" for one in FAULTS.values()))
            print_json(self, {"faults": [{"name": o.name, "row": o.row, "about": o.about} for o in FAULTS.values()]})
            return exits.DONE
        from triptych.experiments.scoreboard.kept import check_folder, write_page
        from triptych.experiments.scoreboard.page import table
        from triptych.experiments.scoreboard.rows import as_json

        self.check()
        if self.out is not None:
            check_folder(self.out)
        rows: MutableSequence[Row] = []
        try:
            found = self.play(rows)
        finally:
            if self.out is not None and rows:  # one that is stopped keeps what it has
                put(str(write_page(rows, self.out)))
        put(*table(found.rows), summary(found))
        told: dict[str, Any] = as_json(found)
        print_json(self, told)
        return exits.DONE

    def check(self) -> None:
        """Refuses flags that contradict each other."""
        check(self.healthy_seconds >= 0, "healthy_seconds", self.healthy_seconds, "0 or above")
        check(not (self.healthy_only and self.fault), "healthy_only", True, "without --fault")
        for name, given in {"healthy_only": self.healthy_only, "recipe": self.recipes}.items():
            check(not given or self.healthy_seconds > 0, name, given, "with --healthy-seconds above 0")

    def play(self, rows: MutableSequence[Row]) -> Scoreboard:
        """All runs; their rows are added to `rows` as they end."""
        from triptych.experiments.scoreboard.run import scoreboard

        def tell(row: Row) -> None:
            rows.append(row)
            say(line_of(row))

        return scoreboard(
            () if self.framework is None else (self.framework,),
            self.fault,
            healthy=(not self.fault or bool(self.recipes)) and self.healthy_seconds > 0,
            healthy_only=self.healthy_only,
            recipes=self.recipes,
            seconds=self.seconds,
            healthy_seconds=self.healthy_seconds or 1.0,
            seeds=self.seeds,
            jobs=self.jobs,
            told=tell,
        )


def line_of(row: Row) -> str:
    """A run, as it ends."""
    from triptych.experiments.scoreboard.page import name_of

    what = row.fault or f"{name_of(row)}, nothing wrong"
    when = (
        ""
        if row.signal is None
        else f" by {row.signal}, {'check' if row.step is None else f'step {row.step:,}'}, {row.seconds} s"
    )
    return f"{row.framework:6} {what}: {row.outcome}{when}{f' ({row.why})' if row.why else ''}"


def summary(found: Scoreboard) -> str:
    """All of it in a line."""
    share = f" ({found.found / found.of:.0%})" if found.of else ""
    left = f", {found.not_applicable} not applicable" if found.not_applicable else ""
    return f"found {found.found} of {found.of}{share}, {found.false_alarms} false alarms{left}"
