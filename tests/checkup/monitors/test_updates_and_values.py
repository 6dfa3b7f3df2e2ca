"""Updates as often as the settings say, at the scheduled rate; values that rewards can bring; gradients as before."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.checkup.streams import QUICK, Made, transitions
from triptych.algorithms import ppo
from triptych.checkup.monitors.finite import Finite
from triptych.checkup.monitors.schedules import Rate
from triptych.checkup.monitors.updates import Updates
from triptych.checkup.monitors.values import Gradients, Heads
from triptych.recipes import BUILT_IN, load_recipe
from triptych.utils.failures import NotFiniteError


def paced(each: float, recipe: str = "cartpole", **changes: Any) -> list[str]:
    """Signals of a run with so many updates a step."""
    run = Made(recipe, **changes)
    monitor, found = run.begun(Updates()), list[str]()
    for step in range(1, 8_000 // run.size):
        run.step(monitor)
        run.counters.updates = int(run.counters.steps * each)
        if step % (200 // run.size) == 0:
            found += run.found(monitor)
    return list(dict.fromkeys(found))


@pytest.mark.parametrize(("each", "found"), [(1 / 4, []), (1 / 5, ["updates-pace"]), (1 / 3, ["updates-pace"])])
def test_updates_are_as_frequent_as_update_every_says(each: float, found: list[str]) -> None:
    assert paced(each, **QUICK | {"algorithm.update_every": 4}) == found


def test_where_an_episodes_first_steps_earn_nothing_fewer_updates_are_healthy() -> None:
    settings = QUICK | {"algorithm.update_every": 4, "algorithm.skip_first": 17}
    assert paced(0.05, **settings) == []
    assert paced(0.6, **settings) == ["updates-pace"]


@pytest.mark.parametrize(("times", "found"), [(1.0, []), (0.98, []), (0.8, ["updates-pace"]), (1.25, ["updates-pace"])])
def test_rollouts_are_learned_from_as_often_as_they_are_full(times: float, found: list[str]) -> None:
    recipe = load_recipe("cartpole-ppo")
    config: Any = recipe.algorithm
    each = config.epochs * config.minibatches / (config.rollout_steps * recipe.num_envs)
    assert paced(times * each, "cartpole-ppo") == found


def test_no_update_is_told_once_the_first_one_is_late_and_where_the_run_is_over() -> None:
    run = Made(**QUICK | {"warm_up": 1_000})
    monitor = run.begun(Updates())
    run.counters.steps = 1_900
    assert run.found(monitor) == []
    run.counters.steps = 2_100
    assert run.found(monitor) == ["no-updates"]
    run.counters.steps = 1_100
    assert run.found(monitor) == []
    run.stopped_by = "steps"
    assert run.found(monitor) == ["no-updates"]


@pytest.mark.parametrize(("step", "found"), [(1_000, []), (500, ["updates-pace"])])
def test_the_first_update_comes_after_the_warm_up(step: int, found: list[str]) -> None:
    run = Made(**QUICK | {"warm_up": 1_000})
    monitor = run.begun(Updates())
    run.counters.steps = step
    monitor.learned(0, None, 1e-3, {})
    run.counters.updates = 1
    assert run.found(monitor) == found


@pytest.mark.parametrize(("more", "found"), [(0, []), (5, ["updates-uncounted"])])
def test_updates_that_the_run_does_not_count_are_told(more: int, found: list[str]) -> None:
    run = Made(**QUICK)
    monitor = run.begun(Updates())
    run.counters.updates = 20
    for _ in range(20 + more):
        monitor.learned(0, None, 1e-3, {})
    assert run.found(monitor) == found


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_the_scheduled_rate_of_every_recipe_is_no_alarm_and_another_is(name: str) -> None:
    run = Made(name)
    monitor = run.begun(Rate())
    for at in (0, run.recipe.steps // 2, run.recipe.steps - 1):
        run.counters.steps = at
        monitor.learned(0, None, run.recipe.learning_rate(at), {})
        monitor.learned(0, None, float("nan"), {})
    assert run.found(monitor) == []
    for _ in range(3):
        monitor.learned(0, None, 3 * run.recipe.learning_rate(0), {})
    assert run.found(monitor) == ["learning-rate"]


def test_coefficients_that_batches_bring_follow_their_schedule() -> None:
    run = Made("cartpole-ppo")
    monitor, config = run.begun(Rate()), run.recipe.algorithm
    assert isinstance(config, ppo.Config)
    for at in (0, run.recipe.steps // 2, run.recipe.steps - 1):
        run.counters.steps = at
        scalars = config.coefficients(at, run.recipe.steps)
        for _ in range(3):
            monitor.learned(0, SimpleNamespace(**scalars), run.recipe.learning_rate(at), {})
    assert run.found(monitor) == []
    for _ in range(3):
        monitor.learned(0, SimpleNamespace(**scalars | {"clip": 0.2}), run.recipe.learning_rate(at), {})
    assert run.found(monitor) == ["coefficient-schedule"]


def answered(*rounds: np.ndarray, reward: float = 1.0, recipe: str = "cartpole") -> list[str]:
    """Signals of a network that answers so while it acts, round by round, and learns from such rewards."""
    run = Made(recipe, **QUICK if recipe == "cartpole" else {})
    monitor, found = run.begun(Heads()), list[str]()
    for values in rounds:
        monitor.acted(0, (None,), (values, None))
        monitor.fed(0, transitions(np.random.default_rng(0), reward=reward))
        found += run.found(monitor)
    return list(dict.fromkeys(found))


NORMAL = np.random.default_rng(0).standard_normal((300, 2))


def test_values_of_a_linear_head_raise_no_alarm() -> None:
    assert answered(NORMAL) == []
    assert answered(50 + 10 * NORMAL) == [], "all above 0"
    assert answered(0.9 * np.tanh(NORMAL)) == [], "small ones"
    assert answered(150 + NORMAL) == [], "somewhat over what rewards of 1 can bring: an estimation error"


def test_a_relu_a_softmax_and_a_tanh_behind_the_values_are_told() -> None:
    assert answered(np.maximum(NORMAL, 0)) == ["values-never-negative"]
    exponents = np.exp(NORMAL)
    assert answered(exponents / exponents.sum(axis=1, keepdims=True)) == ["values-sum-to-one"]
    assert answered(np.tanh(4 * NORMAL)) == ["values-squashed"]


def test_values_beyond_what_rewards_can_bring_are_told_in_the_second_round() -> None:
    assert answered(NORMAL, 250 + NORMAL, 250 + NORMAL) == ["values-over-bound"]
    assert answered(NORMAL, 250 + NORMAL, 250 + NORMAL, reward=10.0) == []
    assert answered(NORMAL, 250 + NORMAL) == []
    assert answered(NORMAL, 250 + NORMAL, NORMAL, 250 + NORMAL) == []


def test_a_network_may_begin_with_values_beyond_what_small_rewards_bring() -> None:
    assert answered(NORMAL, 1.2 * NORMAL, NORMAL, reward=0.001) == []


def test_a_policys_logits_may_be_anything() -> None:
    assert answered(np.maximum(NORMAL, 0), recipe="cartpole-ppo") == []


def rows(*norms: float | None) -> list[str]:
    run, monitor, found = Made(**QUICK), Gradients(), list[str]()
    for norm in norms:
        run.counters.steps += 1_000
        monitor.row(run, "metrics", {"gradient_norm": norm})  # type: ignore[arg-type]
        monitor.row(run, "episodes", {"loss": 1.0})  # type: ignore[arg-type]
        found += run.found(monitor)
    return list(dict.fromkeys(found))


def test_a_gradient_that_grows_by_orders_of_magnitude_and_stays_there_is_told() -> None:
    usual = [1.0, 2.0, 0.5, 1.0, None, 3.0]
    assert rows(*usual, 20.0, 50.0, 100.0) == []
    assert rows(*usual, 900.0, 1.0, 900.0, 1.0, 900.0) == []
    assert rows(*usual, 900.0, 5_000.0, 9_000.0) == ["gradient-explodes"]


def test_a_gradient_of_0_is_told_where_it_lasts() -> None:
    assert rows(1.0, 0.0, 0.0, 1.0) == []
    assert rows(1.0, 0.0, 0.0, 0.0) == ["gradient-zero"]


def test_a_number_that_is_not_finite_is_named() -> None:
    run = Made(**QUICK)
    assert run.found(Finite()) == []
    run.failure = NotFiniteError("loss is nan at step 7")
    (finding,) = Finite().judge(run)  # type: ignore[arg-type]
    assert (finding.signal.name, finding.measured) == ("not-finite", "loss is nan at step 7")
