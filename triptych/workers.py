"""Jobs in processes of their own: a framework's memory, threads and start-up are then its own too."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from triptych import proof
from triptych.changes import from_dict
from triptych.checks import InputError, WorkerError
from triptych.evaluation import evaluate
from triptych.experiment import recipe_file, resume, train
from triptych.interrupts import Interrupts
from triptych.recipes import Recipe
from triptych.runs import read_config, read_summary
from triptych.weights import read_tensors


def work(kind: str, job: dict[str, Any]) -> dict[str, Any]:
    """Does a job in a process of its own and returns its result; raises as `work_all` does."""
    results: list[dict[str, Any]] = []
    work_all(kind, [job], lambda _, result: results.append(result))
    return results[0]


def work_all(
    kind: str, jobs: Sequence[dict[str, Any]], then: Callable[[int, dict[str, Any]], None], at_once: int = 1
) -> None:
    """Does jobs, so many at once, each in a process of its own; `then` gets each one's place and result when it ends.

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
                    running[index] = start(kind, jobs[index], answer_of(folder, index))
                for index in [index for index, process in running.items() if process.poll() is not None]:
                    code, result = running.pop(index).returncode, read_answer(answer_of(folder, index))
                    if "interrupted" in result or (index in told and not result):
                        tell_how_to_go_on(result)
                        end = end or KeyboardInterrupt()  # perhaps that one alone; the others are not left behind
                        continue
                    try:
                        then(index, checked(result, jobs[index]["framework"], code))
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


def start(kind: str, job: dict[str, Any], answer: Path) -> subprocess.Popen[str]:
    """A process that does the job and leaves its answer in a file."""
    command = [sys.executable, "-c", "from triptych.workers import worker; worker()"]
    # A session of its own: a terminal's Ctrl-C then reaches it through us, once.
    process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError), process.stdin as pipe:  # it died at its start: its code will tell
        pipe.write(json.dumps(job | {"kind": kind, "answer": str(answer)}))
    return process


def answer_of(folder: str, index: int) -> Path:
    return Path(folder) / f"{index}.json"


def read_answer(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def tell_how_to_go_on(result: dict[str, Any]) -> None:
    if result.get("interrupted"):
        print(f"interrupted; go on with: triptych resume {shlex.quote(result['interrupted'])}", file=sys.stderr)


def checked(result: dict[str, Any], framework: str, code: int) -> dict[str, Any]:
    if not result:
        raise WorkerError(f"the {framework} process ended with code {code} before its result")
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
    """Plays one framework's part of the proof, or its control."""
    return proof.run(recipe, job["framework"], Path(job["folder"]), job["quiet"], job["control"])


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
    for flicker in job["flicker"]:
        score = evaluate(path, job["games"], recipe.seed, epsilon=job["epsilon"], flicker=flicker).mean
        tests.append({"flicker": flicker, "score": score})
    weights, _ = read_tensors(path / "checkpoints/latest.safetensors")
    config = read_config(path, own=True)
    return read_summary(path) | {
        "path": str(path),
        "tests": tests,
        "games": job["games"],
        "epsilon": job["epsilon"],
        "parameters": sum(tensor.size for tensor in weights.values()),
        "processor": config["processor"],
        "versions": " ".join(f"{name}={version}" for name, version in config["versions"].items()),
    }


JOBS = {"train": train_job, "lockstep": lockstep_job, "study": study_job}
