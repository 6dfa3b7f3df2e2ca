"""Sessions of a run in processes of their own, which kill themselves where they are told to."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import triptych
from tests import forks
from triptych.runs import checkpoints
from triptych.training.callbacks import logs
from triptych.utils import files

Place = tuple[str, str, int]  # a module of OWNERS, a function of it, and which of its calls
OWNERS: dict[str, Any] = {"os": os, "checkpoints": checkpoints, "files": files}


def sit(
    path: Path,
    framework: str,
    settings: dict[str, Any],
    *,
    resumed: bool = False,
    kill_at: int = 0,
    kill_in: Place | None = None,
) -> int:
    """One session; returns its exit code (-9: killed).

    Args:
        kill_at: the step just after which it kills itself with SIGKILL; 0: it does not.
        kill_in: it does so as this call is about to be made.
    """
    done = forks.finished(session, [path, framework, settings, resumed, kill_at, kill_in])
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode


def session(
    path: Path, framework: str, settings: dict[str, Any], resumed: bool, kill_at: int, kill_in: Place | None
) -> None:
    """What the process does."""
    if kill_at:
        watch(kill_at)
    if kill_in:
        count(*kill_in)
    if resumed:
        triptych.resume(path, framework)
    else:
        triptych.train(framework=framework, runs_dir=path.parent, run_name=path.name, **settings)


def watch(kill_at: int) -> None:
    see = logs.Logs.see

    def watched(self: logs.Logs, training: Any, tick: Any) -> None:
        see(self, training, tick)
        if training.counters.steps >= kill_at:
            die()

    logs.Logs.see = watched  # type: ignore[method-assign]


def count(owner: str, name: str, last: int) -> None:
    module, calls = OWNERS[owner], 0
    keep = getattr(module, name)

    def counted(*given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == last:
            die()
        return keep(*given, **named)

    setattr(module, name, counted)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
