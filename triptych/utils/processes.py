"""Jobs in processes of their own, stopped together."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from triptych.utils.checks import InputError, WorkerError
from triptych.utils.console import problem
from triptych.utils.interrupts import Interrupted, Interrupts
from triptych.utils.reading import read_json

PATIENCE = 120.0  # seconds that a process without its parent is given to save


Then = Callable[
    [int, dict[str, Any]], Sequence[dict[str, Any]] | None
]  # a job's place and result -> jobs that follow from it


def work_all(entry: str, kind: str, jobs: Sequence[dict[str, Any]], then: Then, at_once: int = 1) -> None:
    """Does jobs, so many at once, each in a process of its own; `then` gets each one's place and result when it ends.

    `then` may give further jobs: they are done after those that wait already, and their places are counted on.

    `entry` is the "module:function" that the process calls: it reads the job as JSON from standard input, `kind` with it, and
    writes its result as JSON to the file named there as `answer`.

    Ctrl-C, SIGTERM and SIGHUP reach each process once; it saves what it has, and this waits for it. When one fails, no other is
    started, those that run are told the same, and what they still bring is taken.

    Raises:
        InputError: a process said that something given cannot be used.
        KeyboardInterrupt: they were interrupted, after each has said how to go on.
        WorkerError: one failed otherwise; its own output says how.
    """
    jobs = list(jobs)
    waiting, running = deque(range(len(jobs))), dict[int, subprocess.Popen[str]]()
    told = set[int]()
    end: Exception | KeyboardInterrupt | None = None
    with tempfile.TemporaryDirectory() as folder, Interrupts() as stop:
        try:
            while running or (waiting and not end):
                while waiting and len(running) < at_once and not end and not stop.asked:
                    index = waiting.popleft()
                    running[index] = start(entry, kind, jobs[index], answer_of(folder, index))
                for index in [index for index, process in running.items() if process.poll() is not None]:
                    code, result = done_with(running.pop(index)), read_answer(answer_of(folder, index))
                    if "interrupted" in result or (index in told and not result):
                        tell_how_to_go_on(result)
                        end = end or Interrupted(stop.number)  # perhaps that one alone; the others are not left behind
                        continue
                    try:
                        more = then(index, result_of(result, jobs[index]["framework"], code)) or ()
                        waiting.extend(range(len(jobs), len(jobs) + len(more)))
                        jobs.extend(more)
                    except (InputError, WorkerError) as error:
                        end = end or error
                end = end or (Interrupted(stop.number) if stop.asked else None)
                if end:
                    tell_to_stop(running, told, by_console=stop.asked)
                time.sleep(0.02)
        except KeyboardInterrupt:  # asked a second time
            for process in running.values():
                process.kill()
            raise
        finally:  # whatever else went wrong, the others save what they have
            tell_to_stop(running, told, by_console=stop.asked)
            for process in running.values():
                done_with(process)
    if end or stop.asked:  # perhaps in the last moment
        raise end or Interrupted(stop.number)


def tell_to_stop(running: dict[int, subprocess.Popen[str]], told: set[int], by_console: bool) -> None:
    """Sends SIGTERM to each process once: a second one would cut its saving short.

    Args:
        by_console: a terminal's Ctrl-C was the cause, which on Windows has reached them all.
    """
    for index in running.keys() - told:
        told.add(index)
        if not (by_console and sys.platform == "win32"):
            running[index].terminate()


def start(entry: str, kind: str, job: dict[str, Any], answer: Path) -> subprocess.Popen[str]:
    """A process that does the job and leaves its answer in a file. Its standard input stays open for as long as this process lives."""
    module, _, function = entry.partition(":")
    command = [sys.executable, "-c", f"from {module} import {function}; {function}()"]
    # A session of its own: a terminal's Ctrl-C then reaches it through us, once.
    process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):  # it died at its start: its code will tell
        process.stdin.write(json.dumps(job | {"kind": kind, "answer": str(answer)}) + "\n")
        process.stdin.flush()
    return process


def read_job() -> dict[str, Any]:
    """In a process that `start` made: the job. From then on it ends with whoever gave it, however that one ends."""
    job = json.loads(sys.stdin.readline())
    pipe = os.dup(0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # the user's code finds nothing to read there
    threading.Thread(target=end_with, args=(pipe,), daemon=True).start()
    return job


def end_with(pipe: int) -> None:
    """Waits for the end of whoever holds the other end of a pipe; then this process saves and stops, as after SIGTERM."""
    with contextlib.suppress(OSError):
        while os.read(pipe, 1024):
            pass
    if sys.platform == "win32":
        signal.raise_signal(signal.SIGTERM)
    else:
        os.kill(os.getpid(), signal.SIGTERM)  # to the main thread, which may wait in a call of the system
    time.sleep(PATIENCE)
    os._exit(128 + signal.SIGTERM)


def done_with(process: subprocess.Popen[str]) -> int:
    """The code of a process that has ended, its pipe closed."""
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
    return process.wait()


def answer_of(folder: str, index: int) -> Path:
    return Path(folder) / f"{index}.json"


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
