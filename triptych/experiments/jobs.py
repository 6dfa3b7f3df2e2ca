"""Jobs in processes of their own: a framework's memory, threads and start-up are then its own too."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from triptych.experiments import tape
from triptych.experiments.evaluate import evaluate
from triptych.experiments.film import film_run
from triptych.experiments.load import Source
from triptych.experiments.lockstep import play
from triptych.experiments.resume import resume
from triptych.experiments.studies.beginning import begun_with
from triptych.experiments.studies.filming import keep_tape
from triptych.experiments.studies.measures import of_run
from triptych.experiments.tracked import following
from triptych.experiments.train import train
from triptych.experiments.tune.trial import trial_job
from triptych.frameworks import set_device
from triptych.recipes import Recipe
from triptych.recipes.load import RUN, run_file
from triptych.recipes.serialise import from_dict
from triptych.runs.alarms import sentence
from triptych.runs.records import RunResult, read_config, read_summary
from triptych.runs.trust import allow_job
from triptych.utils import machine, processes
from triptych.utils.checks import EnvironmentFailed, InputError, WorkerError
from triptych.utils.child import read_job
from triptych.utils.console import LOGGER
from triptych.utils.failures import CallbackFailed, MachineFailed, RunFailed, machine_trouble
from triptych.utils.files import read_tensors

ENTRY = "triptych.experiments.jobs:worker"


def work_all(
    kind: str,
    jobs: Sequence[dict[str, Any]],
    then: processes.Then,
    at_once: int = 1,
    files: Sequence[str] = (),
    place: processes.Place | None = None,
    failed: Callable[[int, WorkerError], None] | None = None,
) -> None:
    """Does jobs as `processes.work_all`, see there.

    Args:
        files: of the user's, for each process to run first, and beside them the one that a job's recipe came from where
            this process has run it too: what it registers, loggers among it, is there as it is here.
    """

    def ready(some: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        return [job | {"files": list(dict.fromkeys([*files, *source_of(job)])), "level": LOGGER.level} for job in some]

    def follow(index: int, result: dict[str, Any]) -> list[dict[str, Any]]:
        return ready(then(index, result) or ())

    processes.work_all(ENTRY, kind, ready(jobs), follow, at_once, place, failed)


def source_of(job: dict[str, Any]) -> list[str]:
    """The file that a job's recipe came from, where this process has run it."""
    source = job["recipe"]["source"]
    return [source] if source and Path(source).resolve() in RUN else []


def work(kind: str, job: dict[str, Any]) -> dict[str, Any]:
    """Does a job in a process of its own and returns its result; raises as `work_all` does."""
    results: list[dict[str, Any]] = []

    def keep(_: int, result: dict[str, Any]) -> None:
        results.append(result)

    work_all(kind, [job], keep)
    return results[0]


def worker() -> None:
    """The other process: reads its job from standard input and writes the answer to a file."""
    job = read_job()
    LOGGER.setLevel(job["level"])
    machine.fix_threads(job.get("threads"))
    try:
        for file in job["files"]:
            run_file(Path(file))
        allow_job(job)
        recipe = from_dict(job["recipe"])
        result = JOBS[job["kind"]](recipe, job)
    except InputError as error:
        result = {"error": str(error)}
    except (RunFailed, EnvironmentFailed, CallbackFailed, MachineFailed) as error:
        result = {"failed": str(error)}
    except KeyboardInterrupt:
        result = {"interrupted": ""}
    except Exception as error:
        trouble = machine_trouble(error)
        if trouble is None:
            raise
        result = {"failed": trouble}
    Path(job["answer"]).write_text(json.dumps(result), encoding="utf-8")


def train_job(recipe: Recipe, job: dict[str, Any]) -> dict[str, Any]:
    """Trains, plays the best and the last weights, and films a game of the best; `tape` is its actions, or None."""
    with following(job) as callbacks:
        result = train_or_go_on(recipe, job, device=job["device"], exact=job.get("exact", False), callbacks=callbacks)
        if ended := without_result(result):
            return ended
        scores = {
            f"{weights}_rewards": evaluate(
                result.path, job["games"], recipe.seed, weights=weights, trust=job["trust"]
            ).rewards  # type: ignore[arg-type]
            for weights in ("best", "latest")
        }
        filmed = film_run(result.path, recipe, job["framework"], job["quiet"]) if job["video"] else None
    told: dict[str, Any] = {"path": str(result.path), "tape": None, "decisions": None}
    if filmed is not None:
        told |= {"tape": filmed.actions, "decisions": tape.write(filmed.decisions)}
    return dataclasses.asdict(result) | told | scores


