"""Jobs in processes of their own, stopped together."""

from __future__ import annotations

import contextlib
import itertools
import json
import shlex
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

from triptych.utils.checks import InputError, WorkerError
from triptych.utils.console import problem
from triptych.utils.interrupts import Interrupted, Interrupts
from triptych.utils.reading import read_json

Then = Callable[
    [int, dict[str, Any]], Sequence[dict[str, Any]] | None
]  # a job's place and result -> jobs that follow from it


class Working(Protocol):
    """A job under way."""

    def poll(self) -> int | None:
        """The code that its process ended with; None: it goes on."""

    def answer(self) -> dict[str, Any]:
        """What it left when it ended; empty where it was killed before it had written all of it."""

    def stop(self, by_console: bool) -> None:
        """Asks it to save and to end. `by_console`: a terminal's Ctrl-C was the cause."""

    def kill(self) -> None:
        """Ends it at once."""


class Place(Protocol):
    """Where jobs are done."""

    at_once: int

    def start(self, entry: str, kind: str, job: dict[str, Any]) -> Working:
        """Begins a job."""

    def look(self, running: Mapping[int, Any], waiting: int) -> None:
        """Is called again and again while jobs are under way, with their places."""


def work_all(
    entry: str,
    kind: str,
    jobs: Sequence[dict[str, Any]],
    then: Then,
    at_once: int = 1,
    place: Place | None = None,
    failed: Callable[[int, WorkerError], None] | None = None,
) -> None:
    """Does jobs, so many at once, each in a process of its own; `then` gets each one's place and result when it ends.

    `then` may give further jobs: they are done after those that wait already, and their places are counted on.

    `entry` is the "module:function" that the process calls: it reads the job as JSON from standard input, `kind` with it, and
    writes its result as JSON to the file named there as `answer`.

    Ctrl-C, SIGTERM and SIGHUP reach each process once; it saves what it has, and this waits for it. When one fails, no other is
    started, those that run are told the same, and what they still bring is taken.

    Args:
        place: where; None: on this machine, `at_once` of them.
        failed: gets the place of a job that failed, and how; the others then go on. None: it ends them.

    Raises:
        InputError: a process said that something given cannot be used.
        KeyboardInterrupt: they were interrupted, after each has said how to go on.
        WorkerError: one failed otherwise; its own output says how.
    """
    jobs = list(jobs)
    waiting, running = deque(range(len(jobs))), dict[int, Working]()
    told = set[int]()
    end: Exception | KeyboardInterrupt | None = None
    with Here.made(place, at_once) as there, Interrupts() as stop:
        try:
            while running or (waiting and not end):
                while waiting and len(running) < there.at_once and not end and not stop.asked:
                    index = waiting.popleft()
                    running[index] = there.start(entry, kind, jobs[index])
                for index, code in [
                    (index, code) for index, job in running.items() if (code := job.poll()) is not None
                ]:
                    result = running.pop(index).answer()
                    if "interrupted" in result or (index in told and not result):
                        tell_how_to_go_on(result)
                        end = end or Interrupted(stop.number)  # perhaps that one alone; the others are not left behind
                        continue
                    try:
                        more = then(index, result_of(result, jobs[index]["framework"], code)) or ()
                        waiting.extend(range(len(jobs), len(jobs) + len(more)))
                        jobs.extend(more)
                    except WorkerError as error:
                        if failed is None:
                            end = end or error
                        else:
                            failed(index, error)
                    except InputError as error:
                        end = end or error
                end = end or (Interrupted(stop.number) if stop.asked else None)
                if end:
                    tell_to_stop(running, told, by_console=stop.asked)
                there.look(running, len(waiting))
                time.sleep(0.02)
        except KeyboardInterrupt:  # asked a second time
            for job in running.values():
                job.kill()
            raise
        finally:  # whatever else went wrong, the others save what they have
            tell_to_stop(running, told, by_console=stop.asked)
            for job in running.values():
                while job.poll() is None:
                    time.sleep(0.02)
    if end or stop.asked:  # perhaps in the last moment
        raise end or Interrupted(stop.number)


def tell_to_stop(running: dict[int, Working], told: set[int], by_console: bool) -> None:
    """Asks each job once to stop: a second time would cut its saving short."""
    for index in running.keys() - told:
        told.add(index)
        running[index].stop(by_console)


class Child:
    """A job in a process that this one began."""

    def __init__(self, process: subprocess.Popen[str], answer: Path):
        self.process, self.file = process, answer

    def poll(self) -> int | None:
        code = self.process.poll()
        if code is not None and self.process.stdin is not None:
            with contextlib.suppress(OSError):
                self.process.stdin.close()
        return code

    def answer(self) -> dict[str, Any]:
        return read_answer(self.file)

    def stop(self, by_console: bool) -> None:
        if not (by_console and sys.platform == "win32"):  # where that has reached them all
            self.process.terminate()

    def kill(self) -> None:
        self.process.kill()


class Here:
    """This machine, where so many jobs run at once."""

    def __init__(self, folder: str, at_once: int):
        self.folder, self.at_once = Path(folder), at_once
        self.numbers = itertools.count()

    @staticmethod
    @contextlib.contextmanager
    def made(place: Place | None, at_once: int) -> Iterator[Place]:
        """The place that is given, or else this machine."""
        if place is not None:
            yield place
            return
        with tempfile.TemporaryDirectory() as folder:
            yield Here(folder, at_once)

    def start(self, entry: str, kind: str, job: dict[str, Any]) -> Child:
        answer = self.folder / f"{next(self.numbers)}.json"
        return Child(start(entry, kind, job, answer), answer)

    def look(self, running: Mapping[int, Any], waiting: int) -> None:
        pass


def start(
    entry: str, kind: str, job: dict[str, Any], answer: Path, said: IO[bytes] | None = None
) -> subprocess.Popen[str]:
    """A process that does the job and leaves its answer in a file. Its standard input stays open for as long as this process lives.

    Args:
        said: the file that its standard output and error go to; None: to those of this process.
    """
    module, _, function = entry.partition(":")
    command = [sys.executable, "-c", f"from {module} import {function}; {function}()"]
    # A session of its own: a terminal's Ctrl-C then reaches it through us, once.
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=said, stderr=said, text=True, start_new_session=True
    )
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):  # it died at its start: its code will tell
        process.stdin.write(json.dumps(job | {"kind": kind, "answer": str(answer)}) + "\n")
        process.stdin.flush()
    return process


def read_answer(path: Path) -> dict[str, Any]:
    """What a process left; empty where it was killed before it had written all of it."""
    try:
        return read_json(path, dict[str, Any])
    except InputError:
        return {}


def tell_how_to_go_on(result: dict[str, Any]) -> None:
    if result.get("interrupted"):
        problem(f"interrupted; go on with: triptych resume {shlex.quote(result['interrupted'])}")


def result_of(result: dict[str, Any], framework: str, code: int) -> dict[str, Any]:
    if not result:
        raise WorkerError(f"the {framework} process ended with code {code} before its result")
    if "error" in result:
        raise InputError(result["error"])
    if "failed" in result:
        raise WorkerError(result["failed"])
    return result
