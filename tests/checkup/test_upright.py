"""Pictures that lie otherwise than the environment's own screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import gymnasium as gym
import numpy as np
import pytest

from triptych import envs
from triptych.checkup.findings import Finding
from triptych.checkup.upright import WAYS, judge_upright, resized
from triptych.envs import EnvConfig
from triptych.recipes import load_recipe

SIDE = 48


def scene(steps: int) -> np.ndarray:
    """A picture [48, 48, 3] that no turn and no mirror leaves as it is: a bright floor, a lamp at the left, a thing that moves."""
    found = np.zeros((SIDE, SIDE, 3), np.uint8)
    found[36:] = 160
    found[4:16, 4:16] = 255
    found[28:36, steps % 30 : steps % 30 + 10] = 90
    return found


def made(turn: Callable[[np.ndarray], np.ndarray], draws: bool = True) -> type[gym.Env]:
    """An environment that hands on its picture turned, and draws it as it is."""

    class Turned(gym.Env):
        observation_space = gym.spaces.Box(0, 255, (SIDE, SIDE, 3), np.uint8)
        action_space = gym.spaces.Discrete(2)
        metadata: ClassVar = {"render_modes": ["rgb_array"] if draws else [], "render_fps": 30}

        def __init__(self, render_mode: str | None = None):
            self.render_mode = render_mode

        def shown(self) -> np.ndarray:
            return np.ascontiguousarray(np.stack([turn(scene(self.steps)[..., n]) for n in range(3)], -1))

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            self.steps = 0
            return self.shown(), {}

        def step(self, action):
            self.steps += 1
            return self.shown(), 1.0, self.steps == 200, False, {}

        def render(self):
            return scene(self.steps)

    return Turned


def judged(env: type[gym.Env], monkeypatch: pytest.MonkeyPatch, **settings) -> list[Finding]:
    monkeypatch.setitem(gym.registry, "turned/One-v0", gym.envs.registration.EnvSpec("turned/One-v0", entry_point=env))
    config = EnvConfig("turned/One-v0", **settings)
    games = envs.make(config, 2)
    try:
        return list(judge_upright(config, games))
    finally:
        games.close()


@pytest.mark.parametrize("way", list(WAYS))
def test_a_picture_that_is_turned_is_told_with_how(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = judged(made(WAYS[way]), monkeypatch, size=24)
    if way == "upright":
        assert found == []
    else:
        assert [one.signal.name for one in found] == ["picture-turned"]
        assert found[0].measured.startswith(f"{way}: correlation with the screen so 1.00, with it as it is ")


def test_the_part_of_the_screen_that_is_kept_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    crop = (0.25, 1.0, 0.0, 0.75)
    assert judged(made(WAYS["upright"]), monkeypatch, size=20, crop=crop) == []
    (found,) = judged(made(WAYS["upside down"]), monkeypatch, size=48)
    assert found.measured.startswith("upside down")


def test_nothing_is_said_where_the_screen_shows_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
    assert judged(made(lambda picture: noise), monkeypatch) == []


def test_a_screen_that_cannot_be_had_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(made(WAYS["upright"])):  # type: ignore[misc]
        def render(self):
            raise RuntimeError("no display")

    for env, why in {Broken: "no display", made(WAYS["mirrored"], draws=False): "draws no pictures"}.items():
        (found,) = judged(env, monkeypatch)
        assert (found.severity, found.signal.name) == ("note", "picture-not-compared")
        assert why in found.measured


@pytest.mark.parametrize("recipe", ["breakout", "cartpole-pixels", "kung-fu-master"])
def test_the_pictures_of_recipes_lie_as_they_are_drawn(recipe: str) -> None:
    config = load_recipe(recipe).env
    games = envs.make(config, 1)
    assert list(judge_upright(config, games)) == []
    games.close()


def test_a_picture_is_averaged_in_blocks() -> None:
    picture = np.arange(24.0).reshape(4, 6)
    assert (resized(picture, (2, 2)) == [[4, 7], [16, 19]]).all()
    assert resized(picture[:1], (2, 6)).tolist() == [[0, 1, 2, 3, 4, 5]] * 2, "the nearest pixels of a smaller one"
