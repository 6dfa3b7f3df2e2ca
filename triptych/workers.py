"""Jobs in processes of their own: a framework's memory, threads and start-up are then its own too."""

from __future__ import annotations

import dataclasses
import json
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from triptych import proof
from triptych.checks import InputError, WorkerError
from triptych.evaluation import evaluate
from triptych.experiment import recipe_file, resume, train
from triptych.interrupts import Interrupts
from triptych.recipes import Recipe, from_dict
from triptych.runs import read_summary


def work(kind: str, job: dict[str, Any]) -> dict[str, Any]:
    """Does a job in a process of its own and returns its result.

    Ctrl-C and SIGTERM reach the process once; it saves what it has, and this waits for it.

    Raises:
        InputError: the process said that something given cannot be used.
        KeyboardInterrupt: it was interrupted, after it has said how to go on.
        WorkerError: it failed otherwise; its own output says how.
    """
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        command = [sys.executable, "-c", "from triptych.workers import worker; worker()"]
        text = json.dumps(job | {"kind": kind, "answer": str(answer)})
        with Interrupts() as stop:
            # A session of its own: a terminal's Ctrl-C then reaches it through us, once.
            process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, start_new_session=True)
            stop.child = process
            try:
                process.communicate(text)
            except KeyboardInterrupt:
                process.kill()
                raise
        result = json.loads(answer.read_text(encoding="utf-8")) if answer.exists() else {}
    if stop.asked or "interrupted" in result:
        if result.get("interrupted"):
            print(f"interrupted; go on with: triptych resume {shlex.quote(result['interrupted'])}", file=sys.stderr)
        raise KeyboardInterrupt
    if not result:
        raise WorkerError(f"the {job['framework']} process ended with code {process.returncode} before its result")
    if "error" in result:
        raise InputError(result["error"])
    return result


def worker() -> None:
    """The other process: reads its job from standard input and writes the answer to a file."""
    job = json.loads(sys.stdin.read())
    try:
        recipe = from_dict(job["recipe"], own=True)
        recipe_file(recipe)
        result = JOBS[job["kind"]](recipe, job)
    except InputError as error:
        result = {"error": str(error)}
    except KeyboardInterrupt:
        result = {"interrupted": ""}
    Path(job["answer"]).write_text(json.dumps(result), encoding="utf-8")


def train_job(recipe: Recipe, job: dict[str, Any]) -> dict[str, Any]:
    """Trains, then plays the best and the last weights."""
    result = train(recipe, job["framework"], run_name=job["run_name"], runs_dir=job["runs_dir"], quiet=job["quiet"])
    if result.stopped_by == "interrupted":
        return {"interrupted": str(result.path)}
    scores = {
        f"{weights}_rewards": evaluate(result.path, job["games"], recipe.seed, weights=weights).rewards  # type: ignore[arg-type]
        for weights in ("best", "latest")
    }
    return dataclasses.asdict(result) | {"path": str(result.path)} | scores


def lockstep_job(recipe: Recipe, job: dict[str, Any]) -> dict[str, Any]:
    """Plays one framework's part of the proof."""
    return proof.run(recipe, job["framework"], Path(job["folder"]), job["quiet"])


def study_job(recipe: Recipe, job: dict[str, Any]) -> dict[str, Any]:
    """Trains, or goes on with what an earlier sitting left, then tests the best weights under each flicker."""
    path = Path(job["runs_dir"]) / job["run_name"]
    if (path / "config.json").exists():
        result = resume(path, quiet=job["quiet"])
    else:
        result = train(recipe, job["framework"], run_name=job["run_name"], runs_dir=job["runs_dir"], quiet=job["quiet"])
    if result is not None and result.stopped_by == "interrupted":
        return {"interrupted": str(path)}
    tests = []
    for flicker in job["flicker"] or [None]:
        score = evaluate(path, job["games"], recipe.seed, flicker=flicker).mean
        tests.append({"flicker": flicker, "score": score})
    return read_summary(path) | {"path": str(path), "tests": tests}


JOBS = {"train": train_job, "lockstep": lockstep_job, "study": study_job}
