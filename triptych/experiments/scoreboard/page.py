"""The scoreboard as a table, and as a page in a folder."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from triptych.checkup.faults import FAULTS
from triptych.experiments.scoreboard.run import Row, Scoreboard, counted
from triptych.frameworks import DISTRIBUTIONS, FRAMEWORKS, title_of
from triptych.utils import machine
from triptych.utils.files import write_json, write_whole


def cell(row: Row | None) -> str:
    """What came of a fault in one framework."""
    if row is None:
        return ""
    if row.outcome == "missed":
        return "**missed**"
    if row.outcome == "not applicable":
        return "not applicable"
    when = f"{'check' if row.step is None else f'step {row.step:,}'}, {row.seconds or 0:.0f} s"
    return f"{row.signal}{'' if row.named else ' *'} ({when})"


def by_fault(rows: Sequence[Row]) -> dict[str, dict[str, Row]]:
    """The rows of faults, by fault and framework, in the library's order."""
    found: dict[str, dict[str, Row]] = {}
    for row in rows:
        if row.fault is not None:
            found.setdefault(row.fault, {})[row.framework] = row
    return {name: found[name] for name in FAULTS if name in found}


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
            yield f"healthy {row.recipe} in {row.framework}: {row.outcome}: {said}"


def write_page(rows: Sequence[Row], folder: Path) -> Path:
    """Writes the rows of each framework as FRAMEWORK.json, and README.md of all that lie there."""
    folder.mkdir(parents=True, exist_ok=True)
    about = {"processor": machine.processor(), "versions": machine.versions(DISTRIBUTIONS)}
    for framework in frameworks_of(rows):
        own = [asdict(row) for row in rows if row.framework == framework]
        write_json(folder / f"{framework}.json", about | {"rows": own})
    path = folder / "README.md"
    text = "\n".join(page(folder)) + "\n"
    write_whole(path, lambda place: place.write_text(text, encoding="utf-8"))
    return path


def read_rows(folder: Path) -> tuple[list[Row], dict[str, Any]]:
    """The rows of every framework that lies in a folder, and what they were made on."""
    rows: list[Row] = []
    about: dict[str, Any] = {}
    for framework in FRAMEWORKS:
        file = folder / f"{framework}.json"
        if file.exists():
            told = json.loads(file.read_text(encoding="utf-8"))
            rows += [Row(**row | {"alarms": tuple(row["alarms"])}) for row in told["rows"]]
            about = {name: told[name] for name in ("processor", "versions")}
    return rows, about


def page(folder: Path) -> Iterator[str]:
    """README.md."""
    rows, about = read_rows(folder)
    names, faults = frameworks_of(rows), by_fault(rows)
    yield "# Mistakes that the checkup finds"
    yield ""
    yield "Each row is a mistake that was put into a healthy agent, in a process of its own. It is found if an alarm comes that"
    yield "the same run without the mistake does not have. `*`: that alarm does not name the mistake. In brackets: when it came, in steps and in"
    yield "seconds of the processor; `check`: by `triptych check`, which needs no step."
    yield ""
    yield "```"
    yield f"triptych scoreboard --out {folder.name}"
    yield "```"
    yield ""
    versions = ", ".join(f"{name} {version}" for name, version in about.get("versions", {}).items())
    yield f"{about.get('processor', '')}; {versions}."
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
    recipes = ", ".join(dict.fromkeys(row.recipe for row in some if row.outcome != "failed"))
    yield f"{len(some)} runs: {recipes}."
    yield ""
    for row in some:
        if row.outcome != "quiet":
            yield f"- {row.recipe} in {title_of(row.framework)}: {row.outcome}: {', '.join(row.alarms) or row.why}"
