"""Pictures in every layout that people have: recognised, or one line that names the setting."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.envs.cases.games import Picture, named
from tests.picture_and_numbers import make_recipe
from triptych import envs
from triptych.envs import EnvConfig
from triptych.recipes import is_picture
from triptych.report.look import look, observe
from triptych.utils.checks import InputError

N = None  # a side of the picture


def config_of(shape: list[int | None], settings: dict[str, Any] | None = None, **kwargs: Any) -> Any:
    given = {"size": None, "fill": "first", **(settings or {})}
    return EnvConfig(named(Picture), kwargs=json.dumps({"shape": shape, **kwargs}), **given)


def seen(config: Any) -> tuple[tuple[int, ...], np.ndarray]:
    """The shape of an observation, and the first one."""
    games = envs.make(config, 1)
    return games.observation.shape, games.reset(np.array([0]))[0]


SQUARE = np.zeros((40, 40), np.uint8)
SQUARE[16:24, 28:36] = 255
BYTES = {"low": 0, "high": 255, "dtype": "uint8"}
SHARES = {"low": 0, "high": 1, "dtype": "float32"}


@pytest.mark.parametrize("kwargs", [BYTES, SHARES, {"low": -1, "high": 1, "dtype": "float64"}, {"high": 255, "dtype": "int64"}, {"high": 255, "gives": "float64"}])  # fmt: skip
@pytest.mark.parametrize("shape", [[N, N, 3], [3, N, N], [N, N, 1], [1, N, N]])
def test_one_picture_is_stacked_here_as_bytes(shape: list[int | None], kwargs: dict[str, Any]) -> None:
    found, first = seen(config_of(shape, **kwargs))
    assert found == (4, 40, 40)
    assert first.dtype == np.uint8
    assert np.abs(first.astype(int) - SQUARE).max() <= 1, "made grey, white is 254"


def test_a_grey_picture_without_colours_is_one_too() -> None:
    found, first = seen(config_of([N, N], **BYTES))
    assert found == (4, 40, 40)
    assert np.array_equal(first, [SQUARE] * 4)


@pytest.mark.parametrize("shape", [[N, N, 3], [3, N, N]])
def test_colours_are_kept_where_they_are_wanted(shape: list[int | None]) -> None:
    found, first = seen(config_of(shape, {"colour": True}, **BYTES))
    assert found == (4, 40, 40, 3)
    assert np.array_equal(first[0], np.repeat(SQUARE[..., None], 3, axis=2))


@pytest.mark.parametrize("kwargs", [BYTES, SHARES])
@pytest.mark.parametrize(
    ("shape", "planes"),
    [([4, N, N], 4), ([5, N, N], 5), ([N, N, 5], 5), ([2, N, N, 1], 2), ([3, N, N, 3], 3), ([2, 3, N, N], 2)],
)
def test_a_stack_of_the_environments_own_is_kept_and_not_stacked_again(shape: list[int | None], planes: int, kwargs: dict[str, Any]) -> None:  # fmt: skip
    config = config_of(shape, **kwargs)
    found, first = seen(config)
    assert found == (1, 40, 40, planes)
    assert np.abs(first[0].astype(int) - SQUARE[..., None]).max() <= 1
    games = envs.make(config, 1)
    assert {"stack", "fill"} <= envs.unread(config, games.observation)


def test_a_stack_of_colours_keeps_them() -> None:
    found, first = seen(config_of([2, N, N, 3], {"colour": True}, **BYTES))
    assert found == (1, 40, 40, 6)
    assert np.array_equal(first[0], np.repeat(SQUARE[..., None], 6, axis=2))


def test_the_order_of_a_stack_is_kept() -> None:
    from gymnasium import spaces

    from triptych.envs.layout import layout_of

    rng = np.random.default_rng(0)
    for shape, axes in (((4, 40, 50), "shw"), ((40, 50, 5), "hws"), ((4, 40, 50, 1), "shwc"), ((4, 1, 40, 50), "schw")):
        layout = layout_of(spaces.Box(0, 255, shape, np.uint8), "auto", "it")
        assert layout is not None
        assert layout.axes == axes
        array = rng.integers(256, size=shape, dtype=np.uint8)
        planes = array if axes != "hws" else np.moveaxis(array, -1, 0)
        assert np.array_equal(layout.pictures(array, False), np.moveaxis(planes.reshape(-1, 40, 50), 0, -1))


@pytest.mark.parametrize(
    ("shape", "kwargs", "said"),
    [
        ([N, N, 4], BYTES, r"may be colours with an alpha \(hwc\) or four stacked pictures \(hws\); allowed: --env.layout hwc, chw, shw, hws, vector"),
        ([N, N], SHARES, r"may be a grey picture \(hw\) or a table of numbers \(vector\); allowed: --env.layout hw, vector"),
        ([N, N], {"low": -1, "high": 1, "dtype": "float32"}, r"may be a grey picture \(hw\) or a table of numbers"),
        ([N, N], {"low": 0, "high": 1000, "dtype": "int16"}, r"may be a grey picture \(hw\) or a table of numbers"),
        ([N, N, 40], BYTES, "may be a picture; allowed: --env.layout hwc, chw, shw, hws, vector"),
    ],
)  # fmt: skip
def test_what_may_be_two_things_names_the_setting(shape: list[int | None], kwargs: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        envs.make(config_of(shape, **kwargs), 1)


def test_the_setting_says_which() -> None:
    assert seen(config_of([N, N, 4], {"layout": "hwc"}, **BYTES))[0] == (4, 40, 40)
    assert seen(config_of([N, N, 4], {"layout": "hws"}, **BYTES))[0] == (1, 40, 40, 4)
    assert seen(config_of([3, N, N], {"layout": "shw"}, **BYTES))[0] == (1, 40, 40, 3)
    assert seen(config_of([N, N], {"layout": "hw"}, **SHARES))[0] == (4, 40, 40)
    assert seen(config_of([N, N], {"layout": "vector"}, **SHARES))[0] == (1600,)
    with pytest.raises(InputError, match=r"env\.layout is 'hwc'; allowed: one that fits the shape"):
        envs.make(config_of([N, N], {"layout": "hwc"}, **BYTES), 1)


@pytest.mark.parametrize(
    ("kwargs", "said"),
    [
        ({**BYTES, "scale": 1, "gives": "float32"}, "0 to 1 in float32 where its space says uint8: a black picture"),
        ({**BYTES, "scale": 1}, "hold nothing above 1, though their space says up to 255"),
        ({**SHARES, "scale": 255}, "is 255, and its space says 0 to 1"),
    ],
)
def test_a_picture_that_lies_about_its_numbers_is_never_trained_on(kwargs: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        envs.first_looks(config_of([N, N, 3], **kwargs))


def test_a_black_picture_is_told() -> None:
    assert envs.first_looks(config_of([N, N, 3], **BYTES, scale=0)) == [
        f"the pictures of {named(Picture)} were black from the start to the last step that was tried"
    ]
    assert envs.first_looks(config_of([N, N, 3], **BYTES)) == []


def test_small_grids_are_no_pictures() -> None:
    games = envs.make(EnvConfig(named(Picture), kwargs=json.dumps({"shape": [7, 7, 3], **BYTES})), 1)
    assert games.observation.shape == (147,)


def test_the_settings_that_fit_are_those_of_pictures() -> None:
    assert is_picture(named(Picture), kwargs=json.dumps({"shape": [3, N, N]}))
    assert is_picture(named(Picture), kwargs=json.dumps({"shape": [N, N, 4]})), "which layout it has can still be said"
    assert not is_picture(named(Picture), kwargs=json.dumps({"shape": [3, N, N]}), layout="vector")


@pytest.mark.parametrize(("shape", "colour", "pictures"), [([5, N, N], False, 5), ([2, N, N, 3], True, 2), ([2, N, N, 3], False, 2), ([N, N, 3], True, 4)])  # fmt: skip
def test_look_draws_each_picture_of_a_stack(shape: list[int | None], colour: bool, pictures: int, tmp_path: Path) -> None:  # fmt: skip
    recipe = dataclasses.replace(make_recipe("dqn"), env=config_of(shape, {"colour": colour}, **BYTES))
    ((row,), _) = observe(recipe, 1, 0)
    assert [picture.shape for picture in row[1:]] == [(40, 40, 3)] * pictures
    assert look(recipe, tmp_path / "look.png", 1).is_file()


def test_a_dark_moment_is_no_lie_once_a_picture_was_bright() -> None:
    from gymnasium import spaces

    from triptych.envs.members import WrongError, taken

    space, bright = spaces.Box(0, 255, (40, 40), np.uint8), set[str]()
    with pytest.raises(WrongError, match=r"0 to 0\.5 in float64 where its space says uint8: a black picture"):
        taken(space, np.full((40, 40), 0.5), bright)
    assert taken(space, np.full((40, 40), 200.7), bright).max() == 200, "cut to bytes"
    assert taken(space, np.full((40, 40), 0.5), bright).max() == 0
    grid = spaces.Box(0, 10, (7, 7), np.uint8)
    assert taken(grid, np.ones((7, 7)), bright).sum() == 49, "symbols are no picture"
