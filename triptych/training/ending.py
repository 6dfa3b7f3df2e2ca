"""How a session ends: its summary, and where something failed the line that says what happened and how to go on."""

from __future__ import annotations

import dataclasses
import shlex
import time
from typing import TYPE_CHECKING

from triptych.runs.endings import why
from triptych.runs.folder import RUNNING
from triptych.runs.names import ERROR_FILE
from triptych.runs.records import RunResult, write_summary
from triptych.training.profiler import gains
from triptych.utils import machine
from triptych.utils.console import say, warn
from triptych.utils.failures import NotFiniteError, RunFailed, told
from triptych.utils.files import write_whole

if TYPE_CHECKING:
    from triptych.training.session import Session


def limit_of(session: Session) -> str:
    """Which of the recipe's limits is reached, if one is."""
    recipe, counters, scores = session.recipe, session.counters, session.scores
    if counters.steps >= recipe.steps:
        return "steps"
    if recipe.episodes is not None and counters.episodes >= recipe.episodes:
        return "episodes"
    full = len(scores) == RUNNING and not session.training.scores_of_teacher
    if recipe.solved_at is not None and full and sum(scores) / RUNNING > recipe.solved_at:
        return "solved"
    return ""


def conclude(session: Session, signal: int | None) -> RunResult:
    """Writes summary.json, and tells the callbacks and the user.

    Args:
        signal: the number of the one that interrupted it.

    Raises:
        RunFailed: an environment or a callback has failed; its traceback lies in the run's folder.
    """
    session.tell("ending")
    result = summary_of(session, signal)
    write_summary(session.path, dataclasses.asdict(result) | {"path": str(session.path)})
    session.tell("end", result)
    failure = session.watchers.failure
    if failure is None:
        return result
    if isinstance(failure, NotFiniteError):
        warn(
            f"the run has diverged: {failure}; its last good checkpoint is that of step {session.checkpoint:,}; "
            "a lower learning rate may help"
        )
        return result
    file = session.path / ERROR_FILE
    text = f"step {result.steps}, {time.strftime('%Y-%m-%d %H:%M:%S')}\n{failure}\n\n{told(failure)}"
    write_whole(file, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    raise RunFailed(stopped(session, f"{failure} (traceback: {file})"), result) from failure


def stopped(session: Session, problem: str) -> str:
    """What stopped a run, and how to go on."""
    path = shlex.quote(str(session.path))
    if session.stopped_by:
        counters = session.counters
        return (
            f"{problem}; the run is finished all the same: {why(session.stopped_by, counters.steps, counters.episodes)}"
        )
    saved = f"stopped at step {session.counters.steps:,}, saved at step {session.checkpoint:,}"
    return f"{problem}; {saved}; go on with: triptych resume {path}"


def summary_of(session: Session, signal: int | None) -> RunResult:
    counters, clock, scores = session.counters, session.clock, session.scores
    playing, seconds = clock.playing(), clock.seconds()  # before the profile measures on
    if session.profile is not None and session.watchers.failure is None:
        steps = counters.steps - session.first_step
        say(*session.profile.lines(session.training, steps, playing, session.threads))
        say(*gains(session.recipe, session.framework, session.threads))
    return RunResult(
        path=session.path,
        framework=session.framework,
        steps=counters.steps,
        updates=counters.updates,
        episodes=counters.episodes,
        running_reward=sum(scores) / len(scores) if scores else None,
        best_score=session.watchers.best.score,
        best_step=session.watchers.best.at,
        checkpoint=session.checkpoint,
        stopped_by=session.stopped_by or ("failed" if session.watchers.failure else "interrupted"),
        steps_per_second=(counters.steps - session.first_step) / playing,
        updates_per_second=(counters.updates - session.first_update) / playing,
        compile_seconds=session.compile_seconds,
        peak_memory=machine.memory_peak(),
        seconds=seconds,
        resumes_exactly=session.checkpoint_exact,
        signal=signal,
        why=str(session.watchers.failure) if session.watchers.failure else None,
        broken_steps=session.watchers.broken.count,
        broken_first=session.watchers.broken.first or None,
        alarms=tuple(session.alarms),
        **session.training.told(),
    )
