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

from triptych.trackers.registry import TRACKERS
from triptych.trackers.state import FOLDER
from triptych.utils.checks import InputError
from triptych.utils.console import say, warn
from triptych.utils.files import open_own

PATIENCE = 60.0  # seconds that a run waits at its end, all trackers together
SILENCE = 3.0  # seconds of them after which it says so


@dataclass
class Follower:
    """The process that mirrors to one tracker."""

    name: str
    process: subprocess.Popen[str]
    failed: bool = False

    def __post_init__(self) -> None:
        if sys.platform != "win32":
            assert self.process.stdin is not None
            os.set_blocking(self.process.stdin.fileno(), False)

    def tell(self) -> None:
        """Says that there is more to send; where it takes nothing now, as it hangs, it need not know."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            os.write(self.process.stdin.fileno(), b"more\n")

    def end(self) -> None:
        """Says that the run has ended."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()

    def answer(self) -> dict[str, str]:
        """What it said of its end, once it has ended; empty where it was killed."""
        assert self.process.stdout is not None
        with self.process.stdout as said, contextlib.suppress(ValueError, OSError):
            found: dict[str, str] = json.loads(said.read())
            return found
        return {}


class Following:
    """The trackers of a run: a context manager around all that is done to it, and a callback (`start`, `checkpoint`).

    Args:
        folder: the run's, which may not be there yet.
        names: of the trackers.
        quiet: tell nothing but what fails.
        group: what the run is one of, as the tools call it; None: it stands alone.
    """

    def __init__(self, folder: Path, names: Sequence[str], quiet: bool = True, group: str | None = None):
        self.folder, self.names, self.quiet, self.group = folder, names, quiet, group
        self.followers: list[Follower] = []
        self.untracked: dict[
            str, str
        ] = {}  # what was told of trackers that have not got all of the run, by their names

    def __enter__(self) -> Following:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for one in self.followers:
            one.end()
        end = time.monotonic() + PATIENCE
        try:
            self.wait_a_little()
            for one in self.followers:
                self.conclude(one, end)
        except KeyboardInterrupt:
            for one in self.followers:
                one.process.kill()
            warn(f"not all was sent; {self.later(self.names)}")
            raise

    def start(self, run: Any) -> None:
        """The folder is a run now."""
        for name in self.names:
            try:
                self.followers.append(Follower(name, begin(self.folder, name, self.group)))
            except (OSError, InputError) as error:
                told = getattr(error, "strerror", None) or error
                self.warn(name, f"{name} does not follow the run: {told}")

    def checkpoint(self, run: Any) -> None:
        """More of it is safe."""
        for one in self.followers:
            one.tell()
            if not one.failed and one.process.poll() is not None:
                self.give_up(one)

    def wait_a_little(self) -> None:
        """Says what is waited for, where that takes longer."""
        end = time.monotonic() + SILENCE
        for one in self.followers:
            with contextlib.suppress(subprocess.TimeoutExpired):
                one.process.wait(max(0.0, end - time.monotonic()))
        late = [one.name for one in self.followers if one.process.poll() is None]
        if late and not self.quiet:
            say(f"waiting for {' and '.join(late)} to send the rest, for a minute at most; Ctrl-C ends that")

    def conclude(self, one: Follower, end: float) -> None:
        """Waits for a tracker's last words, but not for long."""
        try:
            one.process.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            one.process.kill()
            one.process.wait()
            one.answer()
            log = log_of(self.folder, one.name)
            self.warn(one.name, f"{one.name} took longer than {PATIENCE:.0f} s at the end (its log: {log})")
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
        self.warn(one.name, f"{one.name} failed, and the run goes on without it: {told} (all of it: {log})")

    def warn(self, name: str, line: str) -> None:
        self.untracked[name] = f"{line}; {self.later([name])}"
        warn(self.untracked[name])

    def later(self, names: Sequence[str]) -> str:
        return f"send the rest with: triptych track {shlex.quote(str(self.folder))} --to {' '.join(names)}"


def begin(folder: Path, name: str, group: str | None = None) -> subprocess.Popen[str]:
    """Starts a tracker's process; its own words go to a log in the run's folder. A terminal's Ctrl-C does not reach it."""
    log_of(folder, name).parent.mkdir(exist_ok=True)
    apart: dict[str, Any] = {"process_group": 0}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    handle = open_own(log_of(folder, name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "triptych.trackers.process", str(folder.absolute()), name, group or ""],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=handle, text=True, env=own_environment(), **apart,
        )  # fmt: skip
    finally:
        os.close(handle)


def own_environment() -> dict[str, str]:
    """The environment without the address of W&B's service for this process: where that ends, so would the tracker's."""
    return {name: value for name, value in os.environ.items() if name != "WANDB_SERVICE"}


def log_of(folder: Path, name: str) -> Path:
    return folder / FOLDER / f"{name}.log"
