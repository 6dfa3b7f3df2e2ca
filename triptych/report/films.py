"""The runs' films on a page: inside it as long as it stays small, else as links to the files."""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from triptych.report.logs import Log

A_RUN = 3  # films, the newest
INSIDE = 4 / 3  # bytes of a page for each of a film
SIDE_BY_SIDE = "side-by-side"  # in the name of a film of several runs


@dataclass(frozen=True)
class FilmFile:
    """A film and whose it is."""

    file: Path
    run: str
    name: str  # what it shows, in words

    @property
    def is_of_several(self) -> bool:
        return SIDE_BY_SIDE in self.file.stem


def films(logs: list[Log]) -> list[FilmFile]:
    """The newest films of each run, those of several runs first, then a run after the other."""
    found = [
        FilmFile(file, log.name, film_name(file.stem))
        for log in logs
        for file in (sorted((log.path / "videos").glob("*.mp4"))[: -A_RUN - 1 : -1] if log.path else [])
    ]
    return sorted(found, key=lambda film: not film.is_of_several)


def film_name(stem: str) -> str:
    """`update-000012345-best-seed-0` -> `update 12,345, best weights, seed 0`."""
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
    """
    told = []
    for film in found:
        size = int(film.file.stat().st_size * INSIDE) + 100
        address, linked = link(film.file, page), ""
        if size <= room:
            room -= size
            address = "data:video/mp4;base64," + base64.b64encode(film.file.read_bytes()).decode("ascii")
        else:
            linked = address
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
