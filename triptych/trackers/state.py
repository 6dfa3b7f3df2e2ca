"""How far a run has come in a tracker: `trackers/NAME.json` in the run's folder, behind a lock that keeps a second mirror out."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from triptych.runs.names import check_links, unwritable
from triptych.trackers.rows import TABLES, Place
from triptych.utils.checks import InputError
from triptych.utils.files import open_own, write_json
from triptych.utils.locks import wait_for_lock
from triptych.utils.reading import read_json

FOLDER = "trackers"
LAST = 120.0  # seconds from the end of a run until the process that mirrors it is gone, whatever hangs in it
PATIENCE = LAST + 10  # that a mirror waits for one before it: of a session that was killed, which sends its last


@dataclass
class State:
    """What the folder keeps of a run in a tracker."""

    begun: float  # seconds since 1970, of the run
    folder: str  # where the run lay
    group: str | None = None  # what the run is one of
    run: str | None = None  # what the tool calls it
    sent: int = 0  # rows
    places: dict[str, Place] = field(default_factory=lambda: {table: Place() for table in TABLES})
    films: dict[str, str] = field(default_factory=dict)  # file -> SHA-256
    tests: dict[str, str] = field(default_factory=dict)
    weights: dict[str, str] = field(default_factory=dict)  # alias -> SHA-256
    unsure: list[tuple[str, str]] = field(default_factory=list)  # of these three what a tool may not have written yet
    kept: dict[str, Any] = field(default_factory=dict)  # by the tracker
    former: list[str] = field(default_factory=list)  # runs in the tool whose past the folder has not any more

    @classmethod
    def read(cls, folder: Path, name: str, date: Any = None) -> State:
        """The state of a run in a tracker, or that of one which is not known there yet, as a copy of another run is not.

        Args:
            date: on which it began, as config.json says; None: an older version did not say.

        Raises:
            InputError: its file is damaged.
        """
        here, file = str(folder.resolve()), file_of(folder, name)
        if file.exists():
            found: State = read_json(file, cls)
            found.places = {table: found.places.get(table, Place()) for table in TABLES}
            if not is_copy(found, here, name):
                found.folder = here
                return found
        return cls(begun_of(folder, date), here)

    def anew(self) -> State:
        """The state of a new run in the tool, in place of one whose rows are not the folder's any more."""
        former = [*self.former, *([self.run] if self.run else [])]
        return State(self.begun, self.folder, self.group, former=former)

    def write(self, folder: Path, name: str) -> None:
        write_json(file_of(folder, name), dataclasses.asdict(self))


def file_of(folder: Path, name: str) -> Path:
    """Where a run's folder says how far it has come in a tracker."""
    return folder / FOLDER / f"{name}.json"


def is_copy(state: State, here: str, name: str) -> bool:
    """Whether the run that a folder's state speaks of is another folder, which is there still: one that was moved is not."""
    with contextlib.suppress(InputError, OSError):
        other = file_of(Path(state.folder), name)
        return state.folder != here and other.exists() and read_json(other, State).run == state.run
    return False


def begun_of(folder: Path, date: Any) -> float:
    """When a run began: as it says itself, else as far as its files tell. Its lock's is made first, and written never."""
    with contextlib.suppress(TypeError, ValueError, OverflowError):
        return datetime.fromisoformat(date).timestamp()
    marks = [path.stat().st_mtime for name in (".lock", "config.json") if (path := folder / name).exists()]
    return min(marks, default=time.time())


def locked(folder: Path, name: str, patience: float = PATIENCE) -> Any:
    """The lock of a run's mirror in a tracker, held for as long as the file is open.

    Raises:
        InputError: another process mirrors the run, or the folder cannot be written.
        MachineFailed: the disk is full.
    """
    check_links(folder)
    try:
        (folder / FOLDER).mkdir(exist_ok=True)
        file = os.fdopen(open_own(folder / FOLDER / f".{name}.lock", os.O_RDWR | os.O_CREAT), "r+b")
    except OSError as error:
        raise unwritable(folder, error) from None
    if not wait_for_lock(file, patience):
        file.close()
        raise InputError(f"{folder} is being sent to {name} by another process; allowed: one at a time")
    return file
