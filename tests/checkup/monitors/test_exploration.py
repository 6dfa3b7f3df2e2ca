"""Random actions against the schedule, greedy ones against the largest value, in training and in tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.checkup.streams import QUICK, Made
from triptych.algorithms import dqn
from triptych.checkup.monitors.exploration import Evaluations, Exploration
from triptych.checkup.monitors.schedules import Epsilon
from triptych.utils.patching import Patch, patched

Choose = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


def greedily(values: np.ndarray, epsilon: float, rng: np.random.Generator) -> np.ndarray:
    chance = rng.random(len(values)) < epsilon
    return np.where(chance, rng.integers(values.shape[1], size=len(values)), values.argmax(axis=1))


def played(choose: Choose, asks: bool = True, steps: int = 1_200, **changes: Any) -> list[str]:
    """Signals of a run whose actions are chosen so; without `asks`, the network is asked only where an action is its own."""
    run, rng = Made(**QUICK | changes), np.random.default_rng(0)
    monitor, found = run.begun(Exploration()), list[str]()
    for step in range(steps):
        values = rng.standard_normal((run.size, 2))
        epsilon = run.recipe.algorithm.epsilon(run.counters.steps)  # type: ignore[attr-defined]
        actions = choose(values, epsilon, rng)
        if asks or (actions == values.argmax(axis=1)).all():
            monitor.acted(0, (None,), (values, None))
        monitor.sent(0, actions)
        run.step(monitor)
        if step % 60 == 0:
            found += run.found(monitor)
    return list(dict.fromkeys(found))


@pytest.mark.parametrize("steps", [300, 1_500])
def test_actions_that_are_as_random_as_epsilon_raise_no_alarm(steps: int) -> None:
    assert played(greedily, steps=steps) == []


def test_one_game_whose_network_is_asked_only_for_its_own_actions_raises_none() -> None:
    rng = np.random.default_rng(1)

    def choose(values: np.ndarray, epsilon: float, _: Any) -> np.ndarray:
        return (
            values.argmax(axis=1)
            if rng.random() >= epsilon
            else np.array([1 - values.argmax(axis=1)[0]])
            if rng.random() < 0.5
            else values.argmax(axis=1)
        )

    assert played(choose, num_envs=1, steps=4_000) == []


@pytest.mark.parametrize("epsilon", [0.0, 0.5])
def test_another_epsilon_than_the_schedules_is_told(epsilon: float) -> None:
    assert "random-share" in played(lambda values, _, rng: greedily(values, epsilon, rng), steps=2_500)


def test_epsilon_that_begins_anew_late_in_a_run_is_told() -> None:
    rng, calls = np.random.default_rng(2), iter(range(10_000))
    assert played(
        lambda values, epsilon, _: greedily(values, 1.0 if next(calls) > 2_700 else epsilon, rng), steps=3_000
    ) == ["random-share"]


def test_the_smallest_value_is_not_the_largest() -> None:
    assert "largest-avoided" in played(lambda values, epsilon, rng: greedily(-values, epsilon, rng), steps=2_500)


def test_actions_of_the_neighbouring_game_are_told() -> None:
    assert "random-share" in played(
        lambda values, epsilon, rng: np.roll(greedily(values, epsilon, rng), 1), steps=2_500
    )


def test_games_that_only_restart_do_not_count() -> None:
    run, monitor = Made(**QUICK), Exploration()
    run.begun(monitor)
    run.player.ended[:] = True
    monitor.sent(0, np.zeros(4, np.int64))
    assert monitor.now.count == 0


@pytest.mark.parametrize(("wrong", "found"), [(False, []), (True, ["evaluation-explores"])])
def test_test_games_take_the_largest_value(wrong: bool, found: list[str]) -> None:
    run, rng = Made(**QUICK), np.random.default_rng(0)
    monitor = run.begun(Evaluations())
    values = rng.standard_normal((50, 2))
    actions = values.argmax(axis=1)
    actions[0] = 1 - actions[0] if wrong else actions[0]
    monitor.tested(values, actions)
    assert run.found(monitor) == found


def test_one_draw_for_all_games_is_told() -> None:
    def together(values: np.ndarray, epsilon: float, rng: np.random.Generator) -> np.ndarray:
        return greedily(values, float(rng.random() < epsilon), rng)

    assert "games-explore-together" in played(together)


def test_an_action_that_chance_never_takes_is_told() -> None:
    def first(values: np.ndarray, epsilon: float, rng: np.random.Generator) -> np.ndarray:
        chance = rng.random(len(values)) < epsilon
        return np.where(chance, 0, values.argmax(axis=1))

    assert "chance-uneven" in played(first, warm_up=1_000)
    assert "chance-uneven" not in played(greedily, warm_up=1_000)


def scheduled(of: Callable[[Any, int], float], logged: Callable[[Any, int], float | None], **changes: Any) -> list[str]:
    """Signals of a run whose schedule of epsilon says `of(config, step)`, and whose rows show `logged(config, step)`."""
    run = Made(**QUICK | {"warm_up": 1_000} | changes)
    config: Any = run.recipe.algorithm
    monitor = Epsilon()
    with patched([Patch(type(config), "epsilon", lambda self, step: of(config, step))]):
        monitor.begin(run)  # type: ignore[arg-type]
        for step in range(0, run.recipe.steps, 2_500):
            run.counters.steps = step
            monitor.row(run, "metrics", {"epsilon": logged(config, step)})  # type: ignore[arg-type]
    return run.found(monitor)


@pytest.mark.parametrize("shape", ["linear", "exponential"])
def test_epsilon_as_the_settings_say_is_no_alarm_and_any_other_is(shape: str) -> None:
    settings = {"algorithm.epsilon_shape": shape, "algorithm.epsilon_steps": 9_000, "algorithm.epsilon_from": 500}
    right = dqn.Config.epsilon
    assert scheduled(right, right, **settings) == []
    assert scheduled(right, lambda config, step: None, **settings) == []
    for other in (
        lambda config, step: right(config, step // 3),
        lambda config, step: right(config, 4 * step),
        lambda config, step: max(0.45, right(config, step)),
    ):
        assert scheduled(other, right, **settings) == ["epsilon-schedule"]
        assert scheduled(right, other, **settings) == ["epsilon-schedule"]
