"""TensorBoard: its CSV exports, and what a run's tags are put together to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from triptych.report.logs.columns import Dialect, Naming
from triptych.report.logs.dopamine import DOPAMINE
from triptych.report.logs.ends import LOSSES, taken_out, with_broken
from triptych.report.logs.folders import file_name
from triptych.report.logs.log import Arrays
from triptych.report.logs.parts import Found
from triptych.report.logs.rllib import RLLIB
from triptych.report.logs.sb3 import PROGRESS
from triptych.report.logs.wandb import CLEANRL, game_in
from triptych.utils.tables import Table

EXPORT = ("Wall time", "Step", "Value")
FILE = re.compile(r"run-(?P<run>.*)-tag-(?P<tag>.*?)(?:\.csv)?(?:\.gz)?$")
# A step of the axis: what each of these tools counts, when it writes for TensorBoard.
TOOLS: dict[Dialect, str] = {PROGRESS: "steps", CLEANRL: "steps", RLLIB: "steps", DOPAMINE: "iteration"}
EXPORTED = "TensorBoard's CSV exports hold at most some hundred points of a curve: a point of a reward may stand for many episodes."


def is_export(names: tuple[str, ...]) -> bool:
    return names == EXPORT


def run_and_tag(file: Path) -> tuple[str, str]:
    """Which run and tag an export's file name tells. The / of a tag is _ there; newer ones hold the run's name alone."""
    found = FILE.match(file.name)
    return (found["run"], found["tag"]) if found and found["run"] and found["tag"] else (file_name(file), "value")


def series(table: Table) -> Arrays:
    """An export's one curve: where, when, and how high."""
    return {"step": table.columns["Step"], "time": table.columns["Wall time"], "value": table.columns["Value"]}


def run_of(name: str, tags: Mapping[str, Arrays], naming: Naming, exported: bool) -> Found:
    """One run of its tags, each an array of steps, of seconds since 1970, and of values.

    Args:
        exported: from CSV exports, which have not every point and write / as _.
    """
    known = {plain: tag for dialect in TOOLS for tag in dialect.names for plain in (tag, tag.replace("/", "_"))}
    spelt = {known.get(tag, tag) if exported else tag: tag for tag in tags}
    dialect = next((one for one in TOOLS if one.wrote(spelt)), Dialect("", {}))
    theirs = {tag: tag if tag in naming.given else whole for whole, tag in spelt.items()}
    names = naming.name(theirs.values(), dialect)
    counter = TOOLS.get(dialect, "steps")
    begin = min((curve["time"].min() for curve in tags.values() if len(curve["time"])), default=0.0)
    parts: dict[bytes, dict[str, np.ndarray]] = {}
    for tag, whole in theirs.items():
        if whole in names:
            curve = tags[tag]
            part = parts.setdefault(curve["step"].tobytes(), {counter: curve["step"], "seconds": curve["time"] - begin})
            part[names[whole] if names[whole] not in part else f"{names[whole]}_value"] = curve["value"]
    notes = ([dialect.note] if dialect.note else []) + ([EXPORTED] if exported else [])
    if dialect not in TOOLS:
        notes.append("The steps are those that the program gave to TensorBoard.")
    taken = [
        taken_out(with_broken(part, {loss: ~np.isfinite(part[loss]) for loss in LOSSES if loss in part}))
        for part in parts.values()
    ]
    ends = tuple(end for _, found in taken for end in found)
    return Found(
        name, [part for part, _ in taken], not exported and dialect is CLEANRL, game_in(name), notes, ends=ends
    )


def in_one(files: list[Mapping[str, Arrays]]) -> dict[str, Arrays]:
    """Several event files of one run, oldest first: where a later one begins again, the earlier one's rest gives way."""
    begun = [min((curve["time"].min() for curve in file.values() if len(curve["time"])), default=0.0) for file in files]
    ordered = [files[place] for place in np.argsort(begun, kind="stable")]
    found: dict[str, Arrays] = {}
    for file in ordered:
        first = min((curve["step"].min() for curve in file.values() if len(curve["step"])), default=np.inf)
        for tag, curve in found.items():
            kept = curve["step"] < first if tag in file else np.ones(len(curve["step"]), bool)
            found[tag] = {name: values[kept] for name, values in curve.items()}
        for tag, curve in file.items():
            before = found.get(tag)
            found[tag] = (
                curve if before is None else {name: np.concatenate([before[name], curve[name]]) for name in curve}
            )
    return found
