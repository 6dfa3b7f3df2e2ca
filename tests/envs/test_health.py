"""Environments with a fault each, and what is said of them; packages that bring ids; the list of those that were tried."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from triptych import envs
from triptych.cli.environments import Envs
from triptych.envs import EnvConfig
from triptych.envs.health import examine
from triptych.envs.packages import PACKAGES, package_of
from triptych.experiments.environments import FACTS, LISTED, listed, write_table
from triptych.utils.checks import InputError

SEEDS = {"side": lambda seed: seed // 1_000, "uneven": lambda seed: seed}


class Walk(gymnasium.Env):
    """A walk of twenty steps that draws where it goes, with a fault where one is asked for."""

    def __init__(self, fault: str = ""):
        self.fault, self.end = fault, 20
        self.observation_space, self.action_space = spaces.Box(-np.inf, np.inf, (2,)), spaces.Discrete(2)
        self.luck = np.random.default_rng()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        if seed is not None and self.fault in SEEDS:
            seed, self.end = SEEDS[self.fault](seed), 60 if self.fault == "uneven" and seed % 4 == 3 else 20
        super().reset(seed=seed if self.fault != "alike" else 0)
        self.time, self.place = 0, self.draw()
        return self.seen(), {}

    def draw(self) -> np.ndarray:
        return (self.luck if self.fault == "unseeded" else self.np_random).normal(size=2)

    def seen(self) -> np.ndarray:
        place = np.zeros(2) if self.fault == "constant" else self.place
        return np.full(2, np.nan, np.float32) if self.fault == "nan" and self.time == 7 else place.astype(np.float32)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.time, self.place = self.time + 1, self.place + action + 0.1 * self.draw()
        reward = 0.0 if self.fault == "unpaid" else float(self.place[0] > 0)
        return self.seen(), reward, self.time == self.end and self.fault != "endless", False, {}


gymnasium.register("test/Walk-v0", entry_point=Walk)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("", []),
        ("unseeded", ["its reset does not obey its seed: the same seed and actions gave another course"]),
        ("alike", ["its seed changes nothing in 60 steps: every episode begins and goes on alike"]),
        ("side", ["games side by side are identical, though their seeds are not"]),
        ("endless", ["no episode of 4 games ended within 200 steps: --env.time-limit ends them"]),
        ("unpaid", ["no reward but 0 in 20 steps of random play"]),
    ],
)
def test_what_is_wrong_with_an_environment_is_said(fault: str, said: list[str]) -> None:
    seen = examine(EnvConfig("test/Walk-v0", kwargs=json.dumps({"fault": fault})), episodes=1, steps=200)
    found = [line.replace("80 steps", "20 steps") for line in seen.findings]
    assert found == said
    assert seen.lengths == ([] if fault == "endless" else [20] * 4)
    assert (seen.observation, seen.actions, seen.saves) == ("(2,)", 2, False)


def test_observations_that_never_change_or_are_not_finite_are_said() -> None:
    constant = examine(EnvConfig("test/Walk-v0", kwargs='{"fault": "constant"}'), episodes=2, steps=100)
    assert "not one of 20 observations differs from the one before" in constant.findings
    (said,) = examine(EnvConfig("test/Walk-v0", kwargs='{"fault": "nan"}'), episodes=2, steps=100).findings
    assert "at step 7 of its episode" in said


class Seen(gymnasium.Env):
    """Parts that can be told to stay as they are: a picture, and two numbers beside it unless `alone`."""

    def __init__(self, still: str = "", alone: bool = False):
        self.still, self.alone, self.action_space = still, alone, spaces.Discrete(2)
        self.picture, self.vector = spaces.Box(0, 255, (40, 40), np.uint8), spaces.Box(-9, 9, (2,), np.float32)
        both = spaces.Dict({"picture": self.picture, "vector": self.vector})
        self.observation_space = self.picture if alone else both

    def seen(self) -> Any:
        picture = np.full((40, 40), 9 if self.still == "picture" else self.np_random.integers(1, 255), np.uint8)
        vector = np.ones(2, np.float32) if self.still == "vector" else self.np_random.normal(size=2).clip(-9, 9)
        return picture if self.alone else {"picture": picture, "vector": vector.astype(np.float32)}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.time = 0
        return self.seen(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.time += 1
        return self.seen(), self.np_random.normal(), self.time == 20, False, {}


gymnasium.register("test/Seen-v0", entry_point=Seen)


@pytest.mark.parametrize(
    ("kwargs", "said"),
    [
        ({}, []),
        ({"alone": True}, []),
        ({"alone": True, "still": "picture"}, ["not one of 20 observations differs from the one before"]),
        ({"still": "picture"}, ["not one of 20 observations differs from the one before in its part 'picture'"]),
        ({"still": "vector"}, ["not one of 20 observations differs from the one before in its part 'vector'"]),
    ],
)
def test_a_part_that_never_changes_is_named_though_its_stack_fills_and_others_move(
    kwargs: dict[str, Any], said: list[str]
) -> None:
    config = EnvConfig("test/Seen-v0", kwargs=json.dumps(kwargs))
    assert config.stack == 4, "the usual one"  # type: ignore[attr-defined]
    assert examine(config, episodes=4, steps=100).findings == said


def test_each_game_plays_as_many_episodes_as_the_others_so_that_long_ones_count() -> None:
    seen = examine(EnvConfig("test/Walk-v0", kwargs='{"fault": "uneven"}'), episodes=20)
    assert sorted(seen.lengths) == [20] * 15 + [60] * 5
    assert len(examine(EnvConfig("test/Walk-v0", kwargs='{"fault": "uneven"}'), episodes=5).rewards) == 8


def test_ids_of_known_packages_need_no_module_before_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for env_id in ("MiniGrid-MemoryS7-v0", "popgym-RepeatPreviousEasy-v0", "FlappyBird-v0"):
        assert envs.find(env_id).id == env_id
    with pytest.raises(InputError, match=r"env is 'MiniGrid-MemoryS7-v9'; did you mean MiniGrid-MemoryS7-v0\?"):
        envs.find("MiniGrid-MemoryS7-v9")
    assert package_of("CartPole-v1") is None
    there = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "minigrid" else there(name, *rest)
    )
    with pytest.raises(
        InputError, match=r"env is 'MiniGrid-Unheard-v0'; minigrid is not installed; allowed: pip install .*worlds"
    ):
        envs.find("MiniGrid-Unheard-v0")


def test_one_environment_is_tried_by_the_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    fault = 'kwargs={"fault": "unpaid"}'
    assert Envs(ids=("test/Walk-v0",), setting=(fault,), episodes=2, out=tmp_path / "table").run() == 0
    printed = capsys.readouterr().out
    assert (
        'test/Walk-v0 with --env.kwargs \'{"fault": "unpaid"}\': (2,), 2 actions, random play 0.00 (0.00 to 0.00)'
        in printed
    )
    assert "  no reward but 0 in 80 steps of random play" in printed
    assert (
        """| `test/Walk-v0` | `--env.kwargs '{"fault": "unpaid"}'` |"""
        in (tmp_path / "table" / "README.md").read_text()
    )
    with pytest.raises(InputError, match=r"setting is .*; allowed: none without ids"):
        Envs(setting=(fault,)).run()


def test_the_list_is_what_was_tried_and_its_table_is_what_is_shown(tmp_path: Path) -> None:
    tried = listed()
    assert [one.id for one in tried] == [env_id for env_id, _ in LISTED]
    shown = Path(envs.__file__).parents[2] / "results" / "environments"
    assert FACTS.read_text() == (shown / "environments.json").read_text()
    table = write_table(tried, tmp_path).read_text().splitlines()
    kept = (shown / "README.md").read_text().splitlines()
    assert table[3:] == kept[3:], "but for the processor"
    assert "| `MiniGrid-MemoryS7-v0` | `--env.drop mission` |" in "\n".join(kept)
    extras = {package.extra for package in PACKAGES} | {"", "atari"}
    assert {one.extra for one in tried} <= extras
    assert all(one.random is not None and one.low <= one.random <= one.high for one in tried if one.episodes)  # type: ignore[operator]
