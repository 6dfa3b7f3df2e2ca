"""A trial's share of work in a process of its own: an ordinary run, to a rung or to its end, and the test of its best weights."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any

from triptych.experiments.evaluate import evaluate
from triptych.experiments.resume import resume
from triptych.experiments.tracked import following
from triptych.experiments.train import train
from triptych.recipes import Recipe
from triptych.runs.checkpoints import step_of
from triptych.runs.records import RunResult
from triptych.trackers.following import Following
from triptych.training.callbacks.base import Callback, Run
from triptych.utils.console import LOGGER


class PauseAt(Callback):
    """Ends a session at the first regular checkpoint at or behind a step: there a run loses nothing where it goes on.

    Args:
        there: whether the run stands there already, and the session must not play at all.
    """

    def __init__(self, step: int, there: bool):
        self.until, self.there = step, there

    def start(self, run: Run) -> None:
        if self.there and run.counters.steps >= self.until:
            run.pause()

    def checkpoint(self, run: Run) -> None:
        if run.counters.steps >= self.until:
            run.pause()


def trial_job(recipe: Recipe, job: dict[str, Any]) -> dict[str, Any]:
    """Trains to the rung at step `until` (None: to the end), or goes on with what an earlier process left; then plays test games.

    Returns:
        `score` (None where the run has diverged), `rewards`, `steps`, `seconds`, `ended` ("" where it only paused), `why`;
        `untracked`, what is to be told of trackers that failed.
    """
    if LOGGER.level >= logging.INFO:
        LOGGER.setLevel(logging.ERROR)  # what one trial warns of, all others do, too
    with following(job) as trackers:
        found = trained(recipe, job, trackers)
    return found | {"untracked": {name: line for one in trackers for name, line in one.untracked.items()}}


def trained(recipe: Recipe, job: dict[str, Any], trackers: list[Following]) -> dict[str, Any]:
    """What `trial_job` returns of the run."""
    path = Path(job["runs_dir"]) / job["run_name"]
    result = run_on(path, recipe, job, trackers)
    paused = result.stopped_by == "interrupted"
    if paused and (job["until"] is None or result.signal is not None):
        return {"interrupted": ""}  # whoever searches says how to go on
    found: dict[str, Any] = {
        "steps": result.steps,
        "seconds": result.seconds,
        "why": result.why,
        "score": None,
        "rewards": [],
    }
    if result.stopped_by == "diverged":
        return found | {"ended": "diverged"}
    rewards = evaluate(path, job["games"], recipe.seed, trust=True).rewards
    score = sum(rewards) / len(rewards)
    if not math.isfinite(score):
        return found | {"ended": "diverged", "why": "its test games scored no finite number"}
    return found | {"ended": "" if paused else result.stopped_by, "score": score, "rewards": rewards}


def run_on(path: Path, recipe: Recipe, job: dict[str, Any], trackers: list[Following]) -> RunResult:
    """Trains up to where the job says."""
    until = job["until"]
    how: dict[str, Any] = {"quiet": True, "video": False, "exact": True, "device": job["device"]}
    how["callbacks"] = [*trackers, *([] if until is None else [PauseAt(until, stands_behind(path, until))])]
    if (path / "config.json").exists():
        return resume(path, trust=True, **how)
    return train(recipe, job["framework"], run_name=job["run_name"], runs_dir=job["runs_dir"], **how)


def stands_behind(path: Path, step: int) -> bool:
    """Whether a run has a regular checkpoint at or behind a step: its process was killed between that and its answer."""
    found = [step_of(boundary) for boundary in (path / "checkpoints").glob("boundary-*")]
    return any(at is not None and at >= step for at in found)
