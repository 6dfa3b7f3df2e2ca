"""A run folder that is made on another machine: what lies in it, and how it comes home whole or not at all.

Nodes of a cluster may share no disk, so the folder is brought in pieces, whatever the run is doing meanwhile. In any moment what
lies at home is a run that can be gone on with: logs come before the checkpoints that count on them, a checkpoint's folder appears
whole, and what the run has dropped goes last.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from triptych.runs.checkpoints import KINDS
from triptych.runs.names import RECIPE_FILE, REWOUND, OutsideError, check_links
from triptych.utils.checks import shown
from triptych.utils.files import TEMPORARY, fresh_folder, is_link, remove, write_json
from triptych.utils.reading import read_json

CONFIG = "config.json"
OF_HOME = (".lock", RECIPE_FILE)  # made where the run's home is
CHUNK = 16 * 2**20  # bytes that travel at once

Listing = dict[str, tuple[int, int]]  # file, with "/" between folders -> its bytes and when it was written, in ns
Mark = Callable[[Any], dict[str, Any]]  # the recipe that config.json records -> fields of it
Read = Callable[[str, Path], bool]  # puts a file of the other machine there; False: it has gone meanwhile


def listing(folder: Path) -> Listing:
    """The files of a run folder that are whole."""
    found: Listing = {}
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.endswith(TEMPORARY)]
        for path in (Path(parent) / name for name in files):
            if TEMPORARY in path.name or path.name == ".lock" or is_link(path):
                continue
            with contextlib.suppress(OSError):  # gone again
                told = path.stat()
                found[path.relative_to(folder).as_posix()] = (told.st_size, told.st_mtime_ns)
    return found


def bring(home: Path, known: Listing, there: Listing, read: Read, mark: Mark, drop: bool = True) -> bool:
    """Makes the folder at home what it is elsewhere; False: a file went away meanwhile, and nothing was changed.

    Args:
        known: what it was elsewhere when it was brought the last time.
        there: what it is now.
        mark: what the config says here of what the run runs: the other machine has another key.
        drop: remove what is there no more.
    """
    for name in known.keys() | there.keys():
        check_inside(name, home)
    check_links(home)
    new = changed(known, there)
    staging = fresh_folder(home.parent)
    try:
        for name in sorted(new, key=when_read):
            (staging / name).parent.mkdir(parents=True, exist_ok=True)
            if not read(name, staging / name):
                return False
        for name in dict.fromkeys(unit(name) for name in sorted(new, key=when_put)):
            put(staging / name, home / name)
        if CONFIG in new:
            config = read_json(home / CONFIG, dict[str, Any])
            write_json(home / CONFIG, config | mark(config["recipe"]))
        for name in known.keys() - there.keys() if drop else ():
            if name not in OF_HOME:
                remove(home / name)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    remove_empty(home / "checkpoints")
    return True


def check_inside(name: str, home: Path) -> None:
    """Refuses a file that would lie outside of the run's folder. What a user's own code calls its files is for him to say."""
    parts = name.split("/")
    strange = set("\0" if os.name == "posix" else "\0\\:")
    if {"", ".", ".."} & set(parts) or strange & set(name):
        raise OutsideError(f"{home} is sent a file {shown(name)}; allowed: names of files inside the run's folder")


def changed(known: Listing, there: Listing) -> list[str]:
    """The files to bring: those that are new or other than they were, and all of a checkpoint any of whose files is."""
    new = {name for name, told in there.items() if known.get(name) != told}
    whole = {unit(name) for name in new}
    return [name for name in there if unit(name) in whole]


def unit(name: str) -> str:
    """What appears at once: a checkpoint's folder, else the file."""
    parts = PurePosixPath(name).parts
    is_checkpoint = len(parts) > 2 and parts[0] == "checkpoints" and parts[1].startswith(KINDS)
    return "/".join(parts[:2]) if is_checkpoint else name


def when_read(name: str) -> int:
    """Checkpoints first: logs that are read later reach at least as far."""
    return 0 if unit(name) != name else 1 if name.startswith("checkpoints/") else 3 if name == CONFIG else 2


def when_put(name: str) -> int:
    """Logs and stored rows first, which a checkpoint counts on; the config, which makes the folder a run, last."""
    if name in REWOUND:
        return 0
    return 3 if name == CONFIG else 2 if unit(name) != name else 1


def put(source: Path, target: Path) -> None:
    """Puts a file, or a folder, in the place of the one that is there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir() or target.is_dir() or is_link(target):
        remove(target)
    os.replace(source, target)


def remove_empty(folder: Path) -> None:
    """Removes the folders of checkpoints that were dropped."""
    for path in folder.glob("*-*"):
        with contextlib.suppress(OSError):
            path.rmdir()


def texts_of(files: Iterable[str | Path]) -> dict[str, str]:
    """The user's files as they are now, by their whole paths."""
    return {str(Path(file).absolute()): Path(file).read_bytes().decode() for file in files}


def unpacked(name: str, text: str, folder: Path) -> Path:
    """A user's file that travels: itself, where it is here as it was at home, else a copy in the folder."""
    path = Path(name)
    with contextlib.suppress(OSError):
        if path.read_bytes() == text.encode():
            return path
    folder.mkdir(parents=True, exist_ok=True)
    (folder / path.name).write_bytes(text.encode())
    return folder / path.name


def send(home: Path, names: Iterable[str], write: Callable[[str, bytes, bool], None]) -> None:
    """Gives files of a folder away in pieces.

    Args:
        write: takes a file's name, a piece, and whether it is the first one.
    """
    for name in names:
        with open(home / name, "rb") as file:
            piece = file.read(CHUNK)
            write(name, piece, True)
            while piece := file.read(CHUNK):
                write(name, piece, False)
