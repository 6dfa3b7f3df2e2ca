"""The loop's bookkeeping: who acts, when updates and copies fall due, what is counted."""

from __future__ import annotations

import dataclasses
import itertools
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from triptych import envs, frameworks
from triptych.algorithms import dqn
from triptych.recipes import Recipe, resolve
from triptych.training.base import Choice, Counters, Episode, Training
from triptych.training.build import compile_learner, make_training
from triptych.training.callbacks.meters import Clock, Mean
from triptych.training.callbacks.periodic import Periodic
from triptych.training.callbacks.weights import Best
from triptych.training.loop import Tick, run_loop
from triptych.utils.seeds import game_seeds, generator


class Counting:
    """A learner that only counts: acts 0, updates by adding one to its only weight."""

    frozen: tuple[str, ...] = ()

    def __init__(self, network: Any, loss: Any, adam: Any, weights: Any, precision: str):
        self.device, self.precision, self.actions = "cpu", precision, network.layers[-1].units
        self.rates: list[float] = []
        self.copied_at: list[int] = []

    def act(self, obs: np.ndarray, state: Any = None, reset: Any = None) -> tuple[np.ndarray, Any]:
        return np.tile(np.arange(self.actions, 0.0, -1), (len(obs), 1)), state

    def update(self, batch: Any, learning_rate: float) -> dict[str, Any]:
        self.rates.append(learning_rate)
        return dict.fromkeys(("loss", "q_mean", "td_error_mean", "gradient_norm", "td_error"), 1.0)

    def to_numpy(self, array: Any) -> np.ndarray:
        raise AssertionError("only priorities ask for it: it waits for the device")

    def sync_target(self) -> None:
        self.copied_at.append(len(self.rates))

    def get_state(self) -> dict[str, np.ndarray]:
        return {}

    def set_state(self, state: Any) -> None:
        self.rates = []


def training(**changes: Any) -> Training:
    recipe: Recipe = resolve("cartpole", changes)
    return make_training(recipe, envs.make(recipe.env, recipe.num_envs), Counting)  # type: ignore[type-abstract,arg-type]


def play(parts: Training, iterations: int) -> list[Any]:
    return list(itertools.islice(run_loop(parts), iterations))


