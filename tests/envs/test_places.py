"""Where an agent is: a part of the observation or an entry of info, as x and y from 0 to 1."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from tests.placed import ID, SIDE
from triptych import envs
from triptych.envs import EnvConfig
from triptych.envs.members import WrongError
from triptych.envs.places import Place
from triptych.recipes import load_recipe
from triptych.recipes.override import override
from triptych.spec import Observation, Part
from triptych.utils.checks import EnvironmentFailed, InputError

BOUNDS = (0.0, SIDE - 1.0, 0.0, SIDE - 1.0)


def games_of(told: str, kwargs: str = "", **settings: Any) -> Any:
    return envs.make(EnvConfig(ID, size=None, stack=1, kwargs=f'{{"told": "{told}"{kwargs}}}', **settings), 2)


@pytest.mark.parametrize(
    ("told", "settings", "other"),
    [
        ("part", {"position": "position"}, "image"),
        ("gps", {"position": "gps"}, "image"),
        ("numbers", {"position": "position"}, "features"),
        ("info", {"position": "info.place", "position_bounds": BOUNDS}, "observation"),
    ],
)
def test_the_position_is_a_part_from_0_to_1(told: str, settings: dict[str, Any], other: str) -> None:
    games = games_of(told, **settings)
    assert list(games.observation.parts) == [other, "position"]
    assert games.observation.parts["position"] == Part((2,), "float32", is_place=True)
    obs = games.reset(np.array([3, 4]))
    for _ in range(15):
        places = np.array([env.unwrapped.at for env in games.envs])
        np.testing.assert_array_equal(obs["position"], (places / (SIDE - 1)).astype(np.float32))
        games.send(np.array([1, 3]))
        obs = games.recv().obs
    games.close()


def test_without_the_setting_a_part_is_what_it_was() -> None:
    games = games_of("part")
    assert games.observation.parts["position"] == Part((2,), "float32")
    assert set(np.unique(games.reset(np.array([3, 4]))["position"])) <= set(range(SIDE))
    games.close()


@pytest.mark.parametrize(
    ("told", "settings", "said"),
    [
        ("part", {"position": "gps"}, "env.position is 'gps'; allowed: image, position, or info.NAME"),
        ("nowhere", {"position": "place"}, "env.position is 'place'; allowed: info.NAME"),
        ("part", {"position": "image"}, r"env.position is 'image', which is Box\(0, 255, \(40, 40\), uint8\); allowed: x and y"),
        ("part", {"position": "info.place"}, "env.position is 'info.place'; allowed: position, as its observation has such a part"),
        ("info", {"position": "info.place"}, r"the bounds of info.place in .* is \(-inf, inf, -inf, inf\); allowed: x from, x to, y from, y to, set by --env.position-bounds"),
        ("part", {"position_bounds": BOUNDS}, r"position_bounds is .*; allowed: \(\) without a position"),
        ("part", {"position": "position", "position_bounds": (0.0, 4.0)}, "allowed: four numbers: x from, x to, y from, y to"),
    ],
)  # fmt: skip
def test_a_position_that_cannot_be_read_is_refused(told: str, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        games_of(told, **settings)


def test_a_position_outside_its_bounds_fails_and_says_where() -> None:
    games = games_of("part", ', "strays": 7', position="position")
    games.reset(np.array([0, 1]))
    said = r"failed in game 0 at step 7 of its episode: its position is \(.*\); allowed: 0 to 4 and 0 to 4, its bounds"
    for _ in range(6):
        games.send(np.zeros(2, int))
        games.recv()
    games.send(np.zeros(2, int))
    with pytest.raises(EnvironmentFailed, match=said):
        games.recv()
    games.close()


def test_flicker_hides_everything_but_the_position() -> None:
    games, plain = games_of("part", position="position", flicker=1.0), games_of("part", position="position")
    obs, told = games.reset(np.array([3, 4])), plain.reset(np.array([3, 4]))
    for _ in range(8):
        assert not obs["image"].any()
        assert told["position"].any()
        np.testing.assert_array_equal(obs["position"], told["position"])
        for each in (games, plain):
            each.send(np.array([1, 3]))
        obs, told = games.recv().obs, plain.recv().obs


@pytest.mark.parametrize(
    ("dtype", "wanted", "name"),
    [(np.float32, "place", "place"), (np.float16, "place", "place"), (np.float64, "info.place", "position")],
)
def test_what_rounding_makes_of_a_bound_is_within_it(dtype: Any, wanted: str, name: str) -> None:
    """float32 has no 0.3 and no 0.7: it is a little above the one and below the other."""
    config: Any = EnvConfig(ID, position=wanted, position_bounds=(0.7, 0.9, 0.1, 0.3))
    space = spaces.Dict({name: spaces.Box(-np.inf, np.inf, (2,), dtype), "other": spaces.Discrete(2)})
    place = Place({name: space[name], "other": space["other"]}, config)
    narrow = np.float32 if dtype is np.float64 else dtype
    corner = np.array([0.7, 0.3], narrow).astype(dtype)
    assert float(corner[0]) != 0.7
    place.check(space, {name: corner, "other": 0})
    assert ((place(corner) >= 0) & (place(corner) <= 1)).all()
    np.testing.assert_allclose(place(corner), [0, 1], atol=2e-3)
    for beyond in ([0.69, 0.2], [0.8, 0.302]):
        with pytest.raises(WrongError, match="its position is"):
            place.check(space, {name: np.array(beyond, dtype), "other": 0})


@pytest.mark.parametrize(
    ("told", "kwargs", "settings", "said"),
    [
        ("part", ', "strays": 1', {"position": "position"}, "its position is .*; allowed: 0 to 4 and 0 to 4, its bounds"),
        ("nowhere", "", {"position": "info.place", "position_bounds": BOUNDS}, r"info\['place'\] is None; allowed: x and y, two numbers"),
    ],
)  # fmt: skip
def test_what_a_first_look_finds_is_bad_input(told: str, kwargs: str, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        envs.first_looks(EnvConfig(ID, size=None, stack=1, kwargs=f'{{"told": "{told}"{kwargs}}}', **settings))


@pytest.mark.parametrize(
    ("config", "flags"),
    [
        (EnvConfig("CartPole-v1"), ""),
        (EnvConfig("triptych/Catch-v0"), ""),
        (EnvConfig("BreakoutNoFrameskip-v4"), ""),
        (EnvConfig("MountainCar-v0"), "--env.position NAME"),
        (EnvConfig("VizdoomMyWayHome-v1"), "--env.parts position"),
        (EnvConfig("VizdoomMyWayHome-v1", parts=("heading",)), "--env.parts heading position"),
        (EnvConfig("triptych/Maze-v0", drop=("position",)), "--env.drop without position"),
        (EnvConfig("triptych/Maze-v0", render=True), "--env.no-render"),
    ],
)
def test_a_map_without_a_position_is_told_the_flags_of_that_kind_of_game(config: Any, flags: str) -> None:
    recipe = override(load_recipe("cartpole-ppo"), {"memory": "neural_map"})
    unplaced = Observation.of({"image": Part((4,), "float32"), "heading": Part((2,), "float32")})
    said = "allowed: an environment that says where the agent is" + (f" ({flags})" if flags else "")
    with pytest.raises(InputError) as raised:
        dataclasses.replace(recipe, env=config).make_network(unplaced, 3)
    assert str(raised.value).endswith(said)