def train_anew(recipe: Recipe, job: dict[str, Any], **how: Any) -> RunResult:
    """A new run, as the job says; whoever gave the job makes the films."""
    where = {name: job[name] for name in ("run_name", "runs_dir", "quiet")}
    how |= on_alarm_of(job)
    if "begins" in job:
        recipe, more = begun_with(recipe, job)
        how |= more
    return train(recipe, job["framework"], video=False, **where, **how)


def train_or_go_on(recipe: Recipe, job: dict[str, Any], exact: bool, **how: Any) -> RunResult:
    """The run that the job names: a new one, or what an earlier session, or a node that was lost, has left of it."""
    path = Path(job["runs_dir"]) / job["run_name"]
    if not (path / "config.json").exists():
        return train_anew(recipe, job, exact=exact, **how)
    return resume(
        path, quiet=job["quiet"], trust=job.get("trust", False), exact=True, video=False, **how, **on_alarm_of(job)
    )


def on_alarm_of(job: dict[str, Any]) -> dict[str, Any]:
    """What an alarm of the checkup does in a job's run."""
    return {"on_alarm": job.get("on_alarm", "warn")}


def without_result(result: RunResult) -> dict[str, Any]:
    """The answer for a run that ended before its end; empty where it did not."""
    if result.stopped_by == "interrupted":
        return {"interrupted": str(result.path)}
    if result.stopped_by == "alarm":
        return {"failed": f"an alarm has stopped the run: {'; '.join(map(sentence, result.alarms))}"}
    return {"failed": f"the run has diverged: {result.why}"} if result.stopped_by == "diverged" else {}


def lockstep_job(recipe: Recipe, job: dict[str, Any]) -> dict[str, Any]:
    """Plays one framework's part of the proof, or its control."""
    return play.run(recipe, job["framework"], Path(job["folder"]), job["quiet"], job["control"])


def study_job(recipe: Recipe, job: dict[str, Any]) -> dict[str, Any]:
    """Trains, or goes on with what an earlier session left, then tests the best weights under each flicker."""
    path = Path(job["runs_dir"]) / job["run_name"]
    tests = []
    with following(job) as callbacks:
        result = train_or_go_on(recipe, job, exact=True, callbacks=callbacks)
        if ended := without_result(result):
            return ended
        given = json.loads(job.get("test") or "{}")
        settings = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
        for flicker in job["flicker"]:
            how = {"epsilon": job["epsilon"], "flicker": flicker, "trust": job.get("trust", False)} | settings
            score = evaluate(path, job["games"], recipe.seed, **how).mean
            tests.append({"flicker": flicker, "score": score})
    weights, _ = read_tensors(path / "checkpoints/latest.safetensors")
    config, summary = read_config(path), read_summary(path)
    if job.get("film"):
        keep_tape(path, recipe, job["framework"], job["quiet"])
    return summary | {
        **of_run(path, job["window"], job["threshold"], summary["steps"]),
        "path": str(path),
        "tests": tests,
        "games": job["games"],
        "epsilon": job["epsilon"],
        "parameters": sum(tensor.size for tensor in weights.values()),
        "processor": config["processor"],
        "versions": " ".join(f"{name}={version}" for name, version in config["versions"].items()),
    }


def evaluate_job(recipe: Recipe, job: dict[str, Any]) -> dict[str, Any]:
    """Plays test games with the weights of a file."""
    path = Path(job["runs_dir"]) / job["run_name"] / job["file"]
    score = evaluate(path, job["games"], job["seed"], framework=job["framework"], trust=job["trust"], **job["how"])
    return dataclasses.asdict(score)


def tape_job(recipe: Recipe, job: dict[str, Any]) -> dict[str, Any]:
    """Plays a game for a video with the weights of a file: its actions, and what the agent thought of them."""
    file = Path(job["file"])
    set_device(job["device"], job["framework"])
    source = Source(file, read_tensors(file)[0], job["updates"], recipe, recipe, job["framework"])
    recorder, game = tape.play(source, job["game_seed"], job["longest"], job["seed"], job["policy"], job["epsilon"])
    decisions = tape.write(tuple(recorder.decisions))
    return {"actions": recorder.actions, "decisions": decisions, "score": game.reward, "cut": game.cut}


JOBS = {
    "evaluate": evaluate_job,
    "train": train_job,
    "lockstep": lockstep_job,
    "study": study_job,
    "trial": trial_job,
    "tape": tape_job,
}
