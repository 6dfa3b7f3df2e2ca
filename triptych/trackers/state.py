"""How far a run has come in a tracker: `trackers/NAME.json` in the run's folder, behind a lock that keeps a second mirror out."""

from __future__ import annotations

import dataclasses
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from triptych.runs.names import check_links
from triptych.trackers.rows import TABLES, Place
from triptych.utils.checks import InputError
from triptych.utils.files import open_own, write_json
from triptych.utils.locks import wait_for_lock
from triptych.utils.reading import read_json

FOLDER = "trackers"
PATIENCE = 90.0  # seconds that a mirror waits for one before it: of a session that was killed, which sends its last


@dataclass
class State:
    """What the folder keeps of a run in a tracker."""

    begun: float  # seconds since 1970, of the run
    run: str | None = None  # what the tool calls it
    sent: int = 0  # rows
    places: dict[str, Place] = field(default_factory=lambda: {table: Place() for table in TABLES})
    films: dict[str, str] = field(default_factory=dict)  # file -> what tells one film from another of that name
    tests: dict[str, str] = field(default_factory=dict)
    weights: dict[str, str] = field(default_factory=dict)  # alias -> SHA-256
    kept: dict[str, Any] = field(default_factory=dict)  # by the tracker
    former: list[str] = field(default_factory=list)  # runs in the tool whose past the folder has not any more

    @classmethod
    def read(cls, folder: Path, name: str) -> State:
        """The state of a run in a tracker, or that of one which is not known there yet."""
        file = file_of(folder, name)
        if not file.exists():
            return cls(begun_of(folder))
        content = read_json(file, dict[str, Any])
        known = {one.name for one in dataclasses.fields(cls)}
        try:
            places = {table: Place(**content["places"][table]) for table in TABLES}
            return cls(**{name: value for name, value in content.items() if name in known} | {"places": places})
        except (KeyError, TypeError):
            raise InputError(f"{file} is damaged; allowed: as triptych left it, or none") from None

    def anew(self) -> State:
        """The state of a new run in the tool, in place of one whose rows are not the folder's any more."""
        return State(self.begun, former=[*self.former, *([self.run] if self.run else [])])

    def write(self, folder: Path, name: str) -> None:
        write_json(file_of(folder, name), dataclasses.asdict(self))


def file_of(folder: Path, name: str) -> Path:
    """Where a run's folder says how far it has come in a tracker."""
    return folder / FOLDER / f"{name}.json"


def begun_of(folder: Path) -> float:
    """When a run began, as far as its folder tells: its lock's file is made first, and written never."""
    marks = [path.stat().st_mtime for name in (".lock", "config.json") if (path := folder / name).exists()]
    return min(marks, default=time.time())


def locked(folder: Path, name: str, patience: float = PATIENCE) -> Any:
    """The lock of a run's mirror in a tracker, held for as long as the file is open.

    Raises:
        InputError: another process mirrors the run, or the folder cannot be written.
    """
    check_links(folder)
    try:
        (folder / FOLDER).mkdir(exist_ok=True)
        file = os.fdopen(open_own(folder / FOLDER / f".{name}.lock", os.O_RDWR | os.O_CREAT), "r+b")
    except OSError as error:
        raise InputError(
            f"{folder / FOLDER} cannot be written: {error.strerror}; allowed: a folder of your own"
        ) from None
    if not wait_for_lock(file, patience):
        file.close()
        raise InputError(f"{folder} is being sent to {name} by another process; allowed: one at a time")
    return file
