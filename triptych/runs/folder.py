"""The run folder: the one record of a run. Config, logs, and the lock that keeps a second writer out."""

from __future__ import annotations

import contextlib
import csv
import errno
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from triptych.runs.names import ALARMS, REWOUND, check_links, is_bare, unwritable
from triptych.utils.checks import InputError
from triptych.utils.files import TEMPORARY, line, open_own, remove, sync_folder, write_whole
from triptych.utils.locks import try_lock
from triptych.utils.tables import fields, opened

RUNNING = 100  # episodes in the running reward
EPISODES = (
    "episode", "frames", "steps", "updates", "episode_reward", "episode_length", "running_reward", "max_reward",
    "epsilon", "loss", "seconds",
)  # fmt: skip
LONGEST_HEADER = 100_000  # bytes
RESUMES = ("step", "framework", "processor", "threads", "versions", "exact", "changes")


def metrics_columns(reported: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of metrics.csv; `reported` is what the algorithm's updates report beside their loss."""
    return (
        "steps", "updates", "epsilon", "loss", *reported, "gradient_norm", "learning_rate",
        "evaluation_mean", "evaluation_low", "evaluation_high", "evaluation_games", "evaluation_length", "seconds",
    )  # fmt: skip


class RunFolder:
    """Writes one run's folder. A context manager: it holds the folder's lock, so that nobody else writes."""

    def __init__(self, path: Path):
        self.path = path
        check_links(path)
        self.lock = self.opened()
        while not self.is_ours():  # the process before has removed the folder meanwhile, as nothing came of it
            self.lock.close()
            self.lock = self.opened()

    def opened(self) -> Any:
        """The lock's file, in a folder that is made where there is none."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            handle = open_own(self.path / ".lock", os.O_RDWR | os.O_CREAT | os.O_APPEND)
        except OSError as error:
            raise unwritable(self.path, error) from None
        return os.fdopen(handle, "a+b")  # held for as long as the run

    def is_ours(self) -> bool:
        """Takes the lock; False where its file is not that of the folder any more.

        Raises:
            InputError: another process holds it.
        """
        if not try_lock(self.lock):
            self.lock.close()
            raise InputError(f"run folder {self.path} is being written by another process; allowed: one at a time")
        try:
            return os.path.samestat(os.fstat(self.lock.fileno()), os.stat(self.path / ".lock"))
        except FileNotFoundError:
            return False

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None or not is_bare(self.path):
            self.lock.close()
            return
        # No run has come of it. The lock's file goes last: before, nobody else can begin here; after, what they begin stays.
        remove(self.path / "checkpoints")
        if sys.platform == "win32":  # which removes no open file, and no file that somebody else has opened
            self.lock.close()
        with contextlib.suppress(OSError):
            (self.path / ".lock").unlink()
            self.path.rmdir()
        self.lock.close()

    def append(self, name: str, row: Mapping[str, Any], columns: tuple[str, ...]) -> None:
        """Appends one row to a CSV in a single write; a new file gets its header first."""
        path = self.path / name
        text = "" if path.exists() and path.stat().st_size else line(columns)
        text += line(["" if row.get(column) is None else row[column] for column in columns])
        content = text.encode()
        with os.fdopen(open_own(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT), "ab", buffering=0) as file:
            if file.write(content) != len(content):
                raise OSError(errno.ENOSPC, "no room for a whole row", str(path))

    def columns(self, name: str, wanted: tuple[str, ...]) -> tuple[str, ...]:
        """The columns of a log: where an older version began it those that it has, else the wanted ones."""
        try:
            with open(
                self.path / name, "rb"
            ) as file:  # the first line alone: what is damaged behind it stops no resume
                first = file.readline(LONGEST_HEADER)
        except OSError:
            return wanted
        found = tuple(next(csv.reader([first.decode(errors="replace")]), []))
        return found if first.endswith(b"\n") and set(found) <= set(wanted) else wanted

    def append_resume(self, row: Mapping[str, Any]) -> None:
        """Appends a row to resumes.csv; one of an older version gets the columns that it has not."""
        path = self.path / "resumes.csv"
        if path.exists():
            with opened(path) as text:
                names, *rows = [found for _, found in fields(path, text, whole=True)] or [list(RESUMES)]
            if tuple(names) != RESUMES:
                older = [dict(zip(names, found, strict=False)) for found in rows]
                lines = [line(RESUMES), *(line([found.get(name, "") for name in RESUMES]) for found in older)]
                write_whole(path, lambda temporary: temporary.write_text("".join(lines), encoding="utf-8"))
        self.append("resumes.csv", row, RESUMES)

    def log_sizes(self) -> dict[str, int]:
        """Bytes of each log now, made durable: what a checkpoint cuts back to."""
        sizes = {}
        for name in REWOUND:
            path = self.path / name
            sizes[name] = path.stat().st_size if path.exists() else 0
            if sizes[name]:
                with os.fdopen(open_own(path, os.O_RDWR), "rb+") as file:
                    os.fsync(file.fileno())
        sync_folder(self.path)
        return sizes

    def check_logs(self, sizes: Mapping[str, int]) -> None:
        """Refuses a checkpoint that stands behind the logs' ends."""
        for name, size in sizes.items():
            path = self.path / name
            if size > 0 and (not path.exists() or path.stat().st_size < size):
                raise InputError(f"{path} is shorter than at this checkpoint; allowed: as triptych left it")

    def cut_logs(self, sizes: Mapping[str, int]) -> None:
        """Takes back the rows written after a checkpoint; those before it are untouched."""
        for name, size in sizes.items():
            if (self.path / name).exists():
                cut(self.path / name, size)
        if not sizes.get(ALARMS):  # none yet, or a checkpoint of an older version, which had none
            remove(self.path / ALARMS)
        resumes = self.path / "resumes.csv"
        if resumes.exists():  # no checkpoint cuts it, so a torn last line is dropped here
            cut(resumes, resumes.read_bytes().rfind(b"\n") + 1)

    def remove_temporaries(self) -> None:
        """Removes what an interrupted save left behind, safetensors' own temporary files (of older versions) too."""
        for path in [*self.path.rglob(f"*{TEMPORARY}"), *(self.path / "checkpoints").rglob(f"{TEMPORARY}??????")]:
            remove(path)


def cut(path: Path, size: int) -> None:
    """Makes a log so many bytes long."""
    handle = open_own(path, os.O_RDWR)
    try:
        os.truncate(handle, size)
    finally:
        os.close(handle)
