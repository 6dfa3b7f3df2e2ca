"""What a Ray worker does for us: it begins a job's process on its node, watches it, and hands out what it makes.

The process is the very one that would do the job without Ray, so its numbers are the same.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

from triptych import __version__
from triptych.runs.travel import Listing, listing, unpacked
from triptych.utils import processes
from triptych.utils.files import sha256
from triptych.utils.leftovers import Scratch, below
from triptych.utils.locks import wait_for_lock

TAIL = 4096  # bytes of a log that hold its last line


class Host:
    """An actor: one job on one node.

    Where the node sees the folder of the runs, as on one machine or with a shared disk, the job works in it. Else it works
    in a folder of the node's own, whose files travel.
    """

    def __init__(self) -> None:
        with contextlib.suppress(ValueError):  # not the main thread
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C reaches the job through us, once
        self.scratch = Scratch()
        self.process: subprocess.Popen[str] | None = None
        self.waiting: tuple[str, str, dict[str, Any]] | None = None
        self.answer, self.said = self.scratch.path / "answer.json", self.scratch.path / "said.txt"
        self.told = 0  # bytes of `said` that were handed out
        self.run = Path()

    def begin(self, run: str, mark: str, digest: str) -> dict[str, Any]:
        """Finds out where the job will work.

        Args:
            run: the folder of its run at home.
            mark: a file in it, which has this SHA-256 where this node sees that folder.
        """
        seen = False
        with contextlib.suppress(OSError):
            seen = sha256(Path(run) / mark) == digest
        self.run = Path(run) if seen else self.scratch.path / "runs" / Path(run).name
        self.run.parent.mkdir(exist_ok=True, parents=True)
        return {"shared": seen, "version": __version__, "host": socket.gethostname(), "runs": str(self.run.parent)}

    def write(self, name: str, piece: bytes, first: bool) -> None:
        """Takes a piece of a file of the run."""
        path = self.run / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "wb" if first else "ab") as file:
            file.write(piece)

    def start(
        self, entry: str, kind: str, job: dict[str, Any], texts: dict[str, str], variables: dict[str, str]
    ) -> None:
        """Begins the job.

        Args:
            texts: the user's files that it runs, for a node that has them not.
            variables: of the environment.
        """
        os.environ.update(variables)
        files = [str(unpacked(name, text, self.scratch.path / "files")) for name, text in texts.items()]
        self.waiting = (entry, kind, job | {"files": files})

    def look(self) -> dict[str, Any]:
        """How it goes: the process' code once it has ended, its answer, what it has printed since, and how far its run is."""
        if self.process is None and self.waiting is not None:
            self.begin_process()
        code = None if self.process is None else self.process.poll()
        found = {"code": code, "said": self.printed(), **progress(self.run / "episodes.csv")}
        if code is not None:
            found["answer"] = processes.read_answer(self.answer)
        return found

    def begin_process(self) -> None:
        """Begins the job's process, once another one that saves the same run has let go of it: its node was lost."""
        assert self.waiting is not None
        lock = self.run / ".lock"
        if lock.exists():
            with open(lock, "r+b") as file:
                if not wait_for_lock(file, 1.0):
                    return
        with open(self.said, "wb") as said:
            self.process = processes.start(*self.waiting, self.answer, said)
        self.scratch.note(below(1))

    def printed(self) -> list[str]:
        """Lines that came since they were last asked for."""
        with contextlib.suppress(OSError), open(self.said, "rb") as file:
            file.seek(self.told)
            text = file.read()
            over = self.process is not None and self.process.poll() is not None
            whole = text if over else text[: text.rfind(b"\n") + 1]
            self.told += len(whole)
            return [line for line in whole.decode(errors="replace").splitlines() if line.strip()]
        return []

    def list(self) -> Listing:
        """The files of the run."""
        return listing(self.run)

    def read(self, name: str, start: int, size: int) -> tuple[bytes, int] | None:
        """A piece of a file of the run, and when the file was written, in ns; None: it has gone."""
        try:
            with open(self.run / name, "rb") as file:
                file.seek(start)
                return file.read(size), os.fstat(file.fileno()).st_mtime_ns
        except OSError:
            return None

    def stop(self) -> bool:
        """Asks the process to save and to end; False: there is none."""
        if self.process is None:
            self.waiting = None
            return False
        if self.process.poll() is None:
            self.process.terminate()
        return True

    def end(self) -> None:
        """Ends all at once, and removes what lies here."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
        self.scratch.__exit__()


def progress(log: Path) -> dict[str, Any]:
    """The last row of a run's episodes.csv: its steps, and its running reward."""
    try:
        with open(log, "rb") as file:
            names = file.readline().decode().strip().split(",")
            file.seek(max(file.tell(), log.stat().st_size - TAIL))
            lines = file.read().decode(errors="replace").split("\n")[:-1]
        row = dict(zip(names, next(csv.reader(lines[-1:])), strict=True))
        return {"steps": int(row["steps"]), "reward": float(row["running_reward"])}
    except (OSError, StopIteration, ValueError, KeyError):
        return {}


def at_home(answer: dict[str, Any], there: str, home: str) -> dict[str, Any]:
    """An answer with the paths of home in it."""
    return json.loads(json.dumps(answer).replace(json.dumps(there)[1:-1], json.dumps(home)[1:-1]))
