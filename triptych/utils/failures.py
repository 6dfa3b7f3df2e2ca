"""What ends a run before its end though its settings are good: a failing game or callback, the machine, numbers that are not finite."""

from __future__ import annotations

import contextlib
import errno
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from triptych.utils.checks import EnvironmentFailed, InputError, WorkerError

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NO_DISK = (errno.EIO, errno.EROFS)
# What the frameworks say of memory in errors of their own: PyTorch, CUDA, JAX, TensorFlow.
NO_MEMORY = ("can't allocate memory", "out of memory", "RESOURCE_EXHAUSTED", "OOM when allocating")


class CallbackFailed(RuntimeError):
    """A user's callback raised, or ended its process. What it raised is the cause."""

    def __init__(self, name: str, problem: str):
        super().__init__(name, problem)
        self.name, self.problem = name, problem

    def __str__(self) -> str:
        return f"callback {self.name} failed: {self.problem}"


class RunFailed(RuntimeError):
    """A run was stopped by a failing environment or callback, whose own exception is the cause's cause. It can be gone on with.

    Args:
        line: what happened, where the traceback is, and how to go on.
        result: what the run came to until then (`RunResult`).
    """

    def __init__(self, line: str, result: Any):
        super().__init__(line)
        self.result = result

    @property
    def path(self) -> Path:
        """The run's folder."""
        return Path(self.result.path)


class MachineFailed(RuntimeError):
    """The disk is full, or there is no memory left."""


class NotFiniteError(ArithmeticError):
    """A loss, a gradient or a weight is not finite: the run has diverged."""


def machine_trouble(error: BaseException) -> str | None:
    """What is wrong with the machine, where that is what an error says; else None."""
    if isinstance(error, OSError) and error.errno in NO_ROOM + NO_DISK:
        what = "the disk is full" if error.errno in NO_ROOM else "the disk cannot be written"
        return f"{what} ({error.filename or ''}{': ' * bool(error.filename)}{error.strerror})"
    text = str(error)
    if isinstance(error, MemoryError) or (isinstance(error, Exception) and any(sign in text for sign in NO_MEMORY)):
        return f"there is no memory left ({first_line(error)})"
    return None


@contextlib.contextmanager
def machine_failures() -> Iterator[None]:
    """Around what a user calls from Python: a full disk or missing memory is told in one line, whatever it hit.

    Raises:
        MachineFailed
    """
    try:
        yield
    except (
        InputError,
        MachineFailed,
        RunFailed,
        EnvironmentFailed,
        CallbackFailed,
        WorkerError,
    ):  # they tell it themselves
        raise
    except Exception as error:
        if trouble := machine_trouble(error):
            raise MachineFailed(trouble) from error
        raise


def first_line(error: BaseException) -> str:
    """An exception in one line: its kind and the first line of what it says."""
    text = next(iter(str(error).splitlines()), "")[:300]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def told(error: BaseException) -> str:
    """The traceback of the user's own exception, where an error of ours has one behind it; else the error's own."""
    found = error.__cause__ if isinstance(error, EnvironmentFailed | CallbackFailed) and error.__cause__ else error
    return "".join(traceback.format_exception(found))
