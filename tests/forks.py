"""Processes of their own, cheaply: each is forked from one that has imported the frameworks and has done nothing with them.

Importing a framework takes a process 2 to 5 seconds of a core, most of what a short session takes. What such a process does is its
own: games, files, threads, signals, and how it ends. That `python -m triptych` and `processes.start` begin one that imports all by
itself is held by the tests that stop them with Ctrl-C.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from multiprocessing import reduction
from pathlib import Path
from typing import IO, Any

from triptych.cli.main import main
from triptych.frameworks import FRAMEWORKS

SERVER = multiprocessing.get_context("forkserver")
if sys.platform == "linux":  # elsewhere a system's own libraries may not be used in a fork: each then imports anew
    parts = [f"{one.folder}.{part}" for one in FRAMEWORKS.values() for part in ("learner", "frames")]
    SERVER.set_forkserver_preload([*parts, "tests.forks", "triptych.experiments.jobs"])


class Fork:
    """A process that calls a function of a module; as much of `subprocess.Popen` as `processes.Child` uses.

    Args:
        out, err: the files that its standard output and error go to; None: to those of this process.
        environment: its variables; None: those of this process.
        folder: where it works; None: where this process does.
    """

    def __init__(
        self,
        function: Callable[..., None],
        given: Sequence[Any] = (),
        *,
        out: IO[bytes] | None = None,
        err: IO[bytes] | None = None,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ):
        read, write = os.pipe()
        files = read, out.fileno() if out else 1, err.fileno() if err else 2
        place = dict(os.environ if environment is None else environment), str(folder or os.getcwd())
        passed = [Passed(number) for number in files]
        self.process = SERVER.Process(target=begin, args=(passed, *place, function, *given))
        self.process.start()
        os.close(read)
        self.stdin = os.fdopen(write, "w")

    def poll(self) -> int | None:
        return self.process.exitcode

    def wait(self) -> int:
        self.process.join()
        with contextlib.suppress(OSError):
            self.stdin.close()
        assert self.process.exitcode is not None
        return self.process.exitcode

    def terminate(self) -> None:
        self.process.terminate()

    def kill(self) -> None:
        self.process.kill()


class Passed:
    """An open file's number, which is another one in the process that it is passed to."""

    def __init__(self, number: int):
        self.number = number

    def __reduce__(self) -> tuple[Any, ...]:
        return received, (reduction.DupFd(self.number),)  # type: ignore[attr-defined]


def received(passed: Any) -> int:
    return passed.detach()


def begin(
    numbers: list[int], environment: dict[str, str], folder: str, function: Callable[..., None], *given: Any
) -> None:
    """In the forked process: makes it what `python -m` in that folder would have begun, and calls the function."""
    os.setsid()
    for place, number in enumerate(numbers):
        os.dup2(number, place)
        os.close(number)
    sys.stdin = os.fdopen(0, closefd=False)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.path.insert(0, folder)
    function(*given)


def start_job(entry: str, kind: str, job: dict[str, Any], answer: Path, said: IO[bytes] | None = None) -> Fork:
    """What stands for `processes.start`."""
    process = Fork(call, (entry,), out=said, err=said)
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(json.dumps(job | {"kind": kind, "answer": str(answer)}) + "\n")
        process.stdin.flush()
    return process


def call(entry: str) -> None:
    module, _, function = entry.partition(":")
    getattr(import_module(module), function)()


def command(*arguments: str | Path, **how: Any) -> subprocess.CompletedProcess[str]:
    """The command line in a process that has run nobody's file before; `how` as `Fork` takes it."""
    return finished(main, [[str(argument) for argument in arguments]], **how)


def finished(function: Callable[..., None], given: Sequence[Any] = (), **how: Any) -> subprocess.CompletedProcess[str]:
    """Waits for the end of a process that calls a function."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        code = Fork(function, given, out=out, err=err, **how).wait()
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess([], code, out.read().decode(), err.read().decode())
