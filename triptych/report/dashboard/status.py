"""How a run stands: whether it goes on, how far it is, how fast, and when it ends. Of files that may be anybody's, or broken."""

from __future__ import annotations

import hashlib
import json
import math
import shlex
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from triptych.report.dashboard.files import changed, is_held, told_of
from triptych.report.dashboard.find import readable
from triptych.report.dashboard.tail import Tail, ending
from triptych.report.films import is_file_itself
from triptych.runs.endings import why
from triptych.runs.names import LOGS, REWOUND
from triptych.utils.checks import InputError
from triptych.utils.reading import read_json

RECENT = 60.0  # seconds of the log that the speed is taken over
FEW = 8  # rows at least, where there are as many
ALIVE = 45.0  # seconds since something was written, in which a run goes on that nothing else says it of
SUMMARY, LOCK, CONFIG = "summary.json", ".lock", "config.json"
RUNS = "runs"  # where runs lie that --runs-dir does not name
COUNTED = ("steps", "updates", "seconds")  # in both logs: the further one is right
ENDED = {"interrupted": "stopped", "failed": "failed", "diverged": "diverged"}


@dataclass
class Status:
    """One run, as the list shows it."""

    name: str
    path: Path
    config: dict[str, Any] = field(default_factory=dict)  # as it stands there
    summary: dict[str, Any] = field(default_factory=dict)  # of the last session that ended
    state: str = (
        "unknown"  # running, finished, stopped (by Ctrl-C), failed, diverged, killed (no word of an end), unknown
    )
    said: str = ""  # why it ended, in words
    trouble: list[str] = field(default_factory=list)  # files that cannot be read
    last: dict[str, float] = field(default_factory=dict)  # the newest value of each column
    columns: list[str] = field(default_factory=list)
    speed: float | None = None  # steps a second, of late
    ends: float | None = None  # when, in seconds since 1970
    begun: float = 0.0  # when its config was written
    written: float = 0.0  # when its logs last grew

    @property
    def recipe(self) -> dict[str, Any]:
        return part(self.config, "recipe")

    @property
    def group(self) -> str:
        """The same for runs that differ in nothing but their seed."""
        settings = {name: value for name, value in self.recipe.items() if name != "seed"}
        told = json.dumps([self.config.get("framework"), settings or self.name], sort_keys=True, default=repr)
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    @property
    def seed(self) -> int | None:
        found = self.recipe.get("seed")
        return found if isinstance(found, int) else None

    @property
    def steps(self) -> float:
        own = self.summary.get("steps")
        return max(
            self.last.get("steps", 0.0), own if isinstance(own, int | float) and self.state != "running" else 0.0
        )

    @property
    def unit(self) -> str:
        """What its end is counted in."""
        return "steps" if whole(self.recipe.get("episodes")) is None else "episodes"

    @property
    def done(self) -> float:
        return self.steps if self.unit == "steps" else self.last.get("episode", 0.0)

    @property
    def total(self) -> float | None:
        return whole(self.recipe.get(self.unit))


def signature(path: Path, held: set[tuple[str, int]] | None) -> tuple[Any, ...]:
    """What decides how a run stands, but for the time: as long as it is the same, nothing need be read again."""
    files = [told_of(path / name) for name in (CONFIG, SUMMARY, *REWOUND)]
    alive = any(time.time() - told.st_mtime < ALIVE for told in files if told)
    return (
        is_held(path / LOCK, held),
        alive,
        *((told.st_ino, told.st_size, told.st_mtime_ns) if told else None for told in files),
    )


def status_of(name: str, path: Path, held: set[tuple[str, int]] | None) -> Status:
    """How a run stands now. Nothing in its folder can make this fail.

    Args:
        held: which files are locked, of `files.locked`.
    """
    found = Status(name, path)
    for file, where in ((CONFIG, "config"), (SUMMARY, "summary")):
        try:
            setattr(found, where, read_own_json(path / file))
        except InputError as error:
            found.trouble.append(str(error))
    logs = [ending(path / log) for log in LOGS]
    found.last, found.columns = newest(logs), [name for log in logs for name in log.names if name]
    found.columns = list(dict.fromkeys(found.columns))
    written = [changed(path / log) for log in LOGS]
    found.begun, found.written = changed(path / CONFIG), max(written)
    found.state, found.said = state_of(found, held)
    found.speed = speed_of(logs, "steps")
    if found.state == "running":
        found.ends = end_of(found, speed_of(logs, "steps" if found.unit == "steps" else "episode"))
    return found


