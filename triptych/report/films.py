"""The runs' films on a page: inside it as long as it stays small, else as links to the files."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from triptych.frameworks import FRAMEWORKS
from triptych.report.logs import Log
from triptych.utils.files import is_link

A_RUN = 3  # films, the newest
INSIDE = 4 / 3  # bytes of a page for each of a film
SIDE_BY_SIDE = "side-by-side"  # in the name of a film of several runs
COMPARED = re.compile(rf"(?P<name>.+)-(?:{'|'.join(FRAMEWORKS)})-seed\d+(?P<number>-\d+)?")  # a run of `compare`


@dataclass(frozen=True)
class FilmFile:
    """A film and whose it is."""

    file: Path
    run: str
    name: str  # what it shows, in words
    of_several: bool = False  # of several runs, though its name does not say so

    @property
    def is_of_several(self) -> bool:
        return self.of_several or SIDE_BY_SIDE in self.file.stem


def films(logs: list[Log]) -> list[FilmFile]:
    """The newest films of each run, those of several runs first, then a run after the other."""
    found = [
        FilmFile(file, log.name, film_name(file.stem))
        for log in logs
        for file in (newest(log.path / "videos", "*.mp4")[:A_RUN] if log.path else [])
    ]
    return once(sorted(comparisons(logs) + found, key=lambda film: not film.is_of_several))


def once(found: list[FilmFile]) -> list[FilmFile]:
    """Each film once: `compare` leaves a copy of its film with the first run, and the film of one run is that run's own."""
    kept: dict[Any, FilmFile] = {}
    for film in found:
        try:
            kept.setdefault(hashlib.sha256(film.file.read_bytes()).digest(), film)
        except OSError:
            kept[film.file] = film  # the page says that it cannot be shown
    return list(kept.values())


def newest(folder: Path, pattern: str) -> list[Path]:
    """The files of a folder, the last name first. A page holds what it shows, so no link leads out, and no pipe is waited for."""
    try:
        return [] if is_link(folder) else sorted(filter(is_file_itself, folder.glob(pattern)), reverse=True)
    except OSError:
        return []


def is_file_itself(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def comparisons(logs: list[Log]) -> list[FilmFile]:
    """The films that `compare` left beside the runs: of each comparison of which two runs or more are on the page."""
    found = []
    for folder in dict.fromkeys(log.path.parent for log in logs if log.path):
        names = [log.name for log in logs if log.path and log.path.parent == folder]
        for file in newest(folder.resolve(), f"*-{SIDE_BY_SIDE}*.mp4"):  # the user named it, as a link or not
            about = file.stem.partition(f"-{SIDE_BY_SIDE}")
            if is_comparison_of(about[0], about[2], names):
                found.append(FilmFile(file, "side by side", "one test game each, on the same seed"))
    return found


def is_comparison_of(name: str, number: str, runs: list[str]) -> bool:
    """Whether a comparison called `name`, the `number`-th of its name ("", "-2", ...), made two of some runs or more.

    `compare` calls its runs NAME-torch-seed0-1, or NAME-RECIPE-torch-seed0-1 of several recipes; where nobody gave a name,
    that of several recipes is compare-RECIPE-RECIPE, and its runs are compare-RECIPE-torch-seed0-1.
    """
    made = [
        match for run in runs if (match := COMPARED.fullmatch(run)) and (match["number"] or "-1") == (number or "-1")
    ]
    recipes = dict.fromkeys(match["name"].removeprefix("compare-") for match in made)
    named = [match for match in made if f"{match['name']}-".startswith(f"{name}-")]
    return len(named) > 1 or (len(made) > 1 and name == f"compare-{'-'.join(recipes)}")


def film_name(stem: str) -> str:
    """`update-000012345-best-seed-0` -> `update 12,345, best weights, seed 0`."""
    if stem in ("best", "map"):
        return {"best": "best weights", "map": "the agent's map, and where it looks on it"}[stem]
    words = stem.split("-")
    if len(words) < 2 or words[0] != "update" or not words[1].isdigit():
        return stem.replace("-", " ").replace("_", " ")
    parts = [f"update {int(words[1]):,}"]
    parts += [f"{kind} weights" for kind in ("best", "latest") if kind in words[2:]]
    rest = [word for word in words[2:] if word not in ("best", "latest")]
    return ", ".join([*parts, " ".join(rest)] if rest else parts)


def shown(found: list[FilmFile], page: Path, room: int) -> list[dict[str, Any]]:
    """The films as the page shows them.

    Args:
        page: where it will lie.
        room: bytes that films may take of it; what does not fit is linked.

    Returns:
        Of each: `run`, `name`, `address`, and `linked`, the file's path from the page, "" where the page holds it, and `wide`.
        A film that cannot be read is left out.
    """
    told = []
    for film in found:
        try:
            size = int(film.file.stat().st_size * INSIDE) + 100
            address, linked = link(film.file, page), ""
            if size <= room:
                address = "data:video/mp4;base64," + base64.b64encode(film.file.read_bytes()).decode("ascii")
                room -= size
            else:
                linked = address
        except OSError:
            continue
        told.append(
            {"run": film.run, "name": film.name, "address": address, "linked": linked, "wide": film.is_of_several}
        )
    return told


def link(file: Path, page: Path) -> str:
    """A film's address as seen from the page."""
    try:
        return quote(Path(os.path.relpath(file.resolve(), page.parent.resolve())).as_posix())
    except ValueError:  # another drive
        return file.resolve().as_uri()
