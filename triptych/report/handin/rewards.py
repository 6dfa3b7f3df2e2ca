"""The reward while training, of Triptych's own runs and of logs that count otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from triptych.report.logs import Log
from triptych.report.logs.log import Numbers
from triptych.report.logs.parts import rolling
from triptych.report.results import FULL


@dataclass(frozen=True)
class Rewards:
    """A run's mean reward, a row of its log each."""

    values: Sequence[float | None]
    before: int  # rows before the first that is a mean of a whole window
    told: str = ""  # what it is, where it is not the mean of the last 100 episodes

    @property
    def whole(self) -> list[float]:
        """Those that are means of a whole window."""
        return [value for value in self.values[self.before :] if value is not None]

    @property
    def last(self) -> float | None:
        return next((value for value in reversed(self.values) if value is not None), None)


def rewards_of(log: Log) -> Rewards | None:
    """The running reward; where a log has none the means that it has, or the mean of its last 100 rows. None: it has no reward."""
    columns = {name: values for name, values in log.columns.items() if any(value is not None for value in values)}
    if "running_reward" in columns:
        by_episode = log.recipe is not None or "episode_reward" in columns
        return Rewards(columns["running_reward"], FULL if by_episode else 0)
    if "mean_reward" in columns:
        return Rewards(columns["mean_reward"], 0, "the means that its log has")
    if "episode_reward" in columns:
        told = "the mean of the last 100 rows of its log, which does not say that each is an episode"
        return Rewards(over_rows(columns["episode_reward"]), FULL, told)
    return None


def over_rows(values: Sequence[float | None]) -> Numbers:
    """The mean of the last 100 values at each of them; none where there is no value."""
    found = np.array([np.nan if value is None else value for value in values], np.float64)
    there = np.isfinite(found)
    means = np.full(len(found), np.nan)
    means[there] = rolling(found[there])[0]
    return Numbers(means)
