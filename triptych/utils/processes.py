"""Jobs in processes of their own, stopped together."""

from __future__ import annotations

import contextlib
import json
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from triptych.utils.checks import InputError, WorkerError
from triptych.utils.interrupts import Interrupts
from triptych.utils.reading import read_json


def work_all(
    entry: str, kind: str, jobs: Sequence[dict[str, Any]], then: Callable[[int, dict[str, Any]], None], at_once: int = 1
) -> None:
    """Does jobs, so many at once, each in a process of its own; `then` gets each one's place and result when it ends.

    `entry` is the "module:function" that the process calls: it reads the job as JSON from standard input, `kind` with it, and
    writes its result as JSON to the file named there as `answer`.

    Ctrl-C and SIGTERM reach each process once; it saves what it has, and this waits for it. When one fails, no other is
    started, those that run are told the same, and what they still bring is taken.

    Raises:
        InputError: a process said that something given cannot be used.
        KeyboardInterrupt: they were interrupted, after each has said how to go on.
        WorkerError: one failed otherwise; its own output says how.
    """
    waiting, running = list(range(len(jobs)))[::-1], dict[int, subprocess.Popen[str]]()
    told = set[int]()
    end: Exception | KeyboardInterrupt | None = None
    with tempfile.TemporaryDirectory() as folder, Interrupts() as stop:
        try:
            while running or (waiting and not end):
                while waiting and len(running) < at_once and not end and not stop.asked:
                    index = waiting.pop()
                    running[index] = start(entry, kind, jobs[index], answer_of(folder, index))
                for index in [index for index, process in running.items() if process.poll() is not None]:
                    code, result = running.pop(index).returncode, read_answer(answer_of(folder, index))
                    if "interrupted" in result or (index in told and not result):
                        tell_how_to_go_on(result)
                        end = end or KeyboardInterrupt()  # perhaps that one alone; the others are not left behind
                        continue
                    try:
                        then(index, result_of(result, jobs[index]["framework"], code))
                    except (InputError, WorkerError) as error:
                        end = end or error
                end = end or (KeyboardInterrupt() if stop.asked else None)
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
                process.wait()
    if end or stop.asked:  # perhaps in the last moment
        raise end or KeyboardInterrupt


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
    """A process that does the job and leaves its answer in a file."""
    module, _, function = entry.partition(":")
    command = [sys.executable, "-c", f"from {module} import {function}; {function}()"]
    # A session of its own: a terminal's Ctrl-C then reaches it through us, once.
    process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError), process.stdin as pipe:  # it died at its start: its code will tell
        pipe.write(json.dumps(job | {"kind": kind, "answer": str(answer)}))
    return process


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
        print(f"interrupted; go on with: triptych resume {shlex.quote(result['interrupted'])}", file=sys.stderr)


def result_of(result: dict[str, Any], framework: str, code: int) -> dict[str, Any]:
    if not result:
        raise WorkerError(f"the {framework} process ended with code {code} before its result")
    if "error" in result:
        raise InputError(result["error"])
    return result
