"""The wiring that the frameworks share: what is acted, kept, learned from and saved, over games that play a script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.training.checks import GREEDY, Played, check_replay
from tests.training.rollouts import check_drawn, check_rollouts
from tests.training.runs import RUNS, check_best, check_evaluation

Setting = tuple[str, dict[str, Any]]  # a recipe and its changes; `saves`, of the games, stands among them

Q_LEARNING = {
    "algorithm.replay_size": 10_000, "algorithm.batch_size": 16, "algorithm.update_every": 2,
    "algorithm.target_every": (5, "updates"), **GREEDY,
}  # fmt: skip
PRIORITIES = {"algorithm.prioritised": True, "algorithm.beta_steps": 120}
LIVES = {"algorithm.n_step": 3, "algorithm.reward": "sign", "algorithm.life_loss_reward": -0.5, "algorithm.gamma": 0.8}
BURNT = {"algorithm.sequence_length": 5, "algorithm.burn_in": 2, "algorithm.n_step": 2}
TRANSITIONS: dict[str, dict[str, Any]] = {
    "one step": {},
    "three steps, signs and lives": LIVES,
    "by priority": PRIORITIES,
    "exploring": {"algorithm.epsilon_start": 0.5, "algorithm.epsilon_end": 0.5},
    "ring that is full": {"algorithm.replay_size": 120, "algorithm.n_step": 2},
    "games that are saved": {"saves": True},
}
SEQUENCES: dict[str, dict[str, Any]] = {
    "stored state": {**BURNT, "algorithm.stored_state": True},
    "state of zeros": {"algorithm.sequence_length": 3},
    "signs and lives": {
        **LIVES,
        "algorithm.sequence_length": 7,
        "algorithm.burn_in": 3,
        "algorithm.stored_state": True,
    },
    "by priority": {**BURNT, **PRIORITIES},
    "exploring": {
        **BURNT,
        "algorithm.stored_state": True,
        "algorithm.epsilon_start": 0.5,
        "algorithm.epsilon_end": 0.5,
    },
    "games that are saved": {**BURNT, "algorithm.stored_state": True, "saves": True},
}
EIGHT = {"algorithm.rollout_steps": 8}
TWICE = {**EIGHT, "algorithm.epochs": 2, "algorithm.minibatches": 3}
ROLLOUTS: dict[str, Setting] = {
    "a2c": ("cartpole-a2c", {**EIGHT, "algorithm.reward_scale": 0.5}),
    "a2c, cut to 1": ("cartpole-a2c", {**EIGHT, "algorithm.reward_scale": 1.0, "algorithm.reward": "clip"}),
    "a2c with memory": ("memory-chain-a2c", EIGHT),
    "ppo, signs": ("cartpole-ppo", {**TWICE, "algorithm.reward": "sign"}),
    "ppo with memory": ("memory-chain-ppo", TWICE),
    "games that are saved": ("memory-chain-ppo", {**TWICE, "saves": True}),
}


def play(recipe: str, changes: dict[str, Any], memory: bool) -> Played:
    played = Played(
        recipe, {key: value for key, value in changes.items() if key != "saves"}, memory, "saves" in changes
    )
    played.check_script()
    return played


def check_q_learning(recipe: str, changes: dict[str, Any]) -> None:
    played = play(recipe, {**Q_LEARNING, **changes}, recipe == "memory-chain")
    if "algorithm.epsilon_start" not in changes:
        played.check_greedy()
    check_replay(played)


def check_transitions(name: str) -> None:
    check_q_learning("cartpole", TRANSITIONS[name])


def check_sequences(name: str) -> None:
    check_q_learning("memory-chain", SEQUENCES[name])


def check_actor_critic(name: str) -> None:
    recipe, changes = ROLLOUTS[name]
    played = play(recipe, changes, recipe.startswith("memory"))
    check_rollouts(played)
    check_drawn(played)


@pytest.mark.parametrize("name", TRANSITIONS)
def test_transitions_are_what_was_played(name: str) -> None:
    check_transitions(name)


@pytest.mark.parametrize("name", SEQUENCES)
def test_sequences_are_what_was_played(name: str) -> None:
    check_sequences(name)


@pytest.mark.parametrize("name", ROLLOUTS)
def test_rollouts_are_what_was_played(name: str) -> None:
    check_actor_critic(name)


@pytest.mark.parametrize("name", RUNS)
def test_the_best_weights_are_kept_and_tested(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_best(name, tmp_path, monkeypatch)


@pytest.mark.parametrize("name", RUNS)
def test_evaluations_are_played_apart(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_evaluation(name, tmp_path, monkeypatch)
