"""Temporary folders and processes that end with whoever made them, also where that one was killed: the next to come sweeps them.

Each use has a folder of its own in one place for this user, with a lock that its process holds and a list of the
processes begun for it: their ids and when they began. Nothing is ever known by its name.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import stat
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil

from triptych.utils.checks import InputError
from triptych.utils.files import open_own
from triptych.utils.locks import try_lock, wait_for_lock

LOCK, PROCESSES = "lock", "processes.json"
LONGEST = 40  # letters of a folder's path: sockets lie below it, whose paths may have 107
SAME = 1.0  # seconds by which one process' start may be told differently

Process = tuple[int, float]  # its id, and when it began in seconds of the epoch: an id alone may have come to another


class Scratch:
    """A folder of our own for as long as this process lives, and the processes that shall end with it.

    A context manager: at its end the processes are killed and the folder is removed.

    Attributes:
        path: the folder, which only this user may enter.
    """

    def __init__(self, parent: Path | None = None):
        parent = own_place() if parent is None else parent
        with one_at_a_time(parent):  # else another could sweep this folder before it is locked
            sweep_all(parent)
            self.path = parent / secrets.token_hex(4)
            self.path.mkdir(mode=0o700)
            self.lock = os.fdopen(open_own(self.path / LOCK, os.O_RDWR | os.O_CREAT), "r+b")
            try_lock(self.lock)
        self.known: set[Process] = set()
        self.writing = threading.Lock()

    def note(self, found: Iterable[Process]) -> None:
        """Remembers processes that are to end with this one."""
        with self.writing:
            new = set(found) - self.known
            if new:
                self.known |= new
                append(self.path / PROCESSES, new)

    def __enter__(self) -> Scratch:
        return self

    def __exit__(self, *_: object) -> None:
        end(self.known)
        shutil.rmtree(self.path, ignore_errors=True)
        self.lock.close()


def own_place() -> Path:
    """The folder of these folders, which only this user may enter.

    Raises:
        InputError: somebody else has taken its name.
    """
    user = os.getuid() if hasattr(os, "getuid") else "user"
    folder = Path(tempfile.gettempdir()) / f"triptych-{user}"
    if len(str(folder)) > LONGEST and Path("/tmp").is_dir():
        folder = Path("/tmp") / folder.name
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    told = folder.lstat()
    if os.name != "nt" and (not stat.S_ISDIR(told.st_mode) or told.st_uid != os.getuid()):
        raise InputError(f"{folder} is not your own folder; allowed: another TMPDIR")
    folder.chmod(0o700)
    return folder


def append(path: Path, found: Iterable[Process]) -> None:
    """A line for each process, in one write: whoever is killed here leaves whole lines."""
    text = "".join(json.dumps(process) + "\n" for process in sorted(found))
    with os.fdopen(open_own(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT), "ab", buffering=0) as file:
        file.write(text.encode())


def noted(path: Path) -> set[Process]:
    """The processes that a list names; lines that are none are passed over."""
    found = set[Process]()
    with contextlib.suppress(OSError):
        for text in path.read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError, TypeError):
                number, began = json.loads(text)
                found.add((int(number), float(began)))
    return found


@contextlib.contextmanager
def one_at_a_time(parent: Path) -> Iterator[None]:
    """Nobody else makes or sweeps a folder there meanwhile.

    Raises:
        InputError: somebody else does so for half a minute.
    """
    with os.fdopen(open_own(parent / LOCK, os.O_RDWR | os.O_CREAT), "r+b") as lock:
        if not wait_for_lock(lock):
            raise InputError(f"{parent / LOCK} is held by another process; allowed: to wait for its end")
        yield


def sweep() -> None:
    """Ends the processes and removes the folders of those of this user's that ended without doing so."""
    parent = own_place()
    with one_at_a_time(parent):
        sweep_all(parent)


def sweep_all(parent: Path) -> None:
    """The same, while it is nobody else's turn."""
    for folder in parent.iterdir():
        with contextlib.suppress(OSError, InputError):
            if folder.is_symlink() or not folder.is_dir():
                continue
            with os.fdopen(open_own(folder / LOCK, os.O_RDWR | os.O_CREAT), "r+b") as lock:
                if try_lock(lock):  # its owner has ended
                    end(noted(folder / PROCESSES))
                    shutil.rmtree(folder, ignore_errors=True)


def end(found: Iterable[Process], patience: float = 5.0) -> None:
    """Kills those of these processes that still run, and waits until they are gone."""
    alive = list(running(found))
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.kill()
    last = time.monotonic() + patience
    while any(is_alive(process) for process in alive) and time.monotonic() < last:
        time.sleep(0.02)


def is_alive(process: psutil.Process) -> bool:
    """Whether it still does something; one that its parent has not asked about yet does not. Asking takes nothing from the parent."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def running(found: Iterable[Process]) -> Iterator[psutil.Process]:
    """Those that are there and are the ones meant."""
    for number, began in found:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(number)
            if number != os.getpid() and abs(process.create_time() - began) < SAME:
                yield process


def command_of(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def below(depth: int, named: str = "") -> set[Process]:
    """The processes begun by this one, and by those, so many generations.

    Args:
        named: what the command lines of the first generation hold; other processes of this program are not ours to end.
    """
    found: set[Process] = set()
    parents = [psutil.Process()]
    for generation in range(depth):
        children: list[psutil.Process] = []
        for parent in parents:
            with contextlib.suppress(psutil.Error):
                children += parent.children()
        if named and not generation:
            children = [child for child in children if named in command_of(child)]
        for child in children:
            with contextlib.suppress(psutil.Error):
                found.add((child.pid, child.create_time()))
        parents = children
    return found
