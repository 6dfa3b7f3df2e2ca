"""Reading what a run folder holds. Whatever stands in its files, a reader gives what its types say, or one line that names the place."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NotRequired, TypedDict

from msgspec import Meta

from triptych.recipes import Recipe
from triptych.recipes.serialise import from_dict
from triptych.runs.alarms import alarms_or_none
from triptych.runs.folder import RunFolder
from triptych.runs.names import LOGS, check_links, run_path
from triptych.runs.trust import Allowed, Stored, allow
from triptych.utils.checks import InputError
from triptych.utils.files import write_json
from triptych.utils.reading import Count, Finite, read_json, typed
from triptych.utils.tables import read_rows


class Described(TypedDict):
    """What a config.json says, as far as somebody reads it."""

    recipe: dict[str, Any]
    framework: str
    threads: Annotated[int, Meta(ge=1, le=65_536)]
    processor: str
    versions: dict[str, str]
    resume_exact: bool
    changes: NotRequired[list[Changed]]
    resume_inexact: NotRequired[list[str]]
    device: NotRequired[str | None]
    on: NotRequired[str]  # "ray": its workers were Ray actors
    git_commit: NotRequired[str | None]
    convolutions: NotRequired[str]  # by which library, where JAX was told; see `frameworks.xla`
    xla_flags: NotRequired[str]  # the user's own, where it was JAX


class Changed(TypedDict):
    """Settings that a resume has changed, by their paths: before and after."""

    step: Count
    settings: dict[str, Annotated[list[Any], Meta(min_length=2, max_length=2)]]
    network: NotRequired[dict[str, Any]]  # that came with it: layers, how they grew, where each tensor came from


@dataclass(frozen=True)
class RunResult:
    """What a run came to when it stopped."""

    path: Path  # its folder
    framework: str
    steps: int
    updates: int
    episodes: int
    running_reward: float | None  # mean of the last 100 episodes
    best_score: float | None  # highest mean of the last best_window episodes
    best_step: int | None  # where that was
    checkpoint: int  # steps at the last checkpoint, from which a resume goes on
    stopped_by: str  # steps, episodes, solved, interrupted, failed, diverged, alarm, or what a callback said
    # The next four are None where the session was killed at its end.
    steps_per_second: float | None  # of this session, without compilation, evaluations and checkpoints
    updates_per_second: float | None
    compile_seconds: float | None
    peak_memory: int | None  # bytes
    seconds: float  # over all sessions
    resumes_exactly: bool = True  # whether a resume from that checkpoint gives the numbers of a run that never stopped
    signal: int | None = None  # the number of the one that interrupted it
    why: str | None = None  # it failed or diverged, in a line
    broken_steps: int = 0  # steps whose reward or observation was not finite: nothing was learned from them
    broken_first: str | None = None  # the first such number, and at which step of the run
    # The next four are A3C's; None elsewhere.
    staleness_mean: float | None = None  # updates between a worker's weights and its gradient's application
    staleness_max: int | None = None
    gradients_dropped: int | None = None  # as they were older than max_staleness
    worker_deaths: int | None = None  # workers that died or hung and were replaced
    alarms: tuple[dict[str, Any], ...] = ()  # what the checkup found wrong, the rows of alarms.csv


Named = str | Path | RunResult  # a run as people name it


def path_of(run: Named, runs_dir: str | Path) -> Path:
    """Where a run lies that is named by a folder, by a name under `runs_dir`, or by what `train` returned."""
    return run.path if isinstance(run, RunResult) else run_path(str(run), runs_dir)


# What stands in summary.json: any of it may be missing or not known.
SUMMARY: Any = TypedDict(  # type: ignore[misc]
    "SUMMARY",
    {name: hint | None for name, hint in typing.get_type_hints(RunResult).items()} | {"path": str | None},  # type: ignore[operator]
)


class Test(TypedDict):
    """What some test games came to, as far as a reader wants to know it."""

    weights: str
    updates: Count
    epsilon: Finite
    games: Count
    mean: Finite
    low: Finite
    high: Finite
    seed: int
    framework: str
    policy: str
    env: str
    sticky: Finite | None
    flicker: NotRequired[Finite]  # older versions hid nothing
    plain: NotRequired[bool]  # of older versions none was
    settings: NotRequired[dict[str, Any]]  # of the environment that were changed for this test
    rewards: NotRequired[list[Finite]]
    lengths: NotRequired[list[Count]]


def ending(path: Path, framework: str, manifest: dict[str, Any]) -> dict[str, Any]:
    """The summary of a run that was killed between its last checkpoint and its summary: what the checkpoint knows."""
    state = manifest["state"]
    counters, best, scores = state["counters"], state["best"], state["scores"]
    broken = state.get("broken", {})
    return {
        "path": str(path),
        "framework": framework,
        "steps": counters["steps"],
        "updates": counters["updates"],
        "episodes": counters["episodes"],
        "running_reward": sum(scores) / len(scores) if scores else None,
        "best_score": best["score"],
        "best_step": best["step"],
        "checkpoint": manifest["step"],
        "stopped_by": state["stopped_by"],
        "seconds": state["seconds"],
        "broken_steps": broken.get("count", 0),
        "broken_first": broken.get("first") or None,
        "alarms": alarms_or_none(path),
    }


def last_step(folder: RunFolder) -> int:
    """About how far a stopped run had come: the last step that a log or, after Ctrl-C, the summary names.

    It is for a line to the user alone, so what cannot be read says nothing.
    """
    steps = [0, summary_or_none(folder.path).get("steps") or 0]
    for path in (folder.path / name for name in LOGS):
        with contextlib.suppress(InputError):
            steps += [row["steps"] for row in read_rows(path, Stepped, whole=True)]
    return max(steps)


def read_config(path: Path, allowed: Allowed | None = None) -> dict[str, Any]:
    """A run folder's config.json, with `recipe` built and, as it was written, `recorded`.

    Args:
        allowed: what of the code that the recipe needs may be run (see `runs.trust`); None: nothing.

    Raises:
        InputError: the folder is no run, its config cannot be read, or it needs code that may not run.
    """
    file = path / "config.json"
    if not path.exists() and path.suffix == ".safetensors":
        raise InputError(f"weights are {str(path)!r}: no such file; allowed: a run folder, a run's name or its weights")
    if not path.exists():
        raise InputError(f"run is {str(path)!r}: no such folder; allowed: a run folder or a name under --runs-dir")
    if not file.is_file():
        raise InputError(
            f"{path} is no run folder: it has no config.json; allowed: a folder written by `triptych train`"
        )
    config = read_json(file, dict[str, Any])
    config |= typed(config, Described, file)
    if allowed is not None:
        allow(Stored(path, config["recipe"], path, config), allowed)
    return config | {"recipe": from_dict(config["recipe"], file), "recorded": config["recipe"]}


def read_settings(path: Path) -> Recipe:
    """The recipe of a run, to train with it anew: code that it needs is run where this user trained it, never a stranger's."""
    config = read_config(path, Allowed(ways=("a recipe's name or file instead of this run",)))
    return dataclasses.replace(config["recipe"], source=own_source(Stored(path, config["recorded"], path, config)))


