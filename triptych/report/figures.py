"""The figures' data, as plain JSON numbers: the page's script draws it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from triptych.report import curves
from triptych.report.curves import MOST_POINTS, thin
from triptych.report.logs import AXES, COUNTERS, HIGH, LOW, Columns, Log
from triptych.report.overlaid import sentence, widths
from triptych.report.series import Series, series_of

REWARDS = ("running_reward", "max_reward", "mean_reward", "episode_reward", "evaluation_mean")
TITLES = {
    "running_reward": "running reward (mean of the last 100 episodes)",
    "max_reward": "highest reward of the last 100 episodes",
    "episode_reward": "reward of each episode",
    "mean_reward": "mean reward of an episode, over an iteration or epoch",
    "evaluation_mean": "test games",
    "evaluation_length": "length of test games, steps",
    "episode_length": "length of each episode, steps",
    "mean_length": "mean length of an episode, steps",
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
ALL_NUMBERS = 40_000  # of all curves of a page, about eight bytes each: a page stays below 1.5 MB
LAST_AXES = ("updates", "row")  # what runs are drawn along where nothing else is there
FEWEST_POINTS = 30  # of a curve, however many there are
FEWEST_MEANS = 20  # of a group's small figures
CROWD = 6  # runs of a figure, above which a group of seeds is shown by its mean alone


def by_game(logs: list[Log]) -> dict[str, list[Log]]:
    """The runs that belong into one figure: those of one game. Files that name no game lie over the only one."""
    games = list(dict.fromkeys(log.game for log in logs if log.game))
    if len(games) <= 1:
        return {games[0] if games else "": logs}
    found = {game: [log for log in logs if log.game == game] for game in games}
    others = [log for log in logs if not log.game]
    return found | ({"other logs": others} if others else {})


def data(logs: list[Log], random: dict[str, dict[str, Any]], on_page: int = 0) -> dict[str, Any]:
    """Runs of a game, groups of seeds and random play, for the page's script; `on_page`: all runs of the page."""
    names = column_names(logs)
    series = series_of(logs)
    crowded = len(logs) > CROWD
    drawn = sum(1 if crowded and one.is_seeds else len(one.logs) for one in series)
    others = max(0, on_page - len(logs))
    most = ALL_NUMBERS // max(1, (drawn + others) * (len(names) + len(AXES)))
    most = max(FEWEST_POINTS, min(MOST_POINTS, most))
    games = {log.random_key for log in logs if log.recipe}
    seeds = {number: one for number, one in enumerate(series) if one.is_seeds}
    points = ALL_NUMBERS // max(1, len(seeds) * len(names) * (3 + len(AXES)))
    groups = {number: group(number, one, names, points, len(seeds)) for number, one in seeds.items()}
    # In a crowd a seed's own curves are left out where its group has a mean to show.
    left_out = {number: set(found["columns"]) if crowded else set() for number, found in groups.items()}
    place = {id(log): (number, one) for number, one in enumerate(series) for log in one.logs}
    return {
        "axes": axes(logs),
        "columns": [{"name": name, "title": title_of(name)} for name in names],
        "rewards": [name for name in REWARDS if name in names],
        "series": [
            {"label": one.label, "colour": one.colour, "dash": one.dash, "width": width}
            for one, width in zip(series, widths(series), strict=True)
        ],
        "overlaid": sentence(series),
        "runs": [run(log, *place[id(log)], most, left_out.get(place[id(log)][0], set())) for log in logs],
        "groups": list(groups.values()),
        "crowded": crowded,
        "random": random.get(next(iter(games))) if len(games) == 1 else None,
    }


def title_of(column: str) -> str:
    return TITLES.get(column, column.replace("_", " "))


def column_names(logs: list[Log]) -> list[str]:
    """Every column that a figure can show, the known ones first, without the counters and what belongs to another one."""
    there = dict.fromkeys(name for log in logs for part in log.parts for name in part)
    hidden = {*COUNTERS, "evaluation_low", "evaluation_high", "evaluation_games"}
    names = [name for name in TITLES if name in there]
    names += [name for name in there if name not in TITLES and name not in hidden and not name.endswith((LOW, HIGH))]
    return [name for name in names if any(can_draw(log, name) for log in logs)]


def can_draw(log: Log, column: str) -> bool:
    """Whether a run has a value of a column where it has one of an axis."""
    return any(
        value is not None and position is not None and math.isfinite(value) and math.isfinite(position)
        for part in log.parts
        for axis in AXES
        if axis in part and column in part
        for value, position in zip(part[column], part[axis], strict=True)
    )


