"""Trackers that follow a run while it trains: a callback that tells each one's process of checkpoints, and waits for none."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from triptych.trackers.process import END, NEWS
from triptych.trackers.registry import TRACKERS
from triptych.trackers.state import FOLDER
from triptych.utils.console import say, warn
from triptych.utils.files import open_own

PATIENCE = 60.0  # seconds that a run waits at its end, all trackers together


@dataclass
class Follower:
    """The process that mirrors to one tracker."""

    name: str
    process: subprocess.Popen[str]
    failed: bool = False

    def __post_init__(self) -> None:
        if self.process.stdin is not None and sys.platform != "win32":
            os.set_blocking(self.process.stdin.fileno(), False)

    def tell(self, line: str) -> None:
        """Says something to it; what it cannot take now, as it hangs, it need not know."""
        if self.process.stdin is not None:
            with contextlib.suppress(OSError):
                os.write(self.process.stdin.fileno(), f"{line}\n".encode())

    def close(self) -> None:
        """Lets go of its pipes, once it is gone."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def answer(self) -> dict[str, str]:
        """What it said of its end; empty where it was killed."""
        assert self.process.stdout is not None
        with contextlib.suppress(ValueError, OSError):
            found: dict[str, str] = json.loads(self.process.stdout.read())
            return found
        return {}


class Following:
    """The trackers of a run: a context manager around all that is done to it, and a callback (`start`, `checkpoint`).

    Args:
        folder: the run's, which may not be there yet.
        names: of the trackers.
        quiet: tell nothing but what fails.
    """

    def __init__(self, folder: Path, names: Sequence[str], quiet: bool = True):
        self.folder, self.names, self.quiet = folder, names, quiet
        self.followers: list[Follower] = []

    def __enter__(self) -> Following:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for one in self.followers:
            one.tell(END)
        end = time.monotonic() + PATIENCE
        try:
            for one in self.followers:
                self.conclude(one, end)
                one.close()
        except KeyboardInterrupt:
            for one in self.followers:
                one.process.kill()
            warn(f"not all was sent; {self.later(self.names)}")
            raise

    def start(self, run: Any) -> None:
        """The folder is a run now."""
        for name in self.names:
            try:
                self.followers.append(Follower(name, begin(self.folder, name)))
            except OSError as error:
                warn(f"{name} does not follow the run: {error.strerror or error}; {self.later([name])}")

    def checkpoint(self, run: Any) -> None:
        """More of it is safe."""
        for one in self.followers:
            one.tell(NEWS)
            if not one.failed and one.process.poll() is not None:
                self.give_up(one)

    def conclude(self, one: Follower, end: float) -> None:
        """Waits for a tracker's last words, but not for long."""
        try:
            one.process.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            one.process.kill()
            one.process.wait()
            if not one.failed:
                log = log_of(self.folder, one.name)
                warn(
                    f"{one.name} took longer than {PATIENCE:.0f} s at the end (its log: {log}); {self.later([one.name])}"
                )
            return
        if one.failed:
            return
        answer = one.answer()
        if "where" not in answer:
            self.give_up(one, answer)
        elif not self.quiet:
            say(f"{TRACKERS[one.name][1]}: {answer['where']}")

    def give_up(self, one: Follower, answer: dict[str, str] | None = None) -> None:
        """Tells once that a tracker has failed."""
        one.failed = True
        told = (one.answer() if answer is None else answer).get("failed", "its process ended")
        log = log_of(self.folder, one.name)
        warn(f"{one.name} failed, and the run goes on without it: {told} (all of it: {log}); {self.later([one.name])}")

    def later(self, names: Sequence[str]) -> str:
        return f"send the rest with: triptych track {shlex.quote(str(self.folder))} --to {' '.join(names)}"


def begin(folder: Path, name: str) -> subprocess.Popen[str]:
    """Starts a tracker's process; its own words go to a log in the run's folder. A terminal's Ctrl-C does not reach it."""
    log_of(folder, name).parent.mkdir(exist_ok=True)
    apart: dict[str, Any] = {"process_group": 0}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    handle = open_own(log_of(folder, name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "triptych.trackers.process", str(folder.absolute()), name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=handle, text=True, **apart,
        )  # fmt: skip
    finally:
        os.close(handle)


def log_of(folder: Path, name: str) -> Path:
    return folder / FOLDER / f"{name}.log"
