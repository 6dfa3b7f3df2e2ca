"""The run folder: the one record of a run. Config, logs, and the lock that keeps a second writer out."""

from __future__ import annotations

import csv
import errno
import io
import itertools
import json
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from triptych.changes import from_dict
from triptych.checks import InputError
from triptych.files import TEMPORARY, sync_folder, write_json
from triptych.recipes import Recipe

EPISODES = (
    "episode", "frames", "steps", "updates", "episode_reward", "episode_length", "running_reward", "max_reward",
    "epsilon", "loss", "seconds",
)  # fmt: skip
LOGS = ("episodes.csv", "metrics.csv")
RESUMES = ("step", "framework", "processor", "threads", "versions")


def metrics_columns(reported: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of metrics.csv; `reported` is what the algorithm's updates report beside their loss."""
    return (
        "steps", "updates", "epsilon", "loss", *reported, "gradient_norm", "learning_rate",
        "evaluation_mean", "evaluation_low", "evaluation_high", "evaluation_games", "seconds",
    )  # fmt: skip


def run_path(run: str, runs_dir: str | Path) -> Path:
    """Where a run lies: an existing folder or file as it is given, else a name under `runs_dir`."""
    given = Path(run)
    return given if given.exists() else Path(runs_dir) / run


def new_path(name: str, runs_dir: str | Path) -> Path:
    """The folder of a new run.

    Raises:
        InputError: the name leaves the runs folder, or is taken by a run.
    """
    path = inside(name, runs_dir)
    if (path / "config.json").exists():
        raise InputError(
            f"run folder {path} exists; go on with `triptych resume {shlex.quote(str(path))}`, or choose another --run-name"
        )
    if path.exists() and (not path.is_dir() or any((path / log).exists() for log in LOGS)):
        raise InputError(f"{path} exists and is no run of triptych; allowed: another --run-name")
    return path


def inside(name: str, runs_dir: str | Path) -> Path:
    """The folder of that name under `runs_dir`, or an InputError where it would lie elsewhere."""
    parent = Path(runs_dir)
    path = parent / name
    if not name.strip() or "\0" in name or path.resolve().parent != parent.resolve():
        raise InputError(f"run name is {name!r}; allowed: one folder's name inside {parent}")
    return path


def fresh_name(prefix: str, runs_dir: str | Path) -> str:
    """`prefix-1`, or the first number that is free. Its folder is made, so that of two runs begun together each has its own.

    Raises:
        InputError: the name leaves the runs folder, or the folder cannot be written.
    """
    for number in itertools.count(1):
        name = f"{prefix}-{number}"
        path = inside(name, runs_dir)
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise unwritable(path, error) from None
        return name
    raise AssertionError("there is always another number")


def unwritable(path: Path, error: OSError) -> InputError:
    """What to say of a run folder that cannot be written."""
    return InputError(f"run folder {path} cannot be written: {error.strerror}; allowed: a writable --runs-dir")


class RunFolder:
    """Writes one run's folder. A context manager: it holds the folder's lock, so that nobody else writes."""

    def __init__(self, path: Path):
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            self.lock = open(path / ".lock", "a+b")  # noqa: SIM115 (held for as long as the run)
        except OSError as error:
            raise unwritable(path, error) from None
        if not try_lock(self.lock):
            self.lock.close()
            raise InputError(f"run folder {path} is being written by another process; allowed: one at a time")

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.lock.close()
        if isinstance(error, InputError) and [path.name for path in self.path.iterdir()] == [".lock"]:
            shutil.rmtree(self.path, ignore_errors=True)  # refused before anything was written

    def append(self, name: str, row: Mapping[str, Any], columns: tuple[str, ...]) -> None:
        """Appends one row to a CSV in a single write; a new file gets its header first."""
        path = self.path / name
        text = "" if path.exists() and path.stat().st_size else line(columns)
        text += line(["" if row.get(column) is None else row[column] for column in columns])
        content = text.encode()
        with open(path, "ab", buffering=0) as file:
            if file.write(content) != len(content):
                raise OSError(errno.ENOSPC, "no room for a whole row", str(path))

    def log_sizes(self) -> dict[str, int]:
        """Bytes of each log now, made durable: what a checkpoint cuts back to."""
        sizes = {}
        for name in LOGS:
            path = self.path / name
            sizes[name] = path.stat().st_size if path.exists() else 0
            if sizes[name]:
                with open(path, "rb+") as file:
                    os.fsync(file.fileno())
        sync_folder(self.path)
        return sizes

    def cut_logs(self, sizes: Mapping[str, int]) -> None:
        """Takes back the rows written after a checkpoint; those before it are untouched."""
        for name, size in sizes.items():
            path = self.path / name
            if size > 0 and (not path.exists() or path.stat().st_size < size):
                raise InputError(f"{path} is shorter than at its last checkpoint; allowed: as triptych left it")
        for name, size in sizes.items():
            if (self.path / name).exists():
                os.truncate(self.path / name, size)
        resumes = self.path / "resumes.csv"
        if resumes.exists():  # no checkpoint cuts it, so a torn last line is dropped here
            os.truncate(resumes, resumes.read_bytes().rfind(b"\n") + 1)

    def remove_temporaries(self) -> None:
        """Removes what an interrupted save left behind."""
        for path in list(self.path.rglob(f"*{TEMPORARY}")):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def line(values: Any) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue()


def try_lock(file: Any) -> bool:
    """Takes an exclusive lock that ends with the process; False where another process holds it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def read_config(path: Path, own: bool = False) -> dict[str, Any]:
    """A run folder's config.json, with `recipe` built and, as it was written, `recorded`.

    Args:
        own: whether it is the user's own run, so that its recipe's file may be run (see `recipes.from_dict`).

    Raises:
        InputError: the folder is no run, or its config cannot be read.
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
        recipe: Recipe = from_dict(config["recipe"], own)
    except (json.JSONDecodeError, KeyError, TypeError, OSError) as error:
        raise InputError(f"{file} cannot be read ({error}); allowed: the file as triptych left it") from None
    return config | {"recipe": recipe, "recorded": config["recipe"]}


def last_framework(path: Path, config: dict[str, Any]) -> str:
    """The framework of a run's last sitting."""
    resumes = path / "resumes.csv"
    rows = read_log(resumes) if resumes.exists() else []
    return rows[-1]["framework"] if rows else config["framework"]


def read_log(path: Path) -> list[dict[str, str]]:
    """A CSV's rows; a torn last line (no newline at its end) is left out."""
    text = path.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    return list(csv.DictReader(io.StringIO(whole)))


def read_summary(path: Path) -> dict[str, Any]:
    """A run folder's summary.json; empty where no sitting has ended yet."""
    file = path / "summary.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def write_summary(path: Path, summary: Mapping[str, Any]) -> None:
    """What a sitting came to: speed, memory, scores."""
    write_json(path / "summary.json", dict(summary))


def write_evaluation(path: Path, name: str, evaluation: Mapping[str, Any]) -> None:
    """What some test games came to, as `evaluations/NAME.json`."""
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
