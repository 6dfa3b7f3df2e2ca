"""Bars of an agent's decision: as long as its numbers say, the action that it took in its own colour."""

from __future__ import annotations

import numpy as np
import pytest

from triptych import envs
from triptych.envs import EnvConfig
from triptych.envs.actions import action_names, readable
from triptych.envs.bars import HEAD, OTHER, STRIP, TRACK, Decision, draw_bars, number, shares, spread, tinted

ORANGE = "#d9560b"


def bar_lengths(picture: np.ndarray, rows: int, fill: tuple[int, ...]) -> list[int]:
    """Pixels of a colour in the lowest line of each row, where no letters stand."""
    tall = min(34, (picture.shape[0] - HEAD) // rows)
    lines = [picture[HEAD + row * tall + tall - 5] for row in range(rows)]
    return [int((line == np.array(fill)).all(1).sum()) for line in lines]


def test_a_q_value_is_as_long_as_it_stands_above_the_lowest() -> None:
    decision = Decision([4.0, 4.5, 3.0, 5.0], 3, False)
    assert shares(decision, 4.0).tolist() == [0.25, 0.375, 0, 0.5]
    picture = draw_bars(decision, ["a", "b", "c", "d"], 4.0, (200 + STRIP, 160), ORANGE)
    assert picture.shape == (160, 204, 3)
    assert bar_lengths(picture, 4, OTHER) == [50, 75, 0, 0]
    assert bar_lengths(picture, 4, tinted(ORANGE)) == [0, 0, 0, 100], "the action taken, in the agent's colour"
    assert bar_lengths(picture, 4, TRACK)[2] == 204, "the lowest has none"


def test_a_probability_is_as_long_as_it_is_likely() -> None:
    decision = Decision([0.2, 0.7, 0.1], 0, True, 1.5)
    assert shares(decision, 123.0).tolist() == [0.2, 0.7, 0.1]
    picture = draw_bars(decision, ["a", "b", "c"], 0.0, (100 + STRIP, 120), ORANGE)
    assert bar_lengths(picture, 3, OTHER) == [0, 70, 10], "the drawn action need not be the likeliest"
    assert bar_lengths(picture, 3, tinted(ORANGE)) == [20, 0, 0]


def test_many_actions_stand_in_columns_where_there_is_room() -> None:
    names = [f"action {place}" for place in range(18)]
    values = [float(place) for place in range(18)]
    wide = draw_bars(Decision(values, 17, False), names, 17.0, (480, 180), ORANGE)
    coloured = (wide == np.array(tinted(ORANGE))).all(2).nonzero()
    assert coloured[1].min() > 300, "the last one is in the third column"


@pytest.mark.parametrize("values", [[float("nan"), 1.0], [float("inf"), 1.0], [2.0, 2.0]])
def test_numbers_without_a_spread_can_be_drawn(values: list[float]) -> None:
    decision = Decision(values, 0, False)
    assert spread(decision) == 0
    assert draw_bars(decision, ["a", "b"], spread(decision), (200, 100), ORANGE).shape == (100, 200, 3)


def test_numbers_have_the_decimals_that_tell_them_apart() -> None:
    assert [number(3.14159, apart) for apart in (0.1, 1.0, 20.0, 500.0)] == ["3.142", "3.14", "3.1", "3"]
    assert number(12345.6, 5000.0) == "12,346"


@pytest.mark.parametrize(
    ("game", "names"),
    [
        ("CartPole-v1", ("left", "right")),
        ("SpaceInvadersNoFrameskip-v4", ("no-op", "fire", "right", "left", "right fire", "left fire")),
        ("ALE/Breakout-v5", ("no-op", "fire", "right", "left")),
        ("MountainCar-v0", ("left", "none", "right")),
    ],
)
def test_actions_have_names(game: str, names: tuple[str, ...]) -> None:
    games = envs.make(EnvConfig(game), 1)
    assert action_names(games) == names
    games.close()


def test_names_that_do_not_fit_are_numbers() -> None:
    class Games:
        num_actions, first_action, action_names = 3, 1, ("left", "right")

    assert action_names(Games()) == ("action 1", "action 2", "action 3")


def test_names_are_made_readable() -> None:
    assert [readable(name) for name in ("UPRIGHTFIRE", "TURN_LEFT", "NOOP", "pickup")] == [
        "up right fire",
        "turn left",
        "no-op",
        "pickup",
    ]
