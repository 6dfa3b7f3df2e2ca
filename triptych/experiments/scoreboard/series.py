"""The runs of one framework, each in a process that is forked from one that has imported it and has done nothing with it."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from triptych.experiments.scoreboard.case import Case, end_with_parent, run_alone
from triptych.frameworks import FRAMEWORKS, set_threads

PATIENCE, LEAST = 10, 300.0  # a run that has not ended after so many times its own seconds, and so many at least, hangs
Told = Callable[[Case, dict[str, Any]], None]


def context(framework: str) -> Any:
    """How processes begin. Where a fork is safe, one imports the framework and all others are its children."""
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    server = multiprocessing.get_context("forkserver")
    parts = [f"{FRAMEWORKS[framework].folder}.{part}" for part in ("learner", "faults")]
    server.set_forkserver_preload([*parts, "triptych.experiments.scoreboard.case"])
    return server


def run_all(framework: str, cases: Iterable[Case], jobs: int, told: Told) -> None:
    """Runs cases of one framework, `jobs` at a time, and tells what came of each as it ends."""
    set_threads(1)
    server = context(framework)
    with ThreadPoolExecutor(jobs) as pool:
        for case, found in pool.map(lambda case: (case, run_one(server, case)), cases):
            told(case, found)


def run_one(server: Any, case: Case) -> dict[str, Any]:
    """A case in a process of its own; one that hangs is ended."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        process = server.Process(target=run_alone, args=(case, answer), daemon=True)
        process.start()
        most = max(LEAST, PATIENCE * case.seconds)
        process.join(most)
        if process.is_alive():
            process.kill()
            process.join()
            return nothing(f"it did not end within {most:.0f} s")
        if not answer.exists():
            return nothing(f"its process ended with code {process.exitcode}")
        return json.loads(answer.read_text(encoding="utf-8"))


def nothing(why: str) -> dict[str, Any]:
    return {"outcome": "failed", "alarms": [], "steps": 0, "seconds": None, "why": why}


def serve(framework: str, pipe: Any, jobs: int, parent: int) -> None:
    """In a process of its own: takes lists of cases from a pipe and answers each case as it ends; an empty list ends it."""
    end_with_parent(parent)
    while cases := pipe.recv():
        run_all(framework, cases, jobs, lambda case, found: pipe.send((case, found)))
        pipe.send(None)


class Series:
    """The process that runs the cases of a framework; a context manager."""

    def __init__(self, framework: str, jobs: int):
        begin = multiprocessing.get_context("spawn")  # each framework has a server of its own
        self.pipe, theirs = begin.Pipe()
        self.process = begin.Process(target=serve, args=(framework, theirs, jobs, os.getpid()))

    def __enter__(self) -> Series:
        self.process.start()
        return self

    def __exit__(self, *_: Any) -> None:
        try:
            self.pipe.send([])
            self.process.join(5)
        except OSError:
            pass
        if self.process.is_alive():
            self.process.terminate()
            self.process.join()

    def run(self, cases: list[Case], told: Told) -> None:
        """Runs cases, and tells what came of each."""
        if not cases:
            return
        self.pipe.send(cases)
        while (answer := self.pipe.recv()) is not None:
            told(*answer)