def axes(logs: list[Log]) -> list[list[str]]:
    """What curves can be drawn along; updates and rows only where some run counts nothing better."""
    there = {axis: {id(log) for log in logs if has_axis(log, axis)} for axis in AXES}
    better = set[int]().union(*(found for axis, found in there.items() if axis not in LAST_AXES))
    return [[axis, AXES[axis]] for axis, found in there.items() if found - (better if axis in LAST_AXES else set())]


def has_axis(log: Log, axis: str) -> bool:
    return any(value is not None for part in log.parts for value in part.get(axis, []))


def lead_of(log: Log, others: Sequence[str] = ()) -> str:
    """The best reward that a run has, which stands for it among others; else the first that it has of `others`, or ""."""
    there = {name for part in log.parts for name in part}
    return next((name for name in (*REWARDS, *others) if name in there and can_draw(log, name)), "")


def run(log: Log, number: int, series: Series, most: int, left_out: set[str]) -> dict[str, Any]:
    """One run's curves, each part of the log with counters of its own."""
    parts = [{name: values for name, values in part.items() if name not in left_out} for part in parts_of(log)]
    return {
        "name": log.name,
        "framework": log.framework,
        "lead": lead_of(log),
        "series": number,
        "label": f"{series.label}: {log.name}" if series.is_seeds else series.label,
        "colour": series.colour,
        "dash": series.dash,
        "parts": [
            thinned(part, min(most, curves.GRID) if left_out else most) for part in parts if set(part) - set(COUNTERS)
        ],
    }


def parts_of(log: Log) -> list[Columns]:
    """The columns by episode, those of metrics.csv and those of the tests, each with counters of its own."""
    episodes = {
        name: values for name, values in log.columns.items() if name not in ("epsilon", "loss") or not log.metrics
    }
    metrics = {name: values for name, values in log.metrics.items() if name in COUNTERS or name not in log.columns}
    # Loss and epsilon stand in both; the rows of metrics.csv are evenly apart, so they tell more.
    metrics |= {name: log.metrics[name] for name in ("epsilon", "loss") if name in log.metrics}
    metrics = with_counters(metrics, log)
    tested = [value is not None for value in metrics.get("evaluation_mean", [])]
    tests: Columns = {
        name: [v for v, is_test in zip(values, tested, strict=True) if is_test]
        for name, values in metrics.items()
        if any(tested)
    }
    metrics = {name: values for name, values in metrics.items() if not name.startswith("evaluation")}
    tests = {name: values for name, values in tests.items() if name in COUNTERS or name.startswith("evaluation")}
    return [episodes, metrics, tests, *log.more]


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


def group(number: int, series: Series, names: list[str], most: int, count: int) -> dict[str, Any]:
    """A group of seeds: the mean of its rewards over each axis, and of every other column, with intervals.

    Args:
        most: points of a column's mean, where a page of many groups has no room for more.
        count: groups of the page.
    """
    members = series.logs
    grid = max(FEWEST_MEANS, min(curves.SMALL_GRID, most))
    fine = max(FEWEST_POINTS, min(curves.GRID, ALL_NUMBERS // (4 * len(AXES) * count)))
    rewards = {
        axis: curve
        for axis in AXES
        if all(axis in log.columns and "running_reward" in log.columns for log in members)
        and (curve := curves.over_seeds([(log.columns[axis], log.columns["running_reward"]) for log in members], fine))
    }
    parts = [parts_of(log) for log in members]
    others = {name: curve for name in names if name != "running_reward" and (curve := mean_column(parts, name, grid))}
    return {
        "name": series.label,
        "framework": series.framework,
        "series": number,
        "colour": series.colour,
        "dash": series.dash,
        "curves": rewards,
        "columns": others,
    }


def mean_column(parts: list[list[Columns]], name: str, grid: int = curves.SMALL_GRID) -> dict[str, Any] | None:
    """A column's mean over seeds at equal steps, `x` for each axis: where the seeds were there, on average."""
    found = [next((part for part in run if name in part and "steps" in part), None) for run in parts]
    if not all(found):
        return None
    there = [part for part in found if part]
    curve = curves.over_seeds([(part["steps"], part[name]) for part in there], grid=grid)
    if curve is None:
        return None
    steps = np.array(curve["x"])
    at = {
        axis: np.mean([curves.on_grid(steps, part["steps"], part[axis]) for part in there], axis=0)
        for axis in AXES
        if all(axis in part for part in there)
    }
    return curve | {"x": {axis: [short(value) for value in values] for axis, values in at.items()}}
