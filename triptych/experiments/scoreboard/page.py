"""The scoreboard as a table for a terminal, and as the part of a page that is made."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence

from triptych.checkup.faults import FAULTS
from triptych.experiments.scoreboard.rows import Part, Row, Scoreboard, counted
from triptych.frameworks import FRAMEWORKS, title_of
from triptych.utils.console import counted as counted_of


def cell(row: Row | None) -> str:
    """What came of a fault in one framework."""
    if row is None:
        return ""
    if row.outcome in ("missed", "failed"):
        return f"**{row.outcome}**"
    if row.outcome == "not applicable":
        return "not applicable"
    when = f"{'check' if row.step is None else f'step {row.step:,}'}, {row.seconds or 0:.0f} s"
    return f"{row.signal}{'' if row.named else ' *'} ({when})"


def by_fault(rows: Sequence[Row]) -> dict[str, dict[str, Row]]:
    """The rows of faults, by fault and framework; those of one row of the list of mistakes together."""
    found: dict[str, dict[str, Row]] = {}
    for row in rows:
        if row.fault is not None:
            found.setdefault(row.fault, {})[row.framework] = row
    return {name: found[name] for name in ordered() if name in found}


def ordered() -> list[str]:
    """All faults as their files have them, which the order of imports does not change, those of one row of the list together."""

    def place(name: str) -> tuple[str, int]:
        patches = inspect.unwrap(FAULTS[name].patches)
        return patches.__module__, patches.__code__.co_firstlineno

    names = sorted(FAULTS, key=place)
    rows = list(dict.fromkeys(FAULTS[name].row for name in names))
    return sorted(names, key=lambda name: rows.index(FAULTS[name].row))


def frameworks_of(rows: Sequence[Row]) -> list[str]:
    there = {row.framework for row in rows}
    return [name for name in FRAMEWORKS if name in there]


def table(rows: Sequence[Row]) -> Iterator[str]:
    """For a terminal: a line a fault, those of one row of the list together; then healthy runs with alarms."""
    names, faults = frameworks_of(rows), by_fault(rows)
    width = max(map(len, faults), default=0)
    last = None
    for name, found in faults.items():
        if FAULTS[name].row != last:
            last = FAULTS[name].row
            yield f"{last}:"
        cells = (f"{framework}: {cell(found.get(framework)).replace('**', '')}" for framework in names)
        yield f"  {name:{width}}  {'; '.join(cells)}"
    if any(row.outcome == "found" and not row.named for row in rows):
        yield "* an alarm that does not name the mistake"
    for row in rows:
        if row.fault is None and row.outcome not in ("quiet", "expected"):
            said = ", ".join(row.alarms) or row.why
            yield f"healthy {name_of(row)} in {row.framework}: {row.outcome}: {said}"


def title() -> Iterator[str]:
    """What stands above the part that is made, until somebody writes otherwise."""
    yield "# Mistakes that the checkup finds"
    yield ""
    yield "Each row is a mistake that was put into a healthy agent, in a process of its own. It is found if an alarm comes that"
    yield "the same run without the mistake does not have. `*`: that alarm does not name the mistake. In brackets: when it came, in steps and in"
    yield "seconds of the processor; `check`: by `triptych check`, which needs no step."
    yield ""
    yield "`triptych scoreboard --out` with this folder adds rows to it, in the places of older ones, and changes nothing outside of the two comments below."


def made(parts: Sequence[Part]) -> Iterator[str]:
    """The part of README.md that is made of all rows."""
    rows = [row for part in parts for row in part.rows if row.fault is None or row.fault in FAULTS]
    names, faults = frameworks_of(rows), by_fault(rows)
    yield from origins(parts)
    yield ""
    yield from figures(rows, names)
    yield ""
    yield f"| mistake | fault | {' | '.join(map(title_of, names))} |"
    yield "|" + "---|" * (2 + len(names))
    last = None
    for name, found in faults.items():
        row = "" if FAULTS[name].row == last else FAULTS[name].row
        last = FAULTS[name].row
        yield f"| {row} | `{name}`: {FAULTS[name].about} | {' | '.join(cell(found.get(one)) for one in names)} |"
    yield ""
    yield from healthy(rows)


def origins(parts: Sequence[Part]) -> Iterator[str]:
    """With what the rows were made, and how many with each."""
    counts: dict[str, int] = {}
    for part in parts:
        versions = ", ".join(f"{name} {version}" for name, version in part.about["versions"].items())
        commit = f"commit {shortened(part.about['commit'])}" if part.about["commit"] else "no commit noted"
        words = f"{commit}; {part.about['processor']}; {versions}."
        counts[words] = counts.get(words, 0) + len(part.rows)
    for words, count in counts.items():
        yield f"- {counted_of(count, 'run')}: {words}"


def shortened(commit: str) -> str:
    """Ten letters of its hash, and whether files differed from it."""
    name, plus, changes = commit.partition("+")
    return name[:10] + plus + changes


def figures(rows: Sequence[Row], names: Sequence[str]) -> Iterator[str]:
    """How many are found in each framework."""
    yield "| | found | by an alarm that names it | of | not applicable | false alarms | healthy runs |"
    yield "|---|---|---|---|---|---|---|"
    for name in names:
        own = [row for row in rows if row.framework == name]
        board: Scoreboard = counted(own)
        named = sum(row.named for row in own)
        runs = sum(row.fault is None and row.outcome != "failed" for row in own)
        share = f"{board.found} ({board.found / max(1, board.of):.0%})"
        cells = (share, named, board.of, board.not_applicable, board.false_alarms, runs)
        yield f"| {title_of(name)} | {' | '.join(map(str, cells))} |"


def healthy(rows: Sequence[Row]) -> Iterator[str]:
    """The runs in which nothing is wrong, and what they said."""
    some = [row for row in rows if row.fault is None]
    yield "## Runs in which nothing is wrong"
    yield ""
    recipes = ", ".join(dict.fromkeys(name_of(row) for row in some if row.outcome != "failed"))
    yield f"{len(some)} runs: {recipes}."
    yield ""
    for row in some:
        if row.outcome != "quiet":
            yield f"- {name_of(row)} in {title_of(row.framework)}: {row.outcome}: {', '.join(row.alarms) or row.why}"


def name_of(row: Row) -> str:
    """A healthy run's recipe, and what else was set."""
    return f"{row.recipe} ({row.scene})" if row.scene else row.recipe
