"""Gymnasium's own checker: errors are findings, warnings notes, and built-in games are left alone."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from triptych.checkup.checker import is_somebodys, judge_by_gymnasium, judge_own_game
from triptych.envs.cartpole import CartPole
from triptych.envs.gym import Gym


class Line(gymnasium.Env):
    """A walk on a line."""

    observation_space, action_space = spaces.Box(-10, 10, (1,), np.float32), spaces.Discrete(2)
    scale = 1.0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.place = self.np_random.uniform(-1, 1)
        return self.seen(), {}

    def step(self, action: Any) -> Any:
        self.place += 0.1 if action else -0.1
        return self.seen(), -abs(self.place), bool(abs(self.place) > 5), False, {}

    def seen(self) -> np.ndarray:
        return np.array([self.place * self.scale], np.float32)


class Outside(Line):
    scale = 1e6


def alarms(env: Any) -> list[str]:
    return [one.signal.name for one in judge_by_gymnasium(env) if one.severity != "note"]


def test_an_environment_that_keeps_the_contract_raises_no_alarm_and_one_that_leaves_its_space_does() -> None:
    assert alarms(Line()) == []
    assert alarms(gymnasium.make("CartPole-v1")) == []
    assert alarms(Outside()) == ["gymnasium-checker"]


def test_only_environments_of_somebodys_own_are_asked() -> None:
    gymnasium.register("Line-v0", entry_point=Outside)
    try:
        assert is_somebodys(Gym(id="Line-v0"))
        found = [one.signal.name for one in judge_own_game(Gym(id="Line-v0")) if one.severity != "note"]
        assert found == ["gymnasium-checker"]
    finally:
        del gymnasium.registry["Line-v0"]
    assert not is_somebodys(Gym(id="MountainCar-v0"))
    assert not is_somebodys(CartPole(id="CartPole-v1"))