@pytest.mark.parametrize(("num_envs", "every"), [(1, 6), (8, 6), (3, 4), (8, 8)])
def test_updates_are_earned_by_steps_and_the_rest_is_kept(num_envs: int, every: int) -> None:
    parts = training(num_envs=num_envs, warm_up=50, **{"algorithm.update_every": every})
    ticks = play(parts, 400)
    counters = parts.counters
    assert counters.steps == sum(int(tick.mask.sum()) for tick in ticks)
    learning = counters.steps - 50 - num_envs  # the last step is not used before the next iteration
    assert abs(counters.updates - learning / every) <= num_envs / every + 1
    assert max(len(tick.updates) for tick in ticks) <= -(-num_envs // every), "never in bursts"
    assert counters.credit < every + num_envs


def test_masked_steps_are_no_steps() -> None:
    parts = training(num_envs=2, warm_up=0)
    ticks = play(parts, 300)
    assert parts.counters.episodes == sum(len(tick.episodes) for tick in ticks) > 5
    masked = sum(int((~tick.mask).sum()) for tick in ticks)
    open_ends = int(parts.ended.sum())
    assert masked == parts.counters.episodes - open_ends
    lengths = sum(episode.length for tick in ticks for episode in tick.episodes)
    assert lengths + int(parts.episode_length.sum()) == parts.counters.steps
    rewards = [episode.reward for tick in ticks for episode in tick.episodes]
    assert all(episode.reward == episode.length for tick in ticks for episode in tick.episodes)
    assert list(parts.scores) == rewards[-100:]


def test_random_until_the_warm_up_ends_then_by_the_schedule() -> None:
    parts = training(warm_up=100, **{"algorithm.epsilon_steps": 100, "algorithm.epsilon_end": 0.25})
    play(parts, 100 + parts.counters.episodes)
    while parts.counters.steps < 100:
        play(parts, 1)
    assert parts.counters.greedy_actions == 0
    before = parts.counters.steps
    ticks = play(parts, 4_000)
    share = parts.counters.greedy_actions / (parts.counters.steps - before)
    assert share == pytest.approx(0.75, abs=0.03)
    assert ticks[-1].epsilon == 0.25


def test_epsilon_falls_exponentially_from_where_it_is_told() -> None:
    config = dqn.Config(
        warm_up=0, epsilon_start=1.0, epsilon_end=0.01, epsilon_shape="exponential", epsilon_steps=1_000
    )
    assert config.epsilon(0) == 1.0
    assert config.epsilon(2_000) == pytest.approx(0.01 + 0.99 * np.exp(-2))
    later = dataclasses.replace(config, epsilon_from=500)
    assert later.epsilon(400) == 1.0
    assert later.epsilon(2_500) == config.epsilon(2_000)


def test_an_episode_s_first_steps_earn_no_update() -> None:
    """M4: an update every step but the first of an episode."""
    settings = {"algorithm.update_every": 1, "algorithm.skip_first": 3, "algorithm.learn_from": 1}
    parts = training(warm_up=0, **settings)
    ticks = play(parts, 300)
    lengths = [episode.length for tick in ticks for episode in tick.episodes] + [int(parts.episode_length[0])]
    earned = sum(max(0, length - 3) for length in lengths)
    assert parts.counters.updates + parts.counters.credit == earned
    assert parts.counters.updates > 100


@pytest.mark.parametrize(("period", "due"), [(None, []), ((3, "episodes"), [3, 6, 9]), ((4, "steps"), [4, 8])])
def test_periods_pass_once(period: Any, due: list[int]) -> None:
    periodic, parts, seen = Periodic(period), training(), []
    for count in range(1, 11):
        parts.counters.episodes = parts.counters.steps = count
        if periodic.due(parts.counters):
            seen.append(count)
    assert seen == due


@pytest.mark.parametrize(("period", "copies"), [((50, "steps"), 4), ((10, "updates"), 5), ((3, "episodes"), None)])
def test_target_periods_have_a_unit(period: tuple[int, str], copies: int | None) -> None:
    parts = training(warm_up=100, **{"algorithm.update_every": 4, "algorithm.target_every": period})
    while parts.counters.steps < 304:
        play(parts, 1)
    if copies is not None:
        assert parts.counters.target_copies == copies
    copied_at = parts.learner.copied_at  # type: ignore[attr-defined]
    assert len(copied_at) == parts.counters.target_copies > 0
    # A period without an update in it copies nothing, and counts for nothing.
    assert all(a < b for a, b in itertools.pairwise([0, *copied_at]))


def test_learning_rate_falls_to_its_end_at_the_last_step() -> None:
    parts = training(steps=1_000, warm_up=0, learning_rate=1.0, **{"optimiser.final_rate": 0.0})
    while parts.counters.steps < 1_000:
        play(parts, 1)
    rates = parts.learner.rates  # type: ignore[attr-defined]
    assert rates[0] > 0.98
    assert rates[-1] < 0.01
    assert all(a > b for a, b in itertools.pairwise(rates))


def test_compiling_leaves_the_learner_as_it_was() -> None:
    parts = training()
    assert compile_learner(parts) >= 0
    assert parts.learner.rates == []  # type: ignore[attr-defined]


def test_generators_are_named_and_seeded() -> None:
    draws = {name: generator(1, name).random() for name in ("weights", "explore", "sample")}
    assert len(set(draws.values())) == 3
    assert generator(1, "weights").random() == draws["weights"] != generator(2, "weights").random()
    assert np.array_equal(game_seeds(0, "evaluate", 0, 5), game_seeds(0, "evaluate", 0, 9)[:5])


def test_a_mean_does_not_depend_on_when_it_was_saved() -> None:
    values = list(np.random.default_rng(0).random(20))
    whole, saved = Mean(), Mean()
    for value in values:
        whole.add(value)
    for value in values[:7]:
        saved.add(value)
    resumed = Mean(*saved.settle())
    for value in values[7:]:
        resumed.add(value)
    assert resumed.take() == whole.take()
    assert whole.take() is None


def test_a_mean_holds_one_scalar_at_most() -> None:
    """Thousands of small arrays between the freed ones of the updates cost gigabytes of memory."""

    class Scalar:
        alive = 0

        def __init__(self) -> None:
            Scalar.alive += 1

        def __del__(self) -> None:
            Scalar.alive -= 1

        def __float__(self) -> float:
            return 1.0

    mean, most = Mean(), 0
    for _ in range(100):
        mean.add(Scalar())
        most = max(most, Scalar.alive)
    assert most <= 2, "the new one, and the last"
    assert mean.settle() == (100.0, 100)
    assert Scalar.alive == 0


def test_best_keeps_the_later_of_equals_and_waits_for_a_full_window() -> None:
    saved: list[int] = []
    run = watched_by_best(saved)
    best = Best(2)
    for step, reward in enumerate((99.0, 99.0, 5.0, 9.0, 1.0, 13.0, 1.0), start=-1):
        run.counters.steps, run.counters.updates = step, max(0, step)  # the first two of random play
        best.see(run, ended(step, reward))
    assert saved == [2, 4, 5]  # means 7, 5, 7, 7
    assert (best.score, best.at) == (7.0, 5)


def test_best_weights_are_those_of_the_games_last_stage() -> None:
    saved: list[int] = []
    run = watched_by_best(saved)
    best, again = Best(2), Best(2)
    rewards = ((0, 9.0), (0, 9.0), (1, 2.0), (1, 4.0), (1, 0.0), (1, 8.0))
    for step, (stage, reward) in enumerate(rewards, start=1):
        run.counters.steps = run.counters.updates = step
        run.training.games.stage = stage
        best.see(run, ended(step, reward))
        again.set_state(best.get_state())
        assert (again.score, again.at, again.stage) == (best.score, best.at, stage)
    assert saved == [2, 4, 6]  # means 9 of the first stage; 3, 2, 4 of the second
    assert (best.score, best.at) == (4.0, 6)


def test_a_state_of_before_there_were_stages_is_read() -> None:
    best = Best(2)
    best.set_state({"recent": [1.0], "score": 3.0, "step": 7})
    run = watched_by_best([])
    run.counters.steps = run.counters.updates = 8
    run.training.games.stage = 4
    best.see(run, ended(8, 2.0))
    assert (best.score, list(best.recent)) == (3.0, [1.0, 2.0])


def watched_by_best(saved: list[int]) -> Any:
    """A run of nothing but what `Best` asks; the steps at which weights are kept are added to `saved`."""
    run = SimpleNamespace(
        counters=Counters(),
        clock=Clock(),
        keep_weights=lambda name: saved.append(run.counters.steps),
        training=SimpleNamespace(games=SimpleNamespace()),
    )
    return run


def ended(step: int, reward: float) -> Any:
    """A step at which an episode ended."""
    return Tick(
        Choice(np.zeros(1), np.ones(1, bool), None),
        None,  # type: ignore[arg-type]
        np.ones(1, bool),
        [Episode(step, reward, 1, 0.0, 0.0)],
        [],
    )


def test_the_form_of_the_replay_changes_no_number(framework: str) -> None:
    """Compressed, as plain arrays, on the device: the same weights after some updates, to the bit."""
    weights = []
    for form in ({"compress": True}, {"compress": False}, {"replay_on_device": True}):
        changes = {f"algorithm.{name}": value for name, value in form.items()}
        changes |= {"num_envs": 2, "warm_up": 30, "algorithm.replay_size": 200, "algorithm.n_step": 2}
        recipe = resolve("space-invaders", changes)
        learner = frameworks.load(framework).Learner
        parts = make_training(recipe, envs.make(recipe.env, recipe.num_envs), learner)
        play(parts, 60)
        parts.games.close()
        assert parts.counters.updates > 10
        weights.append(parts.learner.get_weights())
    for other in weights[1:]:
        for name, array in weights[0].items():
            assert np.array_equal(array, other[name]), name
