"""Observations that change, games that differ, rewards that depend on what is done, episodes that end."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.checkup.streams import QUICK, Made, answered, transitions
from triptych.checkup.monitors.games import Ends, Observations, Rewards
from triptych.training.counting import Episode


def seen(show: Any, steps: int = 250, ends: int = 10) -> list[str]:
    """Signals of games that show what `show(step, rng)` gives, [4, 3]; an episode ends every so many steps."""
    run, rng = Made(**QUICK), np.random.default_rng(0)
    run.player.obs = show(0, rng)
    monitor = run.begun(Observations())
    for step in range(steps):
        monitor.received(0, answered(show(step, rng), ended=step % ends == 0))
    return run.found(monitor)


def test_games_that_go_their_own_ways_raise_no_alarm() -> None:
    assert seen(lambda step, rng: rng.standard_normal((4, 3))) == []
    few = lambda step, rng: rng.integers(0, 3, (4, 1)) + np.zeros(3)  # noqa: E731
    assert seen(few) == [], "a game of few observations"


def test_an_observation_that_never_changes_is_told() -> None:
    assert seen(lambda step, rng: np.zeros((4, 3))) == ["observation-constant"]
    assert seen(lambda step, rng: np.arange(12.0).reshape(4, 3)) == ["observation-constant"]
    assert seen(lambda step, rng: np.zeros((4, 3)), steps=50) == [], "too early to say"


def test_games_that_are_one_are_told() -> None:
    def all_alike(step: int, rng: np.random.Generator) -> np.ndarray:
        return np.repeat(rng.standard_normal((1, 3)), 4, axis=0)

    def two_alike(step: int, rng: np.random.Generator) -> np.ndarray:
        return rng.standard_normal((4, 3))[[0, 1, 2, 2]]

    assert "games-identical" in seen(all_alike)
    assert seen(two_alike) == ["games-identical"]
    assert seen(two_alike, ends=10_000) == [], "games that may only look alike for a while"


def test_games_that_begin_alike_and_part_are_told() -> None:
    def begin_alike(step: int, rng: np.random.Generator) -> np.ndarray:
        return np.ones((4, 3)) if step == 0 else rng.standard_normal((4, 3))

    assert seen(begin_alike, ends=4) == ["games-share-a-seed"]


def test_games_of_one_seed_whose_every_episode_begins_alike_are_told() -> None:
    def episodes_alike(step: int, rng: np.random.Generator) -> np.ndarray:
        start = np.random.default_rng(step).standard_normal((1, 3))
        return np.repeat(start, 4, axis=0) if step == 0 or step % 4 == 1 else rng.standard_normal((4, 3))

    assert seen(episodes_alike, ends=4) == ["games-share-a-seed"]
    always = lambda step, rng: np.ones((4, 3)) if step % 4 < 2 else rng.standard_normal((4, 3))  # noqa: E731
    assert seen(always, ends=4) == [], "a game that always begins so"


def paid(
    reward: Any, learned: float | None = None, length: Any = lambda number: 10 + number % 7, **changes: Any
) -> list[str]:
    """Signals of 40 episodes whose steps pay `reward(step, rng)`, learned from as it is, or as one value."""
    run, rng = Made(**QUICK | changes), np.random.default_rng(0)
    monitor = run.begun(Rewards())
    for number in range(40):
        total = 0.0
        for step in range(length(number)):
            rewards = np.broadcast_to(reward(step, rng), 4)
            monitor.received(0, answered(np.zeros((4, 3)), rewards))
            total += float(rewards[0])
        run.counters.steps += 4 * length(number)
        monitor.episode(run, Episode(number + 1, total, length(number), 0.0, 0.0))
        monitor.fed(0, transitions(rng, reward=learned))
    return run.found(monitor)


def test_rewards_that_vary_raise_no_alarm() -> None:
    assert paid(lambda step, rng: rng.integers(0, 2, 4).astype(float)) == []


def test_one_for_each_step_is_a_reward_where_episodes_differ_in_length() -> None:
    assert paid(lambda step, rng: 1.0, learned=1.0) == []


def test_no_reward_at_all_is_told() -> None:
    assert paid(lambda step, rng: 0.0) == ["reward-zero"]
    assert paid(lambda step, rng: 0.0, steps=1_000_000) == [], "a long run of a game that is hard has hardly begun"


def test_a_reward_between_the_windows_is_one() -> None:
    run = Made(**QUICK)
    monitor = run.begun(Rewards())
    monitor.step(run, SimpleNamespace(step=answered(np.zeros((4, 3)), reward=1.0)))  # type: ignore[arg-type]
    run.counters.steps, run.stopped_by = run.recipe.steps, "steps"
    assert run.found(monitor) == []


def test_the_same_for_everything_is_told() -> None:
    assert paid(lambda step, rng: 1.0, learned=1.0, length=lambda number: 10) == ["reward-constant"]


def test_rewards_that_are_lost_on_the_way_to_the_learner_are_told() -> None:
    assert paid(lambda step, rng: rng.integers(0, 2, 4).astype(float), learned=0.0) == ["learned-reward-constant"]


@pytest.mark.parametrize(("extra", "found"), [(0, []), (5, ["games-step-alone"])])
def test_steps_that_nobody_chose_are_told(extra: int, found: list[str]) -> None:
    run = Made(**QUICK)
    monitor = run.begun(Ends())
    for _ in range(20):
        monitor.sent(0, np.zeros(4))
        run.step(monitor)
    for _ in range(extra):
        monitor.sent(0, np.zeros(4))
    run.step(monitor)
    assert run.found(monitor) == found


def test_episodes_that_never_end_are_told_and_long_ones_are_not() -> None:
    run = Made(**QUICK)
    monitor = run.begun(Ends())
    run.counters.steps = 4 * 9_000
    assert run.found(monitor) == []
    run.counters.steps = 4 * 11_000
    assert run.found(monitor) == ["episodes-never-end"]
    monitor.episode(run, Episode(1, 1.0, 11_000, 1.0, 1.0))
    assert run.found(monitor) == []