def read_own_json(file: Path) -> dict[str, Any]:
    """An object in a file of the folder's own; empty where there is none."""
    if not is_file_itself(file):
        return {}
    found: dict[str, Any] = read_json(file, dict[str, Any], any_text=True)
    return found


def newest(logs: list[Tail]) -> dict[str, float]:
    """The last value of each column."""
    found: dict[str, float] = {}
    for log in logs:
        for name in log.names:
            values = log.column(name)
            there = values[np.isfinite(values)] if values is not None else np.empty(0)
            if len(there):
                least = found.get(name, -math.inf) if name in COUNTED else -math.inf
                found[name] = max(least, float(there[-1]))
    return found


def state_of(run: Status, held: set[tuple[str, int]] | None) -> tuple[str, str]:
    """Whether a run goes on, or how it ended, and why."""
    ended = str(run.summary.get("stopped_by") or "")
    is_newer = run.written > changed(run.path / SUMMARY) + 1
    if is_held(run.path / LOCK, held):
        return "running", ""
    if is_newer and time.time() - run.written < ALIVE:
        return "running", ""
    if ended and not is_newer:
        steps, episodes = (whole(run.summary.get(name)) or 0 for name in ("steps", "episodes"))
        if ended in ENDED:
            return ENDED[ended], str(run.summary.get("why") or "")
        return "finished", why(ended, int(steps), int(episodes))
    return (
        ("killed", f"it ended without a word; {resume_command(run)} goes on with it")
        if run.written
        else ("unknown", "")
    )


def resume_command(run: Status) -> str:
    """What goes on with a run, as it is typed where the page was started."""
    path = run.path if run.path.name else run.path.resolve()
    parent = path.parent.as_posix()
    elsewhere = "" if parent == RUNS else f" --runs-dir {shlex.quote(readable(parent))}"
    return f"triptych resume {shlex.quote(readable(path.name))}{elsewhere}"


def speed_of(logs: list[Tail], column: str) -> float | None:
    """How much a column grew a second, over the last minute or so; None: too little is known."""
    spans = []
    for log in logs:
        values, seconds = log.column(column), log.column("seconds")
        if values is None or seconds is None:
            continue
        there = np.isfinite(values) & np.isfinite(seconds)
        values, seconds = values[there], seconds[there]
        if len(values) > 1:
            start = min(int(np.searchsorted(seconds, seconds[-1] - RECENT)), max(0, len(values) - FEW))
            spans.append((float(seconds[-1] - seconds[start]), float(values[-1] - values[start])))
    spans = [(took, grown) for took, grown in spans if took > 0 and grown > 0]
    if not spans:
        return None
    took, grown = max(spans)
    return grown / took


def end_of(run: Status, speed: float | None) -> float | None:
    """When a run ends if it goes on as of late."""
    total = run.total
    if not speed or total is None:
        return None
    return max(time.time(), run.written + max(0.0, total - run.done) / speed)


def part(content: dict[str, Any], name: str) -> dict[str, Any]:
    """A part of somebody's JSON, empty where it is none."""
    found = content.get(name)
    return found if isinstance(found, dict) else {}


def whole(value: Any) -> float | None:
    """A number of steps or episodes; None: it is none."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if is_number and value >= 0 else None


def told(run: Status) -> dict[str, Any]:
    """A run as the page's list has it."""
    recipe, env = run.recipe, part(run.recipe, "env")
    return {
        "name": run.name,
        "game": str(env.get("id") or ""),
        "algorithm": str(part(recipe, "algorithm").get("kind") or "").upper(),
        "framework": str(run.config.get("framework") or ""),
        "seed": run.seed,
        "group": run.group,
        "state": run.state,
        "said": run.said,
        "steps": run.steps,
        "done": run.done,
        "total": run.total,
        "unit": run.unit,
        "episodes": run.last.get("episode"),
        "reward": run.last.get("running_reward"),
        "speed": run.speed if run.state == "running" else whole(run.summary.get("steps_per_second")) or run.speed,
        "ends": run.ends,
        "seconds": run.last.get("seconds"),
        "written": run.written,
        "columns": run.columns,
    }
