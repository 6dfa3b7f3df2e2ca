"""Reading what a run folder holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from triptych.recipes import Recipe
from triptych.recipes.serialise import from_dict
from triptych.runs.folder import RunFolder
from triptych.runs.names import LOGS, check_links
from triptych.runs.trust import Allowed, Stored, allow
from triptych.utils.checks import InputError
from triptych.utils.files import read_rows, write_json


def ending(path: Path, framework: str, manifest: dict[str, Any]) -> dict[str, Any]:
    """The summary of a run that was killed between its last boundary and its summary: what the boundary knows."""
    state = manifest["state"]
    counters, best, scores = state["counters"], state["best"], state["scores"]
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
    }


def last_step(folder: RunFolder) -> int:
    """About how far a stopped run had come: the last step that a log or, after Ctrl-C, the summary names."""
    paths = [folder.path / name for name in LOGS if (folder.path / name).exists()]
    steps = [int(row["steps"]) for path in paths for row in read_log(path)[-1:]]
    return max([*steps, int(read_summary(folder.path).get("steps", 0))])


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
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
        if allowed is not None:
            allow(Stored(path, config["recipe"], path, config), allowed)
        recipe: Recipe = from_dict(config["recipe"])
    except (json.JSONDecodeError, KeyError, TypeError, OSError) as error:
        raise InputError(f"{file} cannot be read ({error}); allowed: the file as triptych left it") from None
    return config | {"recipe": recipe, "recorded": config["recipe"]}


def read_beside(folder: Path) -> dict[str, Any]:
    """What a config.json says, for weights that may lie in a run folder; empty where they lie elsewhere."""
    try:
        found = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def last_framework(path: Path, config: dict[str, Any]) -> str:
    """The framework of a run's last sitting."""
    resumes = path / "resumes.csv"
    rows = read_log(resumes) if resumes.exists() else []
    return rows[-1]["framework"] if rows else config["framework"]


def read_log(path: Path) -> list[dict[str, str]]:
    """A CSV's rows; a torn last line (no newline at its end) is left out."""
    return read_rows(path, torn=True)


def read_summary(path: Path) -> dict[str, Any]:
    """A run folder's summary.json; empty where no sitting has ended yet."""
    file = path / "summary.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def write_summary(path: Path, summary: Mapping[str, Any]) -> None:
    """What a sitting came to: speed, memory, scores."""
    write_json(path / "summary.json", dict(summary))


def write_evaluation(path: Path, name: str, evaluation: Mapping[str, Any]) -> None:
    """What some test games came to, as `evaluations/NAME.json`."""
    check_links(path)
    (path / "evaluations").mkdir(exist_ok=True)
    write_json(path / "evaluations" / f"{name}.json", evaluation)


def optional_float(value: Any) -> float | None:
    return None if value is None else float(value)


def read_evaluations(path: Path) -> list[dict[str, Any]]:
    """A run folder's tests, by name: what a reader wants to know of each."""
    shown: dict[str, Callable[[Any], Any]] = {
        "weights": str, "updates": int, "epsilon": float, "games": int, "mean": float, "low": float, "high": float,
        "seed": int, "framework": str, "flicker": float, "policy": str, "env": str, "sticky": optional_float, "rewards": list, "lengths": list,
    }  # fmt: skip
    files = sorted((path / "evaluations").glob("*.json"))
    tests = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    older: dict[str, Any] = {"flicker": 0.0, "rewards": [], "lengths": []}
    return [{name: kind((older | test)[name]) for name, kind in shown.items()} for test in tests]
