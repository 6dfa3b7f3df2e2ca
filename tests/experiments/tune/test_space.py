"""Which settings may be searched, over which values, and what is told of those that may not."""

from __future__ import annotations

import re
from typing import Any

import pytest

from triptych.experiments.tune.over import parse_space
from triptych.experiments.tune.space import Setting, changed, default_over
from triptych.recipes import BUILT_IN, load_recipe
from triptych.utils.checks import InputError

RECIPE = load_recipe("drqn-cartpole")


def one(text: str) -> Setting:
    [setting] = parse_space([text], RECIPE)
    return setting


@pytest.mark.parametrize(
    ("text", "path", "low", "high", "log", "whole"),
    [
        ("optimiser.learning_rate=1e-5..1e-2:log", "optimiser.learning_rate", 1e-5, 1e-2, True, False),
        ("learning-rate=1e-5..1e-2", "optimiser.learning_rate", 1e-5, 1e-2, False, False),
        ("algorithm.gamma=0.95..0.999", "algorithm.gamma", 0.95, 0.999, False, False),
        ("algorithm.sequence_length=11..50", "algorithm.sequence_length", 11, 50, False, True),
        ("network.0.units=8..64:log", "network.dense_1.units", 8, 64, True, True),
        ("network.dense-2.units=8..1k", "network.dense_2.units", 8, 1000, False, True),
        ("num_envs=1..8", "num_envs", 1, 8, False, True),
    ],
)
def test_a_range_has_its_ends_and_its_scale(
    text: str, path: str, low: float, high: float, log: bool, whole: bool
) -> None:
    assert one(text) == Setting(path, text, (), low, high, log, whole)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("network.dense_1.units=32,64,128", (32, 64, 128)),
        ("algorithm.target_every=100 steps,5 updates", ((100, "steps"), (5, "updates"))),
        ("optimiser.max_norm=none,1,10", (None, 1.0, 10.0)),
        ("algorithm.double=true,false", (True, False)),
        ("algorithm.loss=Huber,squared", ("huber", "squared")),
        ("optimiser.kind=adam,rmsprop", ("adam", "rmsprop")),
        ("memory=gru,lstm,none", ("gru", "lstm", "none")),
    ],
)
def test_values_are_of_the_field_s_type(text: str, values: tuple[Any, ...]) -> None:
    assert one(text).values == values


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("algorithm.gama=0.1..0.2", "over is 'algorithm.gama=0.1..0.2'; allowed: fields of algorithm, .*; did you mean algorithm.gamma\\?"),
        ("gamma=0.9..1", "did you mean algorithm.gamma\\?"),
        ("network.lstm_1.unit=3,4", "did you mean network.lstm_1.units\\?"),
        ("network.dense_3.units=1,2", "did you mean network.dense_2.units\\?"),
        ("env.observe=all,positions", "what leaves the game as it is"),
        ("steps=10..20", "the same budget; give --steps a value"),
        ("seed=1,2", "--seeds-per-trial"),
        ("evaluate_every=1,2", "fields that change what is learned"),
        ("algorithm.gamma=0.9..1.5", "gamma is 1.5; allowed: 0 to 1"),
        ("algorithm.gamma=0.9", "two values or more"),
        ("algorithm.gamma=0.99..0.9", "LOW below HIGH"),
        ("algorithm.batch_size=0.5..7", "allowed: a whole number"),
        ("algorithm.loss=huber,squarred", "did you mean squared\\?"),
        ("algorithm.loss=huber..squared", "values of algorithm.loss with commas"),
        ("learning_rate=0..1:log", "a LOW above 0"),
        ("learning_rate=1e-4..1:lg", "did you mean log\\?"),
        ("optimiser.kind=adam,sgd", "two or more of adam, rmsprop"),
        ("foo", "FIELD=LOW..HIGH"),
    ],
)  # fmt: skip
def test_what_may_not_be_searched_is_told_in_a_line(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as raised:
        one(text)
    assert str(raised.value).startswith(f"over is {text!r}")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("over", "said"),
    [
        (["optimiser.kind=adam,rmsprop", "optimiser.beta_1=0.8..0.9"], "which rmsprop has not"),
        (["memory=gru,lstm", "network.lstm_1.units=8,16"], "no field of the layer that it replaces"),
        (["algorithm.gamma=0.9..1", "algorithm.gamma=0.8..1"], "each field once"),
    ],
)
def test_settings_that_cannot_be_searched_together_are_refused(over: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_space(over, RECIPE)


def test_an_end_that_only_fits_with_another_setting_is_allowed() -> None:
    """Sequences of 5 steps are too short for the recipe's burn-in of 10, and not for one of 2."""
    with pytest.raises(InputError, match="burn_in"):
        one("algorithm.sequence_length=5..40")
    assert len(parse_space(["algorithm.sequence_length=5..40", "algorithm.burn_in=2..4"], RECIPE)) == 2


def test_a_trial_s_values_stand_in_the_recipe() -> None:
    over = ["optimiser.kind=adam,rmsprop", "network.dense_1.units=8..64", "algorithm.target_every=100 steps,5 updates"]
    space = parse_space(over, RECIPE)
    found = changed(
        RECIPE, space, {"optimiser.kind": "rmsprop", "network.dense_1.units": 9, "algorithm.target_every": "5 updates"}
    )
    assert found.optimiser.kind == "rmsprop"
    assert found.optimiser.learning_rate == RECIPE.optimiser.learning_rate
    assert found.network[0].units == 9  # type: ignore[union-attr]
    assert found.algorithm.target_every == (5, "updates")  # type: ignore[attr-defined]


def test_a_grid_has_evenly_spaced_values_on_its_scale() -> None:
    assert one("learning_rate=1e-4..1e-2:log").grid(3) == pytest.approx((1e-4, 1e-3, 1e-2))
    assert one("algorithm.sequence_length=11..12").grid(5) == (11, 12)
    assert one("network.dense_1.units=32,64").grid(9) == (32, 64)


def test_drawn_numbers_have_few_digits_and_stay_inside() -> None:
    assert one("algorithm.gamma=0.95..0.999").tidy(0.98012345) == 0.9801
    assert one("algorithm.gamma=0.95004..0.999").tidy(0.950041) == 0.95004
    assert one("network.dense_1.units=1..70000").tidy(12345) == 12345


@pytest.mark.parametrize("name", BUILT_IN)
def test_each_recipe_has_ranges_of_its_own_around_its_values(name: str) -> None:
    recipe = load_recipe(name)
    space = parse_space(default_over(recipe), recipe)
    assert len(space) >= 5
    own = {setting.path: setting.own(recipe) for setting in space}
    assert re.fullmatch("optimiser.learning_rate", next(iter(own)))
    assert changed(recipe, space, own) == recipe
