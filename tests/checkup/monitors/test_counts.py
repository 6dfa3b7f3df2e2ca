"""Batches, running means and test games, counted a second time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.checkup.streams import QUICK, Made, transitions
from triptych.checkup.monitors.counts import Counts
from triptych.training.counting import Episode


def made(**changes: Any) -> tuple[Made, Counts]:
    run = Made(**QUICK | {"evaluate_every": 1_000, "algorithm.batch_size": 32} | changes)
    return run, run.begun(Counts())


@pytest.mark.parametrize(("size", "found"), [(32, []), (16, ["batch-size"]), (33, ["batch-size"])])
def test_a_batch_has_the_size_of_the_settings(size: int, found: list[str]) -> None:
    run, monitor = made()
    monitor.fed(0, transitions(np.random.default_rng(0), size))
    assert run.found(monitor) == found


@pytest.mark.parametrize(("window", "found"), [(100, []), (99, ["running-reward"]), (10_000, ["running-reward"])])
def test_the_running_reward_is_of_the_last_100_episodes(window: int, found: list[str]) -> None:
    run, monitor = made()
    rewards = np.random.default_rng(0).normal(size=150).tolist()
    for number in range(1, 151):
        some = rewards[max(0, number - window) : number]
        monitor.episode(run, Episode(number, some[-1], 10, sum(some) / len(some), max(some)))  # type: ignore[arg-type]
    assert run.found(monitor) == found


def test_another_networks_scores_begin_anew_and_those_of_before_a_resume_are_not_known() -> None:
    run, monitor = made()
    monitor.episode(run, Episode(1, 5.0, 10, 5.0, 5.0))  # type: ignore[arg-type]
    monitor.forget_scores()
    monitor.episode(run, Episode(2, 7.0, 10, 7.0, 7.0))  # type: ignore[arg-type]
    run.counters.episodes = 2
    resumed = run.begun(Counts())
    resumed.episode(run, Episode(3, 1.0, 10, 4.0, 7.0))
    assert run.found(monitor) == run.found(resumed) == []


@pytest.mark.parametrize(("games", "found"), [(None, []), (10, []), (1, ["tests-pace"])])
def test_a_test_is_of_as_many_games_as_the_settings_say(games: int | None, found: list[str]) -> None:
    run, monitor = made(evaluate_games=10)
    monitor.row(run, "metrics", {"evaluation_games": games})  # type: ignore[arg-type]
    assert run.found(monitor) == found


@pytest.mark.parametrize(
    ("step", "why", "found"), [(50_000, "steps", []), (9_000, "solved", []), (9_000, "steps", ["ends-early"])]
)
def test_a_run_ends_by_its_steps_when_they_are_over(step: int, why: str, found: list[str]) -> None:
    run, monitor = made(evaluate_every=0)
    run.counters.steps, run.stopped_by = step, why
    assert run.found(monitor) == found


@pytest.mark.parametrize(("every", "found"), [(1_000, []), (3_000, ["tests-pace"]), (300, ["tests-pace"])])
def test_test_games_are_played_once_a_period(every: int, found: list[str]) -> None:
    run, monitor = made()
    for step in range(run.size, 8_000, run.size):
        run.step(monitor)
        if step % every < run.size:
            monitor.tests_begin()
    assert run.found(monitor) == found
