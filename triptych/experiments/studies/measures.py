"""What a run's learning curve comes to: how much it learned from its steps, and when it reached what the study asks for.

The curve is the mean reward of the last `window` episodes, at the end of each, over agent steps, with straight lines between.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

import numpy as np

from triptych.experiments.studies import Goal, Study
from triptych.experiments.studies.table import Run
from triptych.utils.reading import Finite
from triptych.utils.statistics import bootstrap_iqm
from triptych.utils.tables import read_rows


class Episode(TypedDict):
    steps: Finite
    episode_reward: Finite
    seconds: Finite | None


class Interval(NamedTuple):
    """The interquartile mean over seeds and its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Measures:
    """How a variant's runs came to their scores."""

    area: Interval  # under the learning curve, divided by the run's steps: the mean reward on the way, in points
    share: Interval | None  # of it: 0 is random play, 1 the threshold held from the first step; None: no goal is named
    reached: list[
        int | None
    ]  # a seed each: the step at which the threshold was reached; None: never, or no goal is named
    steps_to_goal: Interval | None  # where every seed has reached it
    seconds_to_goal: Interval | None  # likewise, by the clock
    seconds: Interval  # of a run, tests not among them


@dataclass(frozen=True)
class Curve:
    """A run's learning curve, a point an episode; empty where the run's folder is gone."""

    steps: np.ndarray  # at which the episode ended
    means: np.ndarray
    seconds: np.ndarray  # of the run until then; NaN where it was not told


def curve_of(run: Path, window: int) -> Curve:
    """The learning curve of a run's folder."""
    file = run / "episodes.csv"
    rows = list(read_rows(file, Episode, whole=True)) if file.is_file() else []
    seconds = [math.nan if row["seconds"] is None else row["seconds"] for row in rows]
    means = running_means([row["episode_reward"] for row in rows], window)
    return Curve(np.array([row["steps"] for row in rows]), means, np.array(seconds))


def running_means(rewards: Sequence[float], window: int) -> np.ndarray:
    """The mean of each reward and those before it, `window` of them at most."""
    return np.array([np.mean(rewards[max(0, end - window) : end]) for end in range(1, len(rewards) + 1)])


def area(curve: Curve, last_step: int) -> float:
    """The area under the curve from step 0 to the run's last, divided by that length; flat before its first point and after its last."""
    end = max(last_step, int(curve.steps[-1]))
    heights = np.concatenate([curve.means[:1], curve.means, curve.means[-1:]])
    return float(np.trapezoid(heights, np.concatenate([[0], curve.steps, [end]])) / end)


def point_reached(curve: Curve, window: int, threshold: float) -> int | None:
    """The first point that is a whole window of episodes and not below the threshold; None: there is none."""
    there = np.flatnonzero(curve.means[window - 1 :] >= threshold)
    return window - 1 + int(there[0]) if len(there) else None


def of_run(run: Path, window: int, threshold: float | None, last_step: int) -> dict[str, Any]:
    """A run's columns of the table; none where no episode of it is known."""
    curve = curve_of(run, window)
    if not len(curve.steps):
        return {}
    found = {"window": window, "area": area(curve, last_step), "threshold": threshold}
    point = None if threshold is None else point_reached(curve, window, threshold)
    if point is None:
        return found | {"threshold_step": None, "threshold_seconds": None}
    second = float(curve.seconds[point])
    return found | {
        "threshold_step": int(curve.steps[point]),
        "threshold_seconds": None if math.isnan(second) else second,
    }


def of_row(row: Run, study: Study) -> dict[str, Any] | None:
    """The same of a row of the table, as the study asks for it now; None: not known, in a table of before."""
    goal = study.goals.get(row["task"])
    threshold = None if goal is None else goal.threshold
    if row.get("area") is not None and (row.get("window"), row.get("threshold")) == (study.window, threshold):
        return dict(row)
    last_step = row.get("steps")
    return of_run(Path(row["run"]), study.window, threshold, last_step) or None if last_step else None


def over_seeds(rows: Sequence[Run], study: Study) -> Measures | None:
    """What a variant's runs came to; None where it is not known of each."""
    found = [one for one in (of_row(row, study) for row in rows) if one is not None]
    seconds = [row.get("seconds") for row in rows]
    if len(found) < len(rows) or None in seconds:
        return None
    goal = study.goals.get(rows[0]["task"])
    return Measures(
        area=Interval(*bootstrap_iqm([one["area"] for one in found])),
        share=None if goal is None else interval([share_of(goal, one["area"]) for one in found]),
        reached=[one["threshold_step"] for one in found],
        steps_to_goal=interval([one["threshold_step"] for one in found]),
        seconds_to_goal=interval([one["threshold_seconds"] for one in found]),
        seconds=Interval(*bootstrap_iqm([second for second in seconds if second is not None])),
    )


def interval(values: Sequence[float | None]) -> Interval | None:
    """The interval over seeds; None where one of them has no value."""
    known = [value for value in values if value is not None]
    return Interval(*bootstrap_iqm(known)) if len(known) == len(values) else None


def share_of(goal: Goal, points: float) -> float:
    """Where a mean reward lies between random play, 0, and the threshold, 1."""
    return (points - goal.chance) / (goal.threshold - goal.chance)
