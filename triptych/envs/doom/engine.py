"""A game of ViZDoom as its own process, seen from ours: `worker` is the other side."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

from triptych.utils.checks import InputError

PATIENCE = 5  # seconds for a game to end by itself
ANSWER = 60  # seconds for a step; longer, and its engine hangs
START = 600  # seconds for what starts an engine: many games start at once, on a busy machine too
FOLDER, LOCK = "triptych-doom-", "lock"
FRESH = 60  # seconds in which a folder's lock may not be taken yet
SHARED = Path("/dev/shm")


class EngineError(RuntimeError):
    """A game's process answered with an error, or not at all."""


class Engine:
    """One game. What it leaves in the file system lies in a folder of its own, which goes with it.

    Ours may end as it likes: the process notices, closes its game and ends. Where it is killed itself, the kernel ends its
    engine, and `close` removes what it left.
    """

    def __init__(self, env_id: str, options: dict[str, Any], parts: tuple[str, ...]):
        self.folder = tempfile.mkdtemp(prefix=FOLDER)
        # Held by us and by its process: free when both are gone, however they went.
        self.lock = os.open(Path(self.folder, LOCK), os.O_CREAT | os.O_RDWR)
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.connection, theirs = Pipe()
        self.left: dict[str, list[Any]] = {"engine": [], "shared": []}  # what to remove where it is killed
        self.waiting = 0  # answers
        self.asked = ""  # what was asked for last
        # A session of its own: a terminal's Ctrl-C is ours to answer, after which the games are closed.
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("worker.py")), str(theirs.fileno())],
            cwd=self.folder, pass_fds=[theirs.fileno(), self.lock], start_new_session=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=os.environ | {"SDL_AUDIODRIVER": "dummy", "SDL_VIDEODRIVER": "dummy", "PYGAME_HIDE_SUPPORT_PROMPT": "1"},
        )  # fmt: skip
        theirs.close()
        self.ask("make", env_id, options, parts)

    def ask(self, name: str, *given: Any) -> None:
        """Asks for something to be done, while this process does something else."""
        with contextlib.suppress(OSError):  # it is gone, which `answer` tells
            self.connection.send((name, *given))
        self.waiting, self.asked = self.waiting + 1, name

    def answer(self) -> Any:
        """What came of it.

        Raises:
            EngineError: it failed, or the process has ended, or does not answer in time.
        """
        limit = ANSWER if self.asked == "step" else START
        try:
            self.waiting -= 1
            # Asked once more, as the time went on where our own process was stopped.
            if not (self.connection.poll(limit) or self.connection.poll()):
                raise EngineError(f"the game's process has not answered within {limit:g} seconds")
            name, found = self.connection.recv()
        except (EOFError, OSError):
            raise EngineError(self.ending()) from None
        if name == "failed":
            raise EngineError(found)
        return found

    def ending(self) -> str:
        """How the process ended, in words."""
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            return "the game's process does not answer"
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return f"the game's process has ended ({how})"

    def close(self) -> None:
        """Ends the game and removes what it left."""
        with contextlib.suppress(OSError):
            self.connection.send(("close",))
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.connection.close()
        for process in self.left["engine"]:
            with contextlib.suppress(OSError):
                if "vizdoom" in os.readlink(f"/proc/{process}/exe"):  # and not another's that has its number now
                    os.kill(process, signal.SIGKILL)
        for file in self.left["shared"]:
            Path(file).unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            os.close(self.lock)


def sweep() -> None:
    """Removes what games left whose process and ours were killed at once: their folders, and their files in shared memory."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER}*"):
        with contextlib.suppress(OSError):
            about = folder.lstat()
            if about.st_uid != os.getuid() or not stat.S_ISDIR(about.st_mode) or time.time() - about.st_mtime < FRESH:
                continue
            lock = os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails where one of them lives
                for name in (folder / "shared").read_text("utf-8").split() if (folder / "shared").is_file() else ():
                    if Path(name).name.startswith("ViZDoom"):
                        (SHARED / Path(name).name).unlink(missing_ok=True)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


def made(engine: Engine, env_id: str) -> dict[str, Any]:
    """What a game is like, once its process has made it.

    Raises:
        InputError: it could not be made.
    """
    try:
        found: dict[str, Any] = engine.answer()
    except EngineError as error:
        engine.close()
        raise InputError(f"env is {env_id!r}, which cannot be made: {error}") from None
    if found["actions"] is None:
        engine.close()
        raise InputError(f"env is {env_id!r} with action space {found['space']}; allowed: a Discrete one")
    return found
