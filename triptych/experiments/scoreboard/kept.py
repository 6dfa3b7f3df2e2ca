"""The scoreboard's folder: FRAMEWORK.json with every row and what it was made with, and README.md, of which a part is made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from triptych.experiments.scoreboard.page import made, title
from triptych.experiments.scoreboard.rows import Part, Row
from triptych.frameworks import DISTRIBUTIONS, FRAMEWORKS
from triptych.utils import machine
from triptych.utils.checks import InputError
from triptych.utils.files import write_json, write_whole

PAGE = "README.md"
BEGIN, END = "<!-- made by `triptych scoreboard --out` -->", "<!-- the end of what it makes -->"


def write_page(rows: Sequence[Row], folder: Path) -> Path:
    """Adds rows to those that lie in a folder, in the place of older ones of the same runs, and makes README.md's table of all.

    What else stands in README.md is kept: the table lies between two comments.

    Raises:
        InputError: what lies there is no scoreboard's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    about = {
        "commit": machine.git_commit(),
        "processor": machine.processor(),
        "versions": machine.versions(DISTRIBUTIONS),
    }
    for framework in FRAMEWORKS:
        own = [row for row in rows if row.framework == framework]
        if own:
            write_parts(merged(read_parts(folder, framework), Part(about, own)), folder, framework)
    path = folder / PAGE
    text = path.read_text(encoding="utf-8") if path.exists() else "\n".join(title()) + "\n"
    whole = between(text, "\n".join(made([part for one in FRAMEWORKS for part in read_parts(folder, one)])))
    write_whole(path, lambda place: place.write_text(whole, encoding="utf-8"))
    return path


def merged(old: Sequence[Part], new: Part) -> list[Part]:
    """The parts with newer rows in the places of older ones; a part of which nothing is left goes."""
    latest = {row.key: row for row in new.rows}
    parts = [Part(one.about, [row for row in one.rows if row.key not in latest]) for one in old]
    same = [row for one in parts if one.about == new.about for row in one.rows]
    others = [one for one in parts if one.rows and one.about != new.about]
    return [*others, Part(new.about, [*same, *latest.values()])]


def between(text: str, table: str) -> str:
    """A page with another table between the comments; one without them gets it at its end."""
    block = f"{BEGIN}\n\n{table.strip()}\n\n{END}"
    begin = text.rfind(BEGIN)
    end = text.find(END, begin)
    if begin < 0 or end < 0:
        return f"{text.rstrip()}\n\n{block}\n".lstrip()
    return text[:begin] + block + text[end + len(END) :]


def read_parts(folder: Path, framework: str) -> list[Part]:
    """What lies in a folder of a framework; nothing where it has no file yet.

    Raises:
        InputError: its file is not a scoreboard's.
    """
    file = folder / f"{framework}.json"
    if not file.exists():
        return []
    try:
        parts = json.loads(file.read_text(encoding="utf-8"))["parts"]
        return [Part(one["about"], [Row(**row | {"alarms": tuple(row["alarms"])}) for row in one["rows"]]) for one in parts]  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{file} cannot be read as a scoreboard's; allowed: a folder without it, or another one") from error  # fmt: skip


def write_parts(parts: Sequence[Part], folder: Path, framework: str) -> None:
    told = [{"about": one.about, "rows": [asdict(row) for row in one.rows]} for one in parts]
    write_json(folder / f"{framework}.json", {"parts": told})


def check_folder(folder: Path) -> None:
    """Refuses a folder whose rows cannot be added to, before anything is run.

    Raises:
        InputError: it is a file, or what lies there is no scoreboard's.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"out is {str(folder)!r}, a file; allowed: a folder")
    for framework in FRAMEWORKS:
        read_parts(folder, framework)


def read_rows(folder: Path) -> list[Row]:
    """The rows of every framework that lies in a folder."""
    return [row for framework in FRAMEWORKS for part in read_parts(folder, framework) for row in part.rows]
