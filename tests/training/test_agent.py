"""Agents outside the loop: predict, Stable-Baselines3's evaluation, and exactly N games."""

from __future__ import annotations

from pathlib import Path

import gymnasium
import numpy as np
import pytest

import triptych
from triptych import envs
from triptych.envs.play import play_games
from triptych.spec import Network, Observation
from triptych.training.agent import Agent
from triptych.utils.statistics import bootstrap_mean


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = tmp_path_factory.mktemp("runs")
    return triptych.train(
        "cartpole", "torch", run_name="r", runs_dir=runs, steps=900, warm_up=100, evaluate_every=0
    ).path


@pytest.mark.filterwarnings("ignore::UserWarning")  # Stable-Baselines3 recommends its own Monitor wrapper
def test_stable_baselines3_runs_our_agents(run: Path) -> None:
    from stable_baselines3.common.evaluation import evaluate_policy

    agent = triptych.load_agent(run)
    mean, _ = evaluate_policy(agent, gymnasium.make("CartPole-v1"), n_eval_episodes=3)  # type: ignore[arg-type]
    assert 8 <= mean <= 500


def test_predict_takes_one_or_many(run: Path, framework: str) -> None:
    agent = triptych.load_agent(run, framework=framework)
    one, state = agent.predict(np.zeros(4, np.float32), deterministic=True)
    many, _ = agent.predict(np.zeros((5, 4), np.float32))
    assert np.ndim(one) == 0
    assert many.tolist() == [one] * 5
    assert state is None
    with pytest.raises(triptych.InputError, match="observation shape"):
        agent.predict(np.zeros(3))


def test_frameworks_play_the_same_weights_alike(run: Path) -> None:
    scores = [triptych.evaluate(run, 4, framework=name, weights="latest").rewards for name in ("torch", "jax", "keras")]
    assert scores[0] == scores[1] == scores[2]


class Longest:
    """A learner whose best action is always the same."""

    precision = "float32"

    def act(self, obs: np.ndarray, state: object = None, reset: object = None) -> tuple[np.ndarray, object]:
        return np.tile([1.0, 0.0], (len(obs), 1)), state


def test_each_game_is_the_first_of_its_seed_whatever_the_batch() -> None:
    """Not the first N to finish: short games are not counted twice."""
    agent = Agent(Longest(), Network(Observation((4,), "float32"), ()))  # type: ignore[arg-type]
    seeds = np.arange(100, 107)
    played = [play_games(agent, envs.make(envs.EnvConfig("CartPole-v1"), width), seeds) for width in (1, 3, 7)]
    assert played[0] == played[1] == played[2]
    assert len(played[0]) == 7
    alone = gymnasium.make("CartPole-v1")
    for seed, game in zip(seeds, played[0], strict=True):
        alone.reset(seed=int(seed))
        steps, done = 0, False
        while not done:
            _, _, terminated, truncated, _ = alone.step(0)
            steps, done = steps + 1, terminated or truncated
        assert game.length == steps


def test_epsilon_draws_random_actions(run: Path) -> None:
    agent = triptych.load_agent(run, epsilon=0.5)
    obs = np.zeros((2_000, 4), np.float32)
    greedy, _ = agent.predict(obs, deterministic=True)
    actions, _ = agent.predict(obs)
    assert len(set(greedy.tolist())) == 1
    assert np.mean(actions != greedy) == pytest.approx(0.25, abs=0.05)


def test_bootstrap_interval() -> None:
    from scipy import stats

    scores = list(np.random.default_rng(0).normal(10, 2, 60))
    mean, low, high = bootstrap_mean([scores])
    other = stats.bootstrap((scores,), np.mean, method="percentile", rng=1).confidence_interval
    assert mean == pytest.approx(np.mean(scores))
    assert (low, high) == pytest.approx((other.low, other.high), abs=0.05)
    assert bootstrap_mean([[1.0, 3.0], [5.0, 7.0], [9.0, 11.0]])[0] == 6.0
    assert bootstrap_mean([[4.0]]) == (4.0, 4.0, 4.0)
