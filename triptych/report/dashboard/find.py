"""Which runs lie in a folder: those of studies and searches too, in folders of their own. Links are not followed."""

from __future__ import annotations

import itertools
import os
from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path

from triptych.report.films import is_file_itself
from triptych.utils.files import TEMPORARY

MOST_FOLDERS = 20_000  # that are looked into
MOST_DEPTH = 8
MOST_RUNS = 2_000
CONFIG = "config.json"


@dataclass
class Found:
    """The runs, by their name on the page: the path from the folder, with "/" between its parts."""

    runs: dict[str, Path] = field(default_factory=dict)
    is_cut: bool = False  # there are more


def find(root: Path) -> Found:
    """The runs in a folder, or the folder itself where it is one."""
    if is_run(root):
        return Found({readable(root.resolve().name) or "run": root})
    found, looked = Found(), 0
    layers = [(root, 0)]
    while layers:
        folder, depth = layers.pop()
        looked += 1
        if looked > MOST_FOLDERS or len(found.runs) >= MOST_RUNS:
            found.is_cut = True
            break
        for below in folders(folder):
            if is_run(below):
                found.runs[free(readable(below.relative_to(root).as_posix()), found.runs)] = below
            elif depth < MOST_DEPTH:
                layers.append((below, depth + 1))
    return found


def readable(name: str) -> str:
    """A name as a browser can be told it: bytes of it that are no text are question marks."""
    return name.encode("utf-8", "replace").decode("utf-8")


def free(name: str, taken: Container[str]) -> str:
    """The name, or where another run is called that already, with a number behind it."""
    numbered = (name if number == 1 else f"{name} ({number})" for number in itertools.count(1))
    return next(one for one in numbered if one not in taken)


def is_run(folder: Path) -> bool:
    """Whether a run lies there: a config.json, which others write too, and a name that is only Triptych's beside it.

    Weights that were fetched have neither logs nor a lock, and nothing to watch.
    """
    own = ("episodes.csv", "metrics.csv", ".lock")
    return is_file_itself(folder / CONFIG) and any(os.path.lexists(folder / name) for name in own)


def folders(folder: Path) -> list[Path]:
    """The folders in a folder, but for links and what is hidden or half written."""
    try:
        with os.scandir(folder) as entries:
            return sorted(
                Path(entry.path)
                for entry in entries
                if entry.is_dir(follow_symlinks=False)
                and not entry.name.startswith(".")
                and TEMPORARY not in entry.name
            )
    except OSError:
        return []
