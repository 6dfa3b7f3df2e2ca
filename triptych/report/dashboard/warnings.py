"""What whoever watches a run should know of it."""

from __future__ import annotations

import shutil
import time

import numpy as np

from triptych.report.dashboard.status import Status, resume_command, whole
from triptych.report.dashboard.tail import Tail
from triptych.report.films import is_file_itself
from triptych.report.numbers import score
from triptych.runs.alarms import alarms_or_none, sentence
from triptych.runs.endings import unlearned
from triptych.runs.names import ERROR_FILE
from triptych.utils.console import counted

SILENT = 120.0  # seconds without a row, after which it is told
LONGER = 20  # times as long as usual
ROOM = 1e9  # bytes free, below which it is told
FALLEN = 0.5  # of the way from its first running reward to its highest
FULL = 100  # episodes
ERROR_LETTERS = 2_000


def warnings(run: Status, episodes: Tail, metrics: Tail) -> list[str]:
    """Lines, the most urgent first."""
    found = [line for line in (ended(run), silent(run, episodes, metrics), room(run), no_episode(run)) if line]
    found += [line for line in (lost(run), fallen(episodes), not_finite(episodes, metrics)) if line]
    found += [f"{alarm['signal']}: {sentence(alarm)}" for alarm in alarms_or_none(run.path)]
    found += run.trouble
    for log in (episodes, metrics):
        if log.torn:
            found.append(f"{log.path.name}: {counted(log.torn, 'line')} cannot be read, and left out")
    return found


def ended(run: Status) -> str:
    lines = {
        "failed": "It failed",
        "diverged": "It diverged: its numbers are no longer finite",
        "killed": f"It was killed, or its machine went down. Go on with: {resume_command(run)}",
    }
    text = lines.get(run.state, "")
    return f"{text}: {run.said}" if text and run.said and run.state != "killed" else text


def silent(run: Status, episodes: Tail, metrics: Tail) -> str:
    if run.state != "running" or not run.written:
        return ""
    since = time.time() - run.written
    usual = [pace for log in (episodes, metrics) if (pace := pace_of(log))]
    if since < max(SILENT, LONGER * min(usual, default=0.0)):
        return ""
    return f"Nothing has been written for {since / 60:,.0f} minutes. A long test, a long episode, or it hangs"


def pace_of(log: Tail) -> float:
    """Seconds between two rows of late."""
    seconds = log.column("seconds")
    return float(np.nanmean(np.diff(seconds[-50:]))) if seconds is not None and len(seconds) > 2 else 0.0


def room(run: Status) -> str:
    if run.state != "running":
        return ""
    try:
        free = shutil.disk_usage(run.path).free
    except OSError:
        return ""
    return f"The disk has only {free / 1e6:,.0f} MB left" if free < ROOM else ""


def no_episode(run: Status) -> str:
    if run.last.get("episode") or run.steps < 1000:
        return ""
    return f"No episode has ended in {run.steps:,.0f} steps. --env.time-limit STEPS ends them"


def lost(run: Status) -> str:
    """Steps of the sessions that have ended from which nothing was learned."""
    first = run.summary.get("broken_first")
    return unlearned(int(whole(run.summary.get("broken_steps")) or 0), first if isinstance(first, str) else "")


def fallen(episodes: Tail) -> str:
    """Whether it was much better once."""
    rewards = episodes.column("running_reward")
    rewards = rewards[np.isfinite(rewards)] if rewards is not None else np.empty(0)
    if len(rewards) < 2 * FULL:
        return ""
    full = rewards[FULL - 1 :]
    best = int(full.argmax())
    if best < FULL or full[best] - full[-1] < FALLEN * (full[best] - full[0]):
        return ""
    ago = len(full) - 1 - best
    return f"Its running reward was {score(float(full[best]))} {ago:,} episodes ago, and is {score(float(full[-1]))} now. The best weights are kept"


def not_finite(episodes: Tail, metrics: Tail) -> str:
    """Whether the last rows have a loss at all, once there was one."""
    loss = metrics.column("loss")
    if loss is None or len(loss) < 6 or not np.isfinite(loss).any() or np.isfinite(loss[-3:]).any():
        return ""
    tests = metrics.column("evaluation_mean")
    rows = loss[-6:] if tests is None else loss[~np.isfinite(tests)][-3:]
    return "" if np.isfinite(rows).any() else "No update has been made of late, or its loss is not finite"


def error_text(run: Status) -> str:
    """The end of the traceback that a failed run left, "" where there is none."""
    file = run.path / ERROR_FILE
    if run.state != "failed" or not is_file_itself(file):
        return ""
    try:
        with open(file, encoding="utf-8", errors="replace") as text:
            return text.read(1_000_000)[-ERROR_LETTERS:]
    except OSError:
        return ""
