"""`triptych look` of games that draw no pictures: their numbers, and what random play scores; what columns are called."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from PIL import Image

from tests.experiments.test_video import call, untrained
from triptych import envs
from triptych.envs import EnvConfig
from triptych.envs.config import DrawsNothing
from triptych.envs.videos import own_screen, screen_config
from triptych.recipes import load_recipe
from triptych.report import look_numbers
from triptych.report.look import observe
from triptych.report.look_numbers import PartSeen

EXAMPLE = str(Path(__file__).parents[2] / "docs" / "examples" / "own_environment.py")


class Clock(gymnasium.Env):
    """Counts to four; its second number never changes. Each step brings 1."""

    observation_space, action_space = spaces.Box(-9, 9, (2,), np.float32), spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        self.count = 0
        return np.array([0, 7], np.float32), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict]:
        self.count += 1
        return np.array([self.count, 7], np.float32), 1.0, self.count == 4, False, {}


class Torn(Clock):
    """Says that it draws itself, and cannot."""

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012 (as Gymnasium has it)

    def __init__(self, render_mode: str | None = None):
        self.render_mode = render_mode

    def render(self) -> Any:
        raise RuntimeError("no brush")


gymnasium.register("looked/Clock-v0", Clock)
gymnasium.register("looked/Torn-v0", Torn)


def test_the_numbers_of_an_environment_of_ones_own_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("look", EXAMPLE, "--json") == 0
    said = capsys.readouterr().out
    assert "random play scores -3.305 (95 % interval -3.95 to -2.625, 40 games)" in said
    assert "observation" in said
    assert "(4,)" in said
    part = {"part": "", "shape": [4], "min": -1.0, "max": 1.0, "constant": []}
    assert json.loads(said.splitlines()[-1])["numbers"]["parts"] == [part]
    with Image.open("look-own_environment.png") as sheet:
        assert sheet.format == "PNG"


def test_the_smallest_and_largest_numbers_and_those_that_never_change() -> None:
    (part,) = look_numbers.parts_seen(EnvConfig("looked/Clock-v0"), 0)
    assert part == PartSeen("", (2,), 0.0, 7.0, [1])
    assert part.told() == "1 of 2: [1]"
    assert dataclasses.replace(part, constant=[]).told() == "no"
    assert dataclasses.replace(part, constant=[0, 1]).told() == "yes"
    assert (
        dataclasses.replace(part, shape=(9,), constant=[*range(8)]).told()
        == "8 of 9: [0], [1], [2], [3], [4], [5], ..."
    )


def test_random_play_of_the_sheet_is_that_of_whole_games() -> None:
    found = look_numbers.numbers_of(EnvConfig("looked/Clock-v0"), 0)
    assert (found.random, found.low, found.high) == (4, 4, 4)


def test_a_game_of_a_kind_without_a_screen_is_looked_at_too(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert call("look", "memory-chain", "--out", str(tmp_path / "x.png")) == 0
    assert "random play scores" in capsys.readouterr().out
    assert (tmp_path / "x.png").is_file()


def test_a_video_of_it_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    weights = untrained(dataclasses.replace(load_recipe("cartpole"), env=EnvConfig("looked/Clock-v0")), tmp_path / "w.safetensors")  # fmt: skip
    assert call("video", "w.safetensors") == 2
    line = f"triptych: env of {weights.name} is 'looked/Clock-v0': it draws no pictures; allowed: an environment with render mode rgb_array"
    assert capsys.readouterr().err.strip() == line


def test_a_game_that_cannot_draw_though_it_says_so_tells_why() -> None:
    with pytest.raises(DrawsNothing, match=r"it draws no pictures \(RuntimeError: no brush .*\); allowed: an"):
        envs.make(screen_config(EnvConfig("looked/Torn-v0")), 1)
    assert own_screen(EnvConfig("looked/Torn-v0")) is None


def test_colours_and_other_parts_have_their_names() -> None:
    (row,), captions = observe(load_recipe("maze-lstm"), 1, 0)
    assert captions == ["screen", "red", "green", "blue", "heading", "position"]
    assert len(row) == len(captions)


@pytest.mark.parametrize(
    ("recipe", "captions"),
    [
        ("cartpole", ["screen", "what the agent gets"]),
        ("cartpole-pixels", ["screen", "t-1", "t (newest)", "difference (contrast stretched)"]),
        ("breakout", ["screen", "t-3", "t-2", "t-1", "t (newest)"]),
    ],
)
def test_pictures_of_a_stack_are_told_by_when_they_were_seen(recipe: str, captions: list[str]) -> None:
    assert observe(load_recipe(recipe), 1, 0)[1] == captions
