"""Probes of an agent at its first weights: none finds anything in a healthy one, and each finds what it is for."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from triptych import envs, frameworks
from triptych.algorithms import ALGORITHMS, a2c, dqn, drqn, ppo
from triptych.checkup.faults import find
from triptych.checkup.probes import ALL, EXACT, network, probe_quickly
from triptych.checkup.probes.coefficients import coefficients
from triptych.checkup.probes.subject import Subject
from triptych.frameworks.torch import neural_map
from triptych.losses import policy, value
from triptych.recipes import Recipe, load_recipe
from triptych.recipes.override import override
from triptych.spec import Conv, Dense, Flatten, Network, VisualAttention
from triptych.training.build import make_training
from triptych.utils.patching import patched

SMALL = {"network": (Dense(6), Dense(5))}


def recipe_of(name: str, **changes: Any) -> Recipe:
    return override(load_recipe(name), {path.replace("__", "."): found for path, found in changes.items()})


MAZE = {
    "num_envs": 4, "algorithm__rollout_steps": 6, "algorithm__minibatches": 2,
    "network__neural_map_1__size": 5, "network__neural_map_1__channels": 3,
}  # fmt: skip
HEALTHY = {
    "dqn": lambda: dataclasses.replace(recipe_of("cartpole", num_envs=2), **SMALL),
    "dueling": lambda: dataclasses.replace(recipe_of("cartpole", algorithm__dueling=True, algorithm__n_step=3), **SMALL),
    "pictures": lambda: dataclasses.replace(
        recipe_of("cartpole-pixels-tuned", env__size=20), network=(Conv(3, 4, 2), Flatten(), Dense(6))
    ),
    "drqn": lambda: recipe_of("drqn-cartpole", network__dense_1__units=6, network__lstm_1__units=5, network__dense_2__units=5),
    "gru": lambda: recipe_of("drqn-cartpole", memory="gru", algorithm__burn_in=0),
    "attention": lambda: recipe_of("cartpole-positions-ppo", memory="attention", network__attention_1__units=8, network__attention_1__length=3),
    "attention with gates": lambda: recipe_of(
        "drqn-cartpole", memory="attention", network__attention_1__units=8, network__attention_1__length=4, network__attention_1__gated=True
    ),
    "visual attention": lambda: dataclasses.replace(
        recipe_of("darqn", num_envs=2, algorithm__sequence_length=3, algorithm__burn_in=2, batch_size=4, algorithm__replay_size=2_000),
        network=(Conv(3, 8, 4), Conv(4, 4, 3), VisualAttention(5, 4), Dense(6)),
    ),
    "map": lambda: recipe_of("maze-neural-map", **MAZE),
    "map around the agent": lambda: recipe_of(
        "maze-neural-map", **MAZE, network__neural_map_1__egocentric=True, network__neural_map_1__gated=False, network__neural_map_1__forget_bias=0.0
    ),
    "ppo": lambda: dataclasses.replace(recipe_of("cartpole-ppo", algorithm__policy_units=(4,)), **SMALL),
    "a2c": lambda: recipe_of("memory-chain-a2c", algorithm__rollout_steps=6, num_envs=4),
    "a3c": lambda: dataclasses.replace(recipe_of("cartpole-a3c", algorithm__rollout_steps=4), **SMALL),
}  # fmt: skip


def subject_of(recipe: Recipe, framework: str = "torch") -> Iterator[Subject]:
    """A subject whose games are closed behind it."""
    training = make_training(recipe, envs.make(recipe.env, recipe.num_envs), frameworks.load(framework).Learner)
    try:
        yield Subject(training)
    finally:
        training.close()


def found_in(subject: Subject) -> list[str]:
    return [
        one.signal.name
        for what, probe in ALL.items()
        if not (what in EXACT and subject.unknown)
        for one in probe(subject)
    ]


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_agent_raises_no_alarm_and_stays_as_it_was(name: str) -> None:
    for subject in subject_of(HEALTHY[name]()):
        before = {key: array.copy() for key, array in subject.learner.get_state().items()}
        assert found_in(subject) == []
        assert not subject.unknown
        after = subject.learner.get_state()
        assert before.keys() == after.keys()
        assert all(np.array_equal(before[key], after[key]) for key in before)


@pytest.mark.parametrize("framework", ["jax", "keras"])
def test_a_healthy_agent_of_each_framework_raises_no_alarm(framework: str) -> None:
    for subject in subject_of(HEALTHY["dqn"](), framework):
        assert found_in(subject) == []


@pytest.mark.parametrize(("framework", "activation"), [("torch", "relu"), ("jax", "tanh"), ("keras", "relu")])
def test_an_activation_on_the_head_is_found(framework: str, activation: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = dqn.network

    def bent(*given: Any) -> Network:
        right = made(*given)
        last = dataclasses.replace(right.layers[-1], activation=activation)
        return dataclasses.replace(right, layers=(*right.layers[:-1], last))

    monkeypatch.setitem(ALGORITHMS, "dqn", dataclasses.replace(dqn.algorithm, network=bent))
    for subject in subject_of(HEALTHY["dqn"](), framework):
        assert "head-not-linear" in [one.signal.name for one in probe_quickly(subject)]


@pytest.mark.parametrize("framework", ["torch", "jax", "keras"])
def test_pixels_that_acting_scales_once_more_are_found(framework: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for subject in subject_of(HEALTHY["pictures"](), framework):
        assert list(network.computes(subject)) == []
        act = subject.learner.act
        monkeypatch.setattr(subject.learner, "act", lambda obs, act=act: act(obs // 255))
        assert [one.signal.name for one in probe_quickly(subject)] == ["paths-differ"]
        assert [one.signal.name for one in network.computes(subject)] == ["outputs-differ"]


def test_a_target_that_is_wrong_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    for subject in subject_of(HEALTHY["dqn"]()):
        learner: Any = subject.learner
        state = learner.get_state()
        learner.set_state(
            {name: array + 1 if name.startswith("target/head") else array for name, array in state.items()}
        )
        assert [one.signal.name for one in probe_quickly(subject)] == ["target-not-online"]
        learner.set_state(state)
        with monkeypatch.context() as patch:
            patch.setattr(learner, "sync_target", lambda: None)
            assert [one.signal.name for one in probe_quickly(subject)] == ["target-copy-lost"]
        learner.target, learner.target_values = learner.online, learner.online_values
        assert [one.signal.name for one in probe_quickly(subject)] == ["target-shared"]


def test_weights_that_the_optimiser_does_not_hold_are_found() -> None:
    for subject in subject_of(HEALTHY["dqn"]()):
        learner: Any = subject.learner
        learner.optimiser.param_groups[0]["params"] = learner.optimiser.param_groups[0]["params"][:2]
        (finding,) = probe_quickly(subject)
        assert finding.signal.name == "tensors-still"
        assert (
            finding.measured == "4 of 6 tensors stay as they are: dense_2/kernel, dense_2/bias, head/kernel, head/bias"
        )


def no_entropy(parts: Any, value_weight: float, entropy_weight: Any) -> Any:
    return parts["policy_loss"] + value_weight * parts["value_loss"]


def flipped(*given: Any) -> Any:
    return -TEMPORAL(*given)


TEMPORAL = value.temporal_difference
LOSSES = {
    "no entropy": ("a2c", a2c, "total_loss", no_entropy, "loss-differs"),
    "half the huber loss": ("drqn", drqn, "loss_of_error", lambda xp, e, *_: 0.5 * value.squared(xp, e), "loss-differs"),
    "the sign of the error": ("dqn", dqn, "temporal_difference", flipped, "loss-differs"),
    "no stop_gradient": ("dqn", dqn, "temporal_difference", lambda xp, q, a, r, d, n, s=None: r + d * xp.select(n, xp.argmax(q if s is None else s, axis=1)) - xp.stop_gradient(xp.select(q, a)) + 0 * xp.select(q, a), "gradient-differs"),
    "the mean of the next values": ("dqn", dqn, "temporal_difference", lambda xp, q, a, r, d, n, s=None: xp.stop_gradient(r + d * xp.mean(n, axis=1)) - xp.select(q, a), "loss-differs"),
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_that_is_not_its_equation_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, module, function, wrong, signal = LOSSES[name]
    monkeypatch.setattr(module, function, wrong)
    for subject in subject_of(HEALTHY[recipe]()):
        assert signal in found_in(subject)


def test_a_gradient_that_is_cut_in_one_term_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    entropy = policy.entropy
    monkeypatch.setattr(a2c, "entropy", lambda xp, log_probs: xp.stop_gradient(entropy(xp, log_probs)))
    for subject in subject_of(HEALTHY["a2c"]()):
        assert found_in(subject) == ["gradient-differs", "coefficient-ignored"]


def test_a_state_that_is_never_zeroed_or_always_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    for subject in subject_of(HEALTHY["drqn"]()):
        act = subject.learner.act
        monkeypatch.setattr(
            subject.learner, "act", lambda obs, state, reset, act=act: act(obs, state, np.zeros_like(reset))
        )
        assert "state-not-reset" in found_in(subject)
        monkeypatch.setattr(
            subject.learner, "act", lambda obs, state, reset, act=act: act(obs, state, np.ones_like(reset))
        )
        assert "state-ignored" in found_in(subject)


def test_games_that_see_each_other_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    for subject in subject_of(HEALTHY["dqn"]()):
        act = subject.learner.act
        monkeypatch.setattr(
            subject.learner, "act", lambda obs, act=act: (lambda q: (q - q.mean(axis=0), None))(act(obs)[0])
        )
        assert "games-leak" in found_in(subject)


def test_an_update_that_takes_seconds_is_left_to_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    for subject in subject_of(HEALTHY["dqn"]()):
        assert subject.numbers == 64 * 4
        monkeypatch.setattr(subject.learner, "sync_target", lambda: None)
        assert [one.signal.name for one in probe_quickly(subject)] == ["target-copy-lost"]
        monkeypatch.setattr("triptych.checkup.probes.MOST", 64 * 4 - 1)
        assert list(probe_quickly(subject)) == []


def test_other_padding_is_found_by_its_weights(framework: str) -> None:
    with patched(find("padding-same").patches(framework)):
        for subject in subject_of(HEALTHY["pictures"](), framework):
            assert "weights-differ" in found_in(subject)


@pytest.mark.parametrize("framework", ["torch", "jax", "keras"])
def test_a_coefficient_that_the_loss_ignores_is_named(framework: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is asked by itself: the others do what they should."""
    monkeypatch.setattr(Subject, "is_ours", False)
    real = policy.total_loss
    ignoring = {
        "value_weight": lambda parts, value_weight, entropy_weight: real(parts, 0.5, entropy_weight),
        "entropy_weight": lambda parts, value_weight, entropy_weight: real(parts, value_weight, 0 * entropy_weight),
    }
    recipe = HEALTHY["ppo"]()
    for name, total_loss in ignoring.items():
        for module in (a2c, ppo):
            monkeypatch.setattr(module, "total_loss", total_loss)
        for subject in subject_of(recipe, framework):
            told = [one.measured for one in coefficients(subject)]
        assert [line.split()[0] for line in told] == [name]


def test_a_huber_loss_of_another_delta_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Subject, "is_ours", False)
    monkeypatch.setattr(dqn, "loss_of_error", lambda xp, error, kind, delta: value.loss_of_error(xp, error, kind, 1.0))
    for subject in subject_of(override(HEALTHY["dqn"](), {"algorithm.loss": "huber"})):
        assert [one.measured.split()[0] for one in coefficients(subject)] == ["delta"]


def test_a_map_whose_columns_are_taken_for_rows_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = neural_map.cells_of
    monkeypatch.setattr(neural_map, "cells_of", lambda position, size: cells(position, size).flip(-1))
    for subject in subject_of(HEALTHY["map"]()):
        assert {"loss-differs", "gradient-differs"} & set(found_in(subject))
