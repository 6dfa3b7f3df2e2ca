"""Logs as columns of numbers: of run folders, and of CSV files that somebody else wrote."""

from __future__ import annotations

import csv
import functools
import io
import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from triptych.recipes import Recipe
from triptych.runs.names import run_path
from triptych.runs.records import read_beside, read_config, read_evaluations, read_log, read_summary
from triptych.runs.trust import Allowed, RefusedError
from triptych.utils.checks import InputError
from triptych.utils.console import warn

Columns = dict[str, list[float | None]]

COUNTERS = ("steps", "frames", "episode", "updates", "seconds")  # they only grow within a run
AXES = {"steps": "agent steps", "frames": "emulator frames", "episode": "episodes", "seconds": "seconds"}
# What others call a column, after lower case and underscores.
ALIASES = {
    "episodes": "episode", "reward": "episode_reward", "score": "episode_reward", "return": "episode_reward",
    "running_average": "running_reward",
    "running_reward_100": "running_reward", "maximum_reward": "max_reward", "max_reward_100": "max_reward",
    "best_reward": "max_reward", "length": "episode_length", "duration": "episode_length", "time": "seconds",
    "elapsed": "seconds", "seconds_since_start": "seconds", "time_s": "seconds", "frame": "frames", "step": "steps",
    "timestep": "steps", "timesteps": "steps", "total_steps": "steps", "update": "updates", "eps": "epsilon",
}  # fmt: skip


@dataclass(frozen=True)
class Log:
    """One run's record. `columns` has a value, or None, in every row."""

    name: str
    columns: Columns  # a row an episode, or a row now and then
    metrics: Columns = field(default_factory=dict)  # a row every log_every steps, and one per evaluation
    framework: str = ""  # "": a file that does not say
    path: Path | None = None  # the run folder
    config: dict[str, Any] | None = None
    summary: dict[str, Any] = field(default_factory=dict)
    resumes: list[dict[str, str]] = field(default_factory=list)
    evaluations: list[dict[str, Any]] = field(default_factory=list)  # what `triptych evaluate` found
    playable: bool = True  # whether its game may be made: a stranger's may need code
    notes: tuple[str, ...] = ()  # what had to be mended or left out

    @property
    def random_key(self) -> str:
        """Which random play this run is to be held against: the game with all its settings."""
        return repr(self.recipe.env) if self.recipe else ""

    @property
    def recipe(self) -> Recipe | None:
        return None if self.config is None else self.config["recipe"]


def read(argument: str, runs_dir: Path, frames_are: str = "steps", trust: bool = False) -> list[Log]:
    """The logs that an argument of `triptych report` names.

    Args:
        argument: a run folder, a run's name, a folder of run folders, or CSV files of one run joined by `+`.
        frames_are: what a foreign file's `frames` column counts: agent steps, or emulator frames.
        trust: run what a run names, so that its game is known.

    Raises:
        InputError: there is nothing that can be read.
    """
    path = run_path(argument, runs_dir)
    if (path / "config.json").is_file():
        return [read_run(path, trust)]
    if path.is_dir():
        runs = sorted(folder for folder in path.iterdir() if (folder / "config.json").is_file())
        if runs:
            return [read_run(folder, trust) for folder in runs]
        raise InputError(f"{path} holds no run; allowed: a run folder, a folder of them, or CSV files")
    parts = [argument] if path.is_file() else argument.split("+")
    files = [run_path(part, runs_dir) for part in parts]
    for file in files:
        if not file.is_file():
            raise InputError(
                f"log is {str(file)!r}: no such file or run; allowed: a run folder, a run's name, CSV files"
            )
    read_files = [read_csv(file, frames_are) for file in files]
    notes = tuple(note for _, found in read_files for note in found)
    return [Log(files[0].stem, join([columns for columns, _ in read_files]), notes=notes)]


def read_run(path: Path, trust: bool = False) -> Log:
    """A run folder. The page goes on without a game that it may not make."""
    config, playable = read_what_may(path, trust)
    files = {name: path / f"{name}.csv" for name in ("episodes", "metrics", "resumes")}
    try:
        rows = {name: read_log(file) if file.exists() else [] for name, file in files.items()}
        return Log(
            name=path.name,
            playable=playable,
            columns=to_columns(rows["episodes"]),
            metrics=to_columns(rows["metrics"]),
            framework=config["framework"],
            path=path,
            config=config if config["recipe"] is not None else None,
            summary=read_summary(path),
            resumes=rows["resumes"],
            evaluations=read_evaluations(path),
        )
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        raise InputError(f"the logs in {path} cannot be read ({error}); allowed: files as triptych left them") from None