def own_source(stored: Stored) -> str:
    """The file that a stored recipe came from, or the run's copy of it; "" where this user did not train it here."""
    file = stored.file(trust=False) if stored.is_own and stored.source else None
    return "" if file is None else str(file)


def read_beside(folder: Path) -> dict[str, Any]:
    """What a config.json says, for weights that may lie in a run folder; empty where they lie elsewhere."""
    try:
        return read_json(folder / "config.json", dict[str, Any])
    except InputError:
        return {}


def last_framework(path: Path, config: dict[str, Any]) -> str:
    """The framework of a run's last session."""
    rows = read_resumes(path)
    return rows[-1]["framework"] if rows else config["framework"]


class Resumed(TypedDict):
    """A row of resumes.csv."""

    step: Count
    framework: str
    processor: NotRequired[str]


class Stepped(TypedDict):
    steps: Count


def read_resumes(path: Path) -> list[dict[str, Any]]:
    """When a run went on, and where."""
    file = path / "resumes.csv"
    return list(read_rows(file, Resumed, whole=True)) if file.exists() else []


def read_summary(path: Path) -> dict[str, Any]:
    """A run folder's summary.json; empty where no session has ended yet. A number that is none, as of a run that diverged, is None."""
    file = path / "summary.json"
    if not file.exists():
        return {}
    content = read_json(file, dict[str, Any])
    found = typed({name: content.get(name) for name in SUMMARY.__annotations__}, SUMMARY, file)
    finite = {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in found.items()
    }
    return content | {name: value for name, value in finite.items() if name in content}


def summary_or_none(path: Path) -> dict[str, Any]:
    """What `read_summary` gives; empty where it cannot be read, for whoever can do without it."""
    try:
        return read_summary(path)
    except InputError:
        return {}


def write_summary(path: Path, summary: Mapping[str, Any]) -> None:
    """What a session came to: speed, memory, scores."""
    write_json(path / "summary.json", dict(summary))


def write_evaluation(path: Path, name: str, evaluation: Mapping[str, Any]) -> None:
    """What some test games came to, as `evaluations/NAME.json`."""
    check_links(path)
    (path / "evaluations").mkdir(exist_ok=True)
    write_json(path / "evaluations" / f"{name}.json", evaluation)


def read_evaluations(path: Path) -> list[dict[str, Any]]:
    """A run folder's tests, in the order of their names: what a reader wants to know of each."""
    return list(read_evaluations_by_name(path).values())


def read_evaluations_by_name(path: Path) -> dict[str, dict[str, Any]]:
    """The same by the names of their files."""
    older = {"flicker": 0.0, "rewards": [], "lengths": []}
    return {file.stem: {**older, **read_json(file, Test)} for file in sorted((path / "evaluations").glob("*.json"))}


class Proof(TypedDict):
    """What a lockstep came to, as far as a page tells it."""

    agree: bool
    steps: Count
    updates: Count
    worst_relative: float
    first_difference: dict[str, Any] | None
    too_few: NotRequired[list[Any]]
    actions_part_at: NotRequired[Count | None]
    control: NotRequired[Control | None]


class Control(TypedDict):
    worst_relative: float


def read_verdict(file: Path) -> dict[str, Any]:
    """What a lockstep's verdict.json says."""
    return {"too_few": [], **read_json(file, Proof)}
