"""A larger network computes what the smaller one does, in each framework, and what it learns next is the same."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from tests.parity import memory_ladder
from tests.parity.ladder import BOTH, PICTURE, VECTOR, close, make_batch, make_weights
from triptych import frameworks
from triptych.algorithms import a2c, dqn, drqn
from triptych.spec import (
    GRU,
    LSTM,
    Adam,
    Attention,
    Conv,
    Dense,
    Flatten,
    Layer,
    Network,
    Observation,
    Stack,
    VisualAttention,
)
from triptych.spec.grow import Growth, check_head, grown_body
from triptych.spec.grown import Grown
from triptych.utils.checks import InputError

ACTIONS = 3
SEEN: tuple[Layer, ...] = (Conv(4, 6, 2), Conv(3, 3, 1), Flatten(), Dense(7))
NUMBERS: tuple[Layer, ...] = (Dense(6), Dense(5))
DUELING = dqn.Config(dueling=True)
FLAT: dict[str, tuple[Any, Observation, tuple[Layer, ...], dict[str, int], tuple[str, ...]]] = {
    "convolutions": (dqn.Config(), PICTURE, SEEN, {"conv_1": 6, "conv_2": 7, "dense_1": 20}, ("conv_1", "dense_1")),
    "dense": (dqn.Config(), VECTOR, NUMBERS, {"dense_1": 9, "dense_2": 11}, ("dense_1", "dense_2")),
    "a picture and numbers": (dqn.Config(), BOTH, SEEN, {"conv_2": 5, "dense_1": 8}, ("conv_2",)),
    "dueling": (DUELING, PICTURE, SEEN, {"conv_1": 5, "dense_1": 12}, ("conv_2",)),
    "actor-critic with layers of its own": (
        a2c.Config(policy_units=(4, 3), value_units=(5,)),
        VECTOR,
        NUMBERS,
        {"dense_2": 8},
        ("dense_1",),
    ),
    "tanh": (
        a2c.Config(policy_units=(4,), value_units=(4,), hidden_activation="tanh"),
        VECTOR,
        (Dense(6, "tanh"), Dense(5, "linear")),
        {"dense_1": 9, "dense_2": 8},
        ("dense_1", "dense_2"),
    ),
    "convolutions of tanh": (
        dqn.Config(),
        PICTURE,
        (Conv(4, 6, 2, "tanh"), Conv(3, 3, 1, "linear"), Flatten(), Dense(7, "tanh")),
        {"conv_1": 6},
        ("conv_1", "conv_2", "dense_1"),
    ),
    "actor-critic": (a2c.Config(), VECTOR, NUMBERS, {"dense_1": 9, "dense_2": 8}, ("dense_2",)),
}
REMEMBERING: dict[str, tuple[Any, tuple[Layer, ...], dict[str, int]]] = {
    "lstm": (drqn.Config(), (Dense(6), LSTM(4)), {"dense_1": 9, "lstm_1": 7}),
    "gru, skip": (drqn.Config(), (Dense(6), GRU(4, skip=True), Dense(5)), {"dense_1": 9, "gru_1": 9, "dense_2": 6}),
    "stack": (drqn.Config(), (Dense(6), Stack(3), Dense(5)), {"dense_1": 8, "dense_2": 6}),
    "lstm, dueling": (drqn.Config(dueling=True), (Dense(6), LSTM(4)), {"lstm_1": 7}),
    "attention": (drqn.Config(), (Dense(6), Attention(8, 4, 2), Dense(5)), {"dense_2": 9}),
}


def network_of(config: Any, observation: Observation, body: tuple[Layer, ...]) -> Network:
    kind = {"dqn": dqn, "drqn": drqn, "a2c": a2c}[config.kind]
    return kind.network(config, observation, body, ACTIONS)


def grow(
    config: Any, observation: Observation, body: tuple[Layer, ...], growth: Growth
) -> tuple[Network, Network, Grown]:
    old = network_of(config, observation, body)
    check_head(body, old.layers[-1], growth)
    new = network_of(config, observation, grown_body(body, growth))
    return old, new, Grown(old, new, body, growth)


def learner(framework: str, config: Any, network: Network, weights: Any, precision: str = "float64") -> Any:
    loss = {"dqn": dqn, "drqn": drqn, "a2c": a2c}[config.kind].make_loss(config)
    return frameworks.load(framework).Learner(network, loss, Adam(max_norm=None), weights, precision)


@pytest.mark.parametrize("case", FLAT)
@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_a_larger_network_computes_the_same(framework: str, case: str, noise: float) -> None:
    config, observation, body, wider, deeper = FLAT[case]
    old, new, grown = grow(config, observation, body, Growth(wider, deeper, noise, seed=1))
    weights, obs = make_weights(old), make_batch(observation, np.random.default_rng(2)).obs
    larger = grown.weights(weights)
    assert {name: array.shape for name, array in larger.items()} == new.tensors()
    before, after = learner(framework, config, old, weights), learner(framework, config, new, larger)
    empty = (np.zeros((8, 0)), np.ones(8, bool)) if new.unrolls else ()
    close(framework, "outputs", after.act(obs, *empty)[0], before.act(obs, *empty)[0], 1e-12)


@pytest.mark.parametrize("case", REMEMBERING)
@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_a_larger_memory_computes_the_same_from_any_state(framework: str, case: str, noise: float) -> None:
    config, body, wider = REMEMBERING[case]
    old, new, grown = grow(config, VECTOR, body, Growth(wider, (), noise, seed=1))
    weights, rng = make_weights(old), np.random.default_rng(2)
    before = learner(framework, config, old, weights)
    after = learner(framework, config, new, grown.weights(weights))
    state = np.tanh(rng.standard_normal((8, sum(old.state_sizes))))
    larger = grown.states(state)
    assert larger.shape[1] == sum(new.state_sizes)
    for step in range(4):
        obs, reset = make_batch(VECTOR, rng).obs, np.arange(8) == step
        wanted, state = before.act(obs, state, reset)
        found, larger = after.act(obs, larger, reset)
        close(framework, "outputs", found, wanted, 1e-12, step)
        close(framework, "state", larger, grown.states(state), 1e-12, step)


@pytest.mark.parametrize(
    ("framework", "case"),
    [("torch", "convolutions"), ("torch", "dueling"), ("torch", "dense"), ("jax", "dense"), ("keras", "dense")],
)
def test_the_moments_are_those_that_the_larger_network_would_have(framework: str, case: str) -> None:
    """One update of each on the same batch, from the same function."""
    config, observation, body, wider, _ = FLAT[case]
    old, new, grown = grow(config, observation, body, Growth(wider))
    weights, batch = make_weights(old), make_batch(observation, np.random.default_rng(3))
    before, after = learner(framework, config, old, weights), learner(framework, config, new, grown.weights(weights))
    before.update(batch, 0.0)
    after.update(batch, 0.0)
    check_moments(framework, grown, before.get_state(), after.get_state(), old)


@pytest.mark.parametrize(
    ("framework", "case"), [("torch", "lstm"), ("torch", "gru, skip"), ("jax", "gru, skip"), ("keras", "lstm")]
)
def test_the_moments_of_a_memory_are_those_that_the_larger_one_would_have(framework: str, case: str) -> None:
    """One update of each on the same sequences, with a burn-in, from states that mean the same."""
    _, body, wider = REMEMBERING[case]
    old, new, grown = grow(memory_ladder.CONFIG, VECTOR, body, Growth(wider))
    weights, batch = make_weights(old), memory_ladder.make_batch(old, np.random.default_rng(3))
    before = learner(framework, memory_ladder.CONFIG, old, weights)
    after = learner(framework, memory_ladder.CONFIG, new, grown.weights(weights))
    before.update(batch, 0.0)
    after.update(batch._replace(state=grown.states(batch.state)), 0.0)
    check_moments(framework, grown, before.get_state(), after.get_state(), old)


def check_moments(framework: str, grown: Grown, small: Any, large: Any, old: Network) -> None:
    for moment, power in (("m", 1), ("v", 2)):
        had = {name: small[f"adam/{moment}/{name}"] for name in old.tensors()}
        assert all(array.any() for array in had.values())
        for name, value in grown.moments(had, power).items():
            close(framework, f"adam/{moment}/{name}", value, large[f"adam/{moment}/{name}"])


def test_noise_parts_the_copies_and_is_the_same_again() -> None:
    _, _, alike = grow(dqn.Config(), VECTOR, NUMBERS, Growth({"dense_1": 12}))
    old, _, parted = grow(dqn.Config(), VECTOR, NUMBERS, Growth({"dense_1": 12}, noise=0.1))
    weights = make_weights(old)
    plain, noisy = alike.weights(weights), parted.weights(weights)
    units = alike.pieces[0].units
    twins = [np.flatnonzero(units == unit) for unit in range(6) if (units == unit).sum() > 1]
    assert twins
    for first, second, *_ in twins:
        assert (plain["dense_2/kernel"][first] == plain["dense_2/kernel"][second]).all()
        assert (noisy["dense_2/kernel"][first] != noisy["dense_2/kernel"][second]).all()
    again = grow(dqn.Config(), VECTOR, NUMBERS, Growth({"dense_1": 12}, noise=0.1))[2].weights(weights)
    assert all((again[name] == noisy[name]).all() for name in noisy)
    other = grow(dqn.Config(), VECTOR, NUMBERS, Growth({"dense_1": 12}, noise=0.1, seed=1))[2].weights(weights)
    assert any((other[name] != noisy[name]).any() for name in noisy)


def test_float32_stays_float32_and_a_frozen_tensor_has_no_moments() -> None:
    old, _, grown = grow(dqn.Config(), VECTOR, NUMBERS, Growth({"dense_1": 12}, ("dense_2",)))
    weights = {name: array.astype(np.float32) for name, array in make_weights(old).items()}
    assert {array.dtype.name for array in grown.weights(weights).values()} == {"float32"}
    assert grown.moments({"head/bias": weights["head/bias"]}, 1).keys() == {"head/bias"}


def test_origins_say_where_each_tensor_comes_from() -> None:
    _, _, grown = grow(dqn.Config(), VECTOR, NUMBERS, Growth({"dense_2": 8}, ("dense_1",)))
    assert grown.origins() == {
        "dense_1/kernel": "as it was",
        "dense_1/bias": "as it was",
        "dense_2/kernel": "new: gives what it gets",
        "dense_2/bias": "new: gives what it gets",
        "dense_3/kernel": "grown from (6, 5) of dense_2/kernel",
        "dense_3/bias": "grown from (5,) of dense_2/bias",
        "head/kernel": "grown from (5, 3)",
        "head/bias": "as it was",
    }


@pytest.mark.parametrize(
    ("case", "growth", "line"),
    [
        ("dense", ({"dense_3": 9}, ()), "wider is 'dense_3'; allowed: a layer that can be wider: dense_1, dense_2"),
        ("dense", ({"head": 9}, ()), "wider is 'head'"),
        (
            "tanh",
            ({}, ("policy_hidden_1",)),
            "deeper is 'policy_hidden_1'; allowed: a layer behind .*: dense_1, dense_2",
        ),
        ("dense", ({"dense_1": 6}, ()), "wider is 'dense_1=6'; allowed: more than 6, which it has"),
        (
            "dense",
            ({}, ("lstm_1",)),
            "deeper is 'lstm_1'; allowed: a layer behind which one can be put: dense_1, dense_2",
        ),
        ("convolutions", ({}, ("flatten_1",)), "deeper is 'flatten_1'"),
        ("dueling", ({}, ("dense_1",)), "deeper is 'dense_1'; allowed: another layer, as the two streams"),
        ("dense", ({}, ()), "grow is 'nothing'; allowed: --wider"),
    ],
)
def test_what_cannot_grow_is_refused(case: str, growth: Any, line: str) -> None:
    with pytest.raises(InputError, match=line):
        grow(*FLAT[case][:3], Growth(*growth))


@pytest.mark.parametrize(
    ("body", "wider", "line"),
    [
        (
            (Dense(6), Attention(8, 4, 2)),
            {"dense_1": 9},
            "wider is 'a layer before attention_1'; allowed: layers behind it",
        ),
        ((Dense(6), Attention(8, 4, 2)), {"attention_1": 16}, "wider is 'attention_1'; allowed: .*: dense_1"),
    ],
)
def test_a_memory_that_cannot_take_more_is_named(body: Any, wider: Any, line: str) -> None:
    with pytest.raises(InputError, match=line):
        grow(drqn.Config(), VECTOR, body, Growth(wider))


def test_what_looks_at_places_is_left_alone() -> None:
    body: tuple[Layer, ...] = (Conv(4, 6, 2), VisualAttention(8, 6), Dense(5))
    with pytest.raises(InputError, match="a layer before visual_attention_1"):
        grow(drqn.Config(), PICTURE, body, Growth({"conv_1": 6}))
    old, new, grown = grow(drqn.Config(), PICTURE, body, Growth({"dense_1": 6}))
    assert grown.weights(make_weights(old)).keys() == new.tensors().keys()
    assert dataclasses.asdict(Growth({"dense_1": 6})) == {
        "wider": {"dense_1": 6},
        "deeper": (),
        "noise": 0.0,
        "seed": 0,
    }
