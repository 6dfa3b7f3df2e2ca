"""A user's environment as the loop is given it: it writes down what it says, cuts some episodes, and ends the loop after so many steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np

from triptych.checkup.own.exploring import Choices
from triptych.checkup.own.filling import Record

SHORT, LONG = (6, 15), 200  # steps after which every second episode is cut, within these; and the others, if they go on


class Enough(Exception):
    """The loop has gone on long enough."""


class Recorded(gymnasium.Wrapper):
    """Cuts episodes as Gymnasium's TimeLimit does: so that a loop that takes a cut for an end, or knows none, shows in little time.

    Args:
        steps: of the loop.
        more: steps beyond them, while `goes_on` says so.
    """

    def __init__(self, env: Any, steps: int, more: int = 0):
        super().__init__(env)
        self.record: Record | None = None
        self.steps, self.most = steps, steps + more
        self.taken = self.episode = self.length = self.cuts = 0
        self.choices: Choices | None = None
        self.goes_on: Callable[[], bool] = bool  # not beyond `steps`
        self.shown: Callable[[], Any] = bool  # called before each step
        self.now: Any = None  # what is shown
        self.rng = np.random.default_rng(0)
        self.limit = int(self.rng.integers(*SHORT))

    def reset(self, **how: Any) -> Any:
        obs, info = self.env.reset(**how)
        self.now = np.array(obs)
        if self.length:
            self.episode += 1
            self.limit = int(self.rng.integers(*SHORT)) if self.episode % 2 == 0 else LONG
        self.length = 0
        if self.record is None:
            self.record = Record(2 * self.most, np.array(obs))
        else:
            self.record.restart(np.array(obs))
        return obs, info

    def step(self, action: Any) -> Any:
        if self.taken >= self.most or (self.taken >= self.steps and not self.goes_on()):
            raise Enough
        self.shown()
        if self.choices is not None:
            self.choices.heard(self.taken, self.now, int(action))
        self.taken += 1
        self.length += 1
        obs, reward, terminated, truncated, info = self.env.step(action)
        truncated = bool(truncated) or (self.length >= self.limit and not terminated)
        self.cuts += truncated
        self.now = np.array(obs)
        if self.record is not None:
            self.record.step(int(action), np.array(obs), float(reward), bool(terminated), truncated)
        return obs, reward, terminated, truncated, info
