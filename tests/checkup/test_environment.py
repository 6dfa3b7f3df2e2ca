"""What is told of a recipe's game."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from triptych import envs
from triptych.checkup.environment import judge_numbers, judge_play
from triptych.checkup.findings import Finding
from triptych.envs import EnvConfig
from triptych.envs.health import Health


class Far(gym.Env):
    """Whose one number is a distance in millimetres."""

    observation_space = gym.spaces.Box(0, 10_000, (1,), np.float32)
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return np.array([self.np_random.random() * 5_000], np.float32), {}

    def step(self, action):
        self.steps += 1
        return np.array([self.np_random.random() * 5_000], np.float32), 1.0, self.steps == 20, False, {}


def the_one_of(env: type[gym.Env]) -> Finding:
    """The one finding that an environment's numbers give."""
    gym.register("checked/One-v0", entry_point=env)
    try:
        games = envs.make(EnvConfig("checked/One-v0"), 2)
        (finding,) = judge_numbers(games)
        games.close()
    finally:
        del gym.registry["checked/One-v0"]
    return finding


def test_numbers_that_nothing_scales_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    finding = the_one_of(Far)
    assert finding.signal.name == "observations-large"
    assert "4," in finding.measured
    games = envs.make(EnvConfig("CartPole-v1"), 2)
    assert list(judge_numbers(games)) == []
    games.close()


class Unseeded(Far):
    """Whose start comes from a generator that no seed reaches."""

    def reset(self, *, seed=None, options=None):
        self.steps = 0
        return np.array([np.random.default_rng().random()], np.float32), {}

    def step(self, action):
        self.steps += 1
        return np.zeros(1, np.float32), 1.0, self.steps == 20, False, {}


def test_a_reset_that_ignores_its_seed_is_found() -> None:
    finding = the_one_of(Unseeded)
    assert finding.signal.name == "seed-ignored"
    assert finding.measured.startswith("2 of 2 games ")


def test_random_play_is_a_note_and_what_is_wrong_with_the_game_an_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    (note,) = judge_play(EnvConfig("CartPole-v1"))
    assert note.severity == "note"
    assert note.measured.startswith("random play scores ")
    lines = ["its reset does not obey its seed: x", "no reward but 0 in 4,000 steps of random play"]
    monkeypatch.setattr("triptych.checkup.environment.examine", lambda *_: Health("(4,)", 2, True, [], [], 1.0, lines))
    assert [one.severity for one in judge_play(EnvConfig("CartPole-v1"))] == ["warn", "note"]
