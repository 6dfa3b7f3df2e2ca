"""Stable-Baselines3: monitor.csv, a row an episode, and progress.csv, a row now and then."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from triptych.report.logs.columns import Dialect, Naming
from triptych.report.logs.parts import Found
from triptych.utils.tables import Table

MONITOR = Dialect(
    "Stable-Baselines3's monitor.csv",
    {"r": "episode_reward", "l": "episode_length", "t": "seconds"},
    note="Stable-Baselines3's monitor.csv: a row an episode; steps are the lengths of the episodes, summed up.",
)
PROGRESS = Dialect(
    "Stable-Baselines3's progress.csv",
    {
        "time/total_timesteps": "steps", "time/total timesteps": "steps", "time/episodes": "episode",
        "time/time_elapsed": "seconds", "time/iterations": "iteration", "train/n_updates": "updates",
        "rollout/ep_rew_mean": "running_reward", "rollout/ep_len_mean": "mean_length",
        "rollout/exploration_rate": "epsilon", "rollout/exploration rate": "epsilon", "train/learning_rate": "learning_rate",
        "train/loss": "loss", "train/policy_gradient_loss": "policy_loss", "train/policy_loss": "policy_loss",
        "train/actor_loss": "policy_loss", "train/value_loss": "value_loss", "train/entropy_loss": "entropy_loss",
        "train/approx_kl": "approx_kl", "train/clip_fraction": "clip_fraction", "eval/mean_reward": "evaluation_mean",
        "eval/mean_ep_length": "evaluation_length", "time/fps": "steps_per_second",
    },
    note="Stable-Baselines3's ep_rew_mean is a mean, by default of the last 100 episodes, and is drawn as the running reward; "
    "its steps are those of all environments together.",
    marks=("time/total_timesteps", "time/total timesteps", "rollout/ep_rew_mean", "time/time_elapsed"),
)  # fmt: skip


LATEST = 1e12  # seconds since 1970; a later beginning is none


def is_monitor(names: Sequence[str]) -> bool:
    return {"r", "l", "t"} <= set(names)


def read_monitors(tables: Sequence[Table], name: str, naming: Naming) -> Found:
    """One run of one environment or of several: their episodes by the time at which they ended."""
    starts, games = zip(*(told(table) for table in tables), strict=True)
    shared = [column for column in tables[0].names if all(column in table.columns for table in tables)]
    theirs = {column: np.concatenate([table.columns[column] for table in tables]) for column in shared}
    if len(tables) > 1:
        ended = np.concatenate([table.columns["t"] + start for table, start in zip(tables, starts, strict=True)])
        order = np.argsort(ended, kind="stable")
        theirs = {column: values[order] for column, values in (theirs | {"t": ended - min(starts)}).items()}
    part = {ours: theirs[name] for name, ours in naming.name(shared, MONITOR).items()}
    if len(tables) == 1 and "seconds" in part:
        part["seconds"] = going_on(part["seconds"])
    part |= {"episode": np.arange(1.0, len(theirs["l"]) + 1), "steps": np.cumsum(np.nan_to_num(theirs["l"]))}
    return Found(name, [part], episodes=True, played=next(filter(None, games), ""), notes=[MONITOR.note])


def going_on(seconds: np.ndarray) -> np.ndarray:
    """The clock of a monitor that was opened again starts anew; here it goes on."""
    drops = np.append(False, np.diff(seconds) < 0)
    before = np.append(0.0, seconds[:-1])
    return seconds + np.cumsum(np.where(drops, before, 0.0))


def told(table: Table) -> tuple[float, str]:
    """What the line above the column names says: when it began, in seconds, and which environment it is."""
    for line in table.comments:
        try:
            found = json.loads(line.lstrip("# "))
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            start, game = found.get("t_start"), found.get("env_id")
            began = float(start) if isinstance(start, int | float) and abs(start) < LATEST else 0.0
            return began, game[:100] if isinstance(game, str) and game != "None" else ""
    return 0.0, ""
