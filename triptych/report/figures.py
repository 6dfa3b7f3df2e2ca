"""The figures' data, as plain JSON numbers: the page's script draws it."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from triptych.frameworks import FRAMEWORKS
from triptych.report.curves import MOST_POINTS, over_seeds, thin
from triptych.report.logs import AXES, COUNTERS, Columns, Log

COLOURS = {name: framework.colour for name, framework in FRAMEWORKS.items()}
OTHERS = ("#6b7280", "#0f8a5f", "#8a6d00", "#5b4bc4", "#b0413e")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
REWARDS = ("running_reward", "max_reward", "episode_reward", "evaluation_mean")
TITLES = {
    "running_reward": "running reward (mean of the last 100 episodes)",
    "max_reward": "highest reward of the last 100 episodes",
    "episode_reward": "reward of each episode",
    "evaluation_mean": "test games",
    "episode_length": "length of each episode, steps",
    "epsilon": "epsilon, share of random actions",
    "loss": "loss",
    "q_mean": "mean of the largest Q value",
    "td_error_mean": "mean TD error, absolute",
    "policy_loss": "loss of the policy",
    "value_loss": "loss of the value",
    "entropy": "entropy of the policy, nats",
    "approx_kl": "how far an update moves the policy (KL divergence, nats)",
    "clip_fraction": "share of actions at the clip",
    "gradient_norm": "norm of the gradient before clipping",
    "learning_rate": "learning rate",
}
ALL_POINTS = 250_000  # of all curves of a page; more would make it slow to open


def by_game(logs: list[Log]) -> dict[str, list[Log]]:
    """The runs that belong into one figure: those of one game. Files that name no game lie over the only one."""
    games = list(dict.fromkeys(log.recipe.env.id for log in logs if log.recipe))
    if len(games) <= 1:
        return {games[0] if games else "": logs}
    found = {game: [log for log in logs if log.recipe and log.recipe.env.id == game] for game in games}
    others = [log for log in logs if not log.recipe]
    return found | ({"other logs": others} if others else {})


def data(logs: list[Log], random: dict[str, dict[str, Any]], on_page: int = 0) -> dict[str, Any]:
    """Runs of a game, groups of seeds and random play, for the page's script; `on_page`: all runs of the page."""
    names = column_names(logs)
    most = max(60, min(MOST_POINTS, ALL_POINTS // max(1, max(len(logs), on_page) * len(names))))
    styled = styles(logs)
    games = {log.random_key for log in logs if log.recipe}
    return {
        "axes": [[axis, title] for axis, title in AXES.items() if any(has_axis(log, axis) for log in logs)],
        "columns": [{"name": name, "title": TITLES.get(name, name.replace("_", " "))} for name in names],
        "rewards": [name for name in REWARDS if name in names],
        "runs": [run(log, style, most) for log, style in zip(logs, styled, strict=True)],
        "groups": [group_curves(framework, members) for framework, members in seed_groups(logs).items()],
        "random": random.get(next(iter(games))) if len(games) == 1 else None,
    }


def column_names(logs: list[Log]) -> list[str]:
    """Every recorded column, the known ones first, without the counters and what belongs to another one."""
    there = dict.fromkeys(name for log in logs for name in (*log.columns, *log.metrics))
    known = [name for name in TITLES if name in there]
    hidden = {*COUNTERS, "evaluation_low", "evaluation_high", "evaluation_games"}
    return known + [name for name in there if name not in TITLES and name not in hidden]


def has_axis(log: Log, axis: str) -> bool:
    return axis in log.columns or axis in log.metrics


def run(log: Log, style: dict[str, Any], most: int) -> dict[str, Any]:
    """One run's curves: columns by episode, and those of metrics.csv with counters of their own."""
    episodes = {
        name: values for name, values in log.columns.items() if name not in ("epsilon", "loss") or not log.metrics
    }
    metrics = {name: values for name, values in log.metrics.items() if name in COUNTERS or name not in log.columns}
    # Loss and epsilon stand in both; the rows of metrics.csv are evenly apart, so they tell more.
    metrics |= {name: log.metrics[name] for name in ("epsilon", "loss") if name in log.metrics}
    metrics = with_counters(metrics, log)
    tested = [value is not None for value in metrics.get("evaluation_mean", [])]
    tests = {
        name: [v for v, is_test in zip(values, tested, strict=True) if is_test]
        for name, values in metrics.items()
        if any(tested)
    }
    metrics = {name: values for name, values in metrics.items() if not name.startswith("evaluation")}
    tests = {name: values for name, values in tests.items() if name in COUNTERS or name.startswith("evaluation")}
    parts = [thinned(columns, most) for columns in (episodes, metrics, tests)]
    return {"name": log.name, "framework": log.framework, **style, "parts": [part for part in parts if part]}


def with_counters(metrics: Columns, log: Log) -> Columns:
    """metrics.csv counts steps and seconds; frames and episodes follow from the steps."""
    steps = metrics.get("steps")
    if not steps or not {"steps", "frames", "episode"} <= set(log.columns):
        return metrics
    known = [(a, b, c) for a, b, c in zip(*(log.columns[n] for n in ("steps", "frames", "episode")), strict=True) if a]
    if not known:
        return metrics
    x, frames, episodes = np.array(known, dtype=float).T
    at = np.array([math.nan if step is None else step for step in steps])
    ratio = frames[-1] / x[-1]
    return metrics | {"frames": (at * ratio).tolist(), "episode": np.interp(at, x, episodes).round().tolist()}


def thinned(columns: Columns, most: int) -> dict[str, list[float | None]]:
    if not columns:
        return {}
    kept = thin(len(next(iter(columns.values()))), most)
    return {name: [short(values[index]) for index in kept] for name, values in columns.items()}


def short(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(f"{value:.6g}")


def styles(logs: list[Log]) -> list[dict[str, Any]]:
    """A colour a framework, a dash a run of it; files that name no framework get colours of their own."""
    seen: dict[str, int] = {}
    found = []
    for log in logs:
        count = seen.get(log.framework, 0)
        seen[log.framework] = count + 1
        colour = COLOURS.get(log.framework, OTHERS[count % len(OTHERS)])
        found.append({"colour": colour, "dash": DASHES[count % len(DASHES)]})
    return found


def seed_groups(logs: list[Log]) -> dict[str, list[Log]]:
    """Several runs of a framework that differ in nothing but their seed."""
    found: dict[str, list[Log]] = {}
    for log in logs:
        if log.recipe is not None:
            found.setdefault(log.framework, []).append(log)
    return {name: members for name, members in found.items() if only_seeds_differ(members)}


def only_seeds_differ(members: list[Log]) -> bool:
    recipes = [log.recipe for log in members if log.recipe]
    alike = len({repr(dataclasses.replace(recipe, seed=0)) for recipe in recipes}) == 1
    return alike and len({recipe.seed for recipe in recipes}) == len(members) > 1


def group_curves(framework: str, members: list[Log]) -> dict[str, Any]:
    """The mean of the members' running rewards over each axis, with its interval."""
    curves = {
        axis: curve
        for axis in AXES
        if all(axis in log.columns and "running_reward" in log.columns for log in members)
        and (curve := over_seeds([(log.columns[axis], log.columns["running_reward"]) for log in members]))
    }
    name = f"{framework}, {len(members)} seeds"
    return {"name": name, "framework": framework, "colour": COLOURS.get(framework, OTHERS[0]), "curves": curves}