def read_what_may(path: Path, trust: bool) -> tuple[dict[str, Any], bool]:
    """A run's config as far as nothing that it names must run, and whether its game may be made.

    Without its recipe where layers or an algorithm are not known: then its curves are all there is to show.
    """
    try:
        return read_config(path, Allowed(trust=trust, ways=("--trust (run what it names)",))), True
    except RefusedError as error:
        warn(f"{error}; its page leaves out what needs its game")
    try:
        return read_config(path), False
    except InputError:
        recorded = read_beside(path)
        return {"framework": str(recorded.get("framework", "")), "recipe": None}, False


def read_csv(file: Path, frames_are: str = "steps") -> tuple[Columns, list[str]]:
    """A CSV file of anybody's: byte-order mark, separators, order and names of columns, torn lines.

    Raises:
        InputError: it is no text, or has no column that a report could draw.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (UnicodeDecodeError, OSError) as error:
        raise InputError(f"{file} cannot be read ({error}); allowed: a CSV file in UTF-8") from None
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise InputError(f"{file} is empty; allowed: a CSV file with a line of column names")
    separator = max(",;\t", key=lines[0].count)
    rows = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=separator))
    names: list[str] = []
    for name in rows[0]:
        found = column_name(name)
        names.append(found if found not in names else "_".join(re.findall(r"\w+", name.lower())) + f"_{len(names) + 1}")
    whole = [row for row in rows[1:] if len(row) == len(names)]
    if not whole:
        raise InputError(f"{file} has no row of {len(names)} fields below its column names; allowed: at least one")
    notes = [f"{file.name}: {len(rows) - 1 - len(whole)} torn lines left out"] if len(whole) < len(rows) - 1 else []
    comma = separator == ";"  # where ; separates, the decimal sign may be a comma
    columns = {
        name: [number(row[index].replace(",", ".") if comma else row[index]) for row in whole]
        for index, name in enumerate(names)
        if name
    }
    columns = {name: values for name, values in columns.items() if any(value is not None for value in values)}
    for index, name in enumerate(names):
        lost = sum(number(row[index].replace(",", ".")) is None for row in whole if row[index].strip())
        if name in columns and lost:
            notes.append(f"{file.name}: {lost} values of {name} are no finite numbers and are left out")
    if frames_are == "steps" and "frames" in columns and "steps" not in columns:
        columns["steps"] = columns.pop("frames")
    if not set(columns) & set(COUNTERS) or not set(columns) - set(COUNTERS):
        allowed = f"one of {', '.join(COUNTERS)} and at least one other column"
        raise InputError(f"{file} has columns {', '.join(filter(None, names)) or 'without names'}; allowed: {allowed}")
    return columns, notes


def column_name(name: str) -> str:
    plain = re.sub(r"\W+", "_", name.strip().lower()).strip("_")
    return ALIASES.get(plain, plain)


def number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def to_columns(rows: list[dict[str, str]]) -> Columns:
    names = [name for name in rows[0] if name] if rows else []  # a row too long has its rest under None
    return {name: [number(row[name] or "") for row in rows] for name in names}


def join(parts: list[Columns]) -> Columns:
    """Several files of one run as one: rows that a later file repeats give way, counters that start anew go on."""
    return functools.reduce(append, parts)


def append(whole: Columns, part: Columns) -> Columns:
    length, more = len(next(iter(whole.values()))), len(next(iter(part.values())))
    leading = next((name for name in COUNTERS if name in whole and name in part), None)
    kept = length
    if leading is not None:
        first = next((value for value in part[leading] if value is not None), 0.0)
        last = max((value for value in whole[leading] if value is not None), default=0.0)
        start = next((value for value in whole[leading] if value is not None), 0.0)
        if start < first <= last:  # resumed from before the end: the later file tells what happened
            kept = next(i for i, value in enumerate(whole[leading]) if value is not None and value >= first)
    joined: Columns = {}
    for name in {**whole, **part}:
        before = whole.get(name, [None] * length)[:kept]
        after = part.get(name, [None] * more)
        joined[name] = before + (continued(before, after) if name in COUNTERS else after)
    return joined


def continued(before: list[float | None], after: list[float | None]) -> list[float | None]:
    """A counter that started anew, counted on from where it was."""
    last = max((value for value in before if value is not None), default=0.0)
    first = next((value for value in after if value is not None), None)
    offset = last if first is not None and first <= last else 0.0
    return [None if value is None else value + offset for value in after]
