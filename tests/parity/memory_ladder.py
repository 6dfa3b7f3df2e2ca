"""The rungs of networks with memory: each takes a framework and raises AssertionError naming it, tensor and step."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.own_memory import Average
from tests.parity.ladder import against_differences, close, gradients_of, make_weights
from tests.parity.memory_oracle import unroll
from triptych import frameworks
from triptych.algorithms import drqn
from triptych.losses.shapes import steps_of
from triptych.spec import (
    GRU,
    LSTM,
    RNN,
    Adam,
    Attention,
    Conv,
    Dense,
    Flatten,
    Layer,
    Network,
    NeuralMap,
    Observation,
    Part,
    Stack,
    VisualAttention,
    each,
)
from triptych.spec.batches import Sequence

VECTOR = Observation((5,), "float32")
PICTURE = Observation((2, 14, 13), "uint8")
PLACED = Observation.of({"numbers": Part((5,), "float32"), "position": Part((2,), "float32", is_place=True)})
ACTIONS, BATCH = 3, 4
CONFIG = drqn.Config(
    batch_size=BATCH, sequence_length=7, burn_in=3, n_step=2, delta=0.1, replay_size=1_000, double=True
)
KINDS: dict[str, tuple[Layer, ...]] = {
    "none": (),
    "rnn": (RNN(6),),
    "gru": (GRU(6),),
    "gru-skip": (GRU(5, skip=True),),
    "lstm": (LSTM(6),),
    "lstm-fan-in": (LSTM(6, initialiser="fan_in_uniform"),),
    "stack": (Stack(3),),
    "stack-lstm": (Stack(2), LSTM(5)),
    "attention": (Attention(8, length=4, heads=2),),
    "own": (Average(),),
    "attention-gated": (Attention(6, length=3, heads=3, gated=True),),
}
MAPS: dict[str, NeuralMap] = {
    "map": NeuralMap(4, 3),
    "map-plain": NeuralMap(5, 2, gated=False),
    "map-egocentric": NeuralMap(5, 3, egocentric=True, skip=True, forget_bias=1.5),
    "map-blind": NeuralMap(2, 3, context=False, gated=False, egocentric=True),
}
ONE = tuple(kind for kind in KINDS if kind not in ("stack-lstm", "own"))  # whose oracle is written


def make_net(kind: str, config: drqn.Config = CONFIG) -> Network:
    """A layer, the memory, a layer and the head; the visual one on a convolution of pictures."""
    if kind == "visual":
        return drqn.network(config, PICTURE, (Conv(3, 5, 3), VisualAttention(5, hidden=4), Dense(6)), ACTIONS)
    if kind == "pictures":
        return drqn.network(config, PICTURE, (Conv(3, 5, 3), Flatten(), LSTM(5), Dense(6)), ACTIONS)
    if kind in MAPS:
        return drqn.network(config, PLACED, (Dense(6), MAPS[kind], Dense(7)), ACTIONS)
    return drqn.network(config, VECTOR, (Dense(6), *KINDS[kind], Dense(7)), ACTIONS)


def make_learner(framework: str, network: Network, config: drqn.Config = CONFIG, adam: Adam | None = None) -> Any:
    return frameworks.load(framework).Learner(
        network, drqn.make_loss(config), adam or Adam(), make_weights(network), "float64"
    )


def state_size(network: Network) -> int:
    return sum(network.state_sizes)


def make_state(network: Network, rng: np.random.Generator) -> np.ndarray:
    """A random state where it is a vector; where it is past inputs, none."""
    vector = any(
        isinstance(layer, RNN | GRU | LSTM | VisualAttention | Average | NeuralMap) for layer in network.layers
    )
    shape = (BATCH, state_size(network))
    maps = [layer for layer in network.layers if isinstance(layer, NeuralMap) and layer.egocentric]
    if maps:
        place = rng.integers(maps[0].size, size=(BATCH, 2))
        return np.concatenate([rng.standard_normal((BATCH, shape[1] - 3)) * 0.5, place, np.ones((BATCH, 1))], axis=1)
    return rng.standard_normal(shape) * 0.5 if vector else np.zeros(shape)


def observations(network: Network, steps: int, rng: np.random.Generator) -> Any:
    """Random ones; a position goes a place on or stays, each way, and may begin anywhere."""
    if network.observation.is_several:
        walk = rng.random((1, BATCH, 2)) + 0.3 * rng.integers(-1, 2, (steps, BATCH, 2)).cumsum(axis=0)
        walk = np.abs((walk + 1) % 2 - 1)  # turns at the edges
        return {"numbers": rng.standard_normal((steps, BATCH, 5)), "position": walk}
    shape = (steps, BATCH, *network.observation.shape)
    if network.observation.is_picture:
        return rng.integers(0, 256, shape, dtype=np.uint8)
    return rng.standard_normal(shape)


def make_batch(network: Network, rng: np.random.Generator, config: drqn.Config = CONFIG) -> Sequence:
    """A stored start, an episode that begins inside the burn-in, one that begins after it, one that ends early."""
    steps, learned = config.sequence_length + config.n_step, config.sequence_length - config.burn_in
    reset = np.zeros((steps, BATCH), bool)
    reset[1, 1] = reset[config.burn_in, 2] = True
    mask = np.ones((learned, BATCH))
    mask[learned // 2 :, 3] = 0
    shape = (learned, BATCH)
    return Sequence(
        obs=observations(network, steps, rng),
        reset=reset,
        state=make_state(network, rng),
        action=rng.integers(ACTIONS, size=shape, dtype=np.int32),
        reward=rng.standard_normal(shape),
        discount=0.9 * (rng.random(shape) < 0.8),
        ahead=rng.integers(1, config.n_step + 1, size=shape, dtype=np.int32),
        mask=mask,
        weight=0.5 + rng.random(BATCH) / 2,
    )


def numpy_loss(
    network: Network, online: dict, target: dict, batch: Sequence, config: drqn.Config, burnt_in: dict | None = None
) -> tuple[float, np.ndarray]:
    """DRQN's loss, sample by sample, and its priorities. The burn-in of `online` runs with the weights `burnt_in`."""
    start, learned = config.burn_in, config.sequence_length - config.burn_in

    def values(weights: dict, first: dict) -> np.ndarray:
        burnt, learned = steps_of(batch.obs, 0, start), steps_of(batch.obs, start)
        histories = unroll(network, first, burnt, batch.state, batch.reset[:start])[1] if start else None
        return unroll(network, weights, learned, histories or batch.state, batch.reset[start:])[0]

    q, q_target = values(online, burnt_in or online), values(target, target)
    errors = np.zeros((learned, BATCH))
    for t in range(learned):
        for game in range(BATCH):
            ahead = t + batch.ahead[t, game]
            best = (q if config.double else q_target)[ahead, game].argmax()
            goal = batch.reward[t, game] + batch.discount[t, game] * q_target[ahead, game, best]
            errors[t, game] = goal - q[t, game, batch.action[t, game]]
    size = np.abs(errors)
    each = np.where(size <= config.delta, 0.5 * errors**2, config.delta * (size - 0.5 * config.delta))
    each = {"huber": each, "squared": errors**2, "absolute": size}[config.loss]
    loss = (batch.weight * batch.mask * each).sum() / batch.mask.sum()
    size = size * batch.mask
    return loss, 0.9 * size.max(axis=0) + 0.1 * size.sum(axis=0) / batch.mask.sum(axis=0)


def check_acting(framework: str, kind: str) -> None:
    """Step by step, with episodes that begin in between, against the oracle."""
    network, rng = make_net(kind), np.random.default_rng(1)
    learner, obs = make_learner(framework, network), observations(network, 9, rng)
    reset = rng.random((9, BATCH)) < 0.2
    state = first = make_state(network, rng)
    outputs, last = unroll(network, make_weights(network), obs, first, reset)
    for t in range(9):
        found, state = learner.act(each(lambda part, t=t: part[t], obs), state, reset[t])
        close(framework, f"{kind}: outputs", found, outputs[t], step=t)
    if kind in ("rnn", "gru", "lstm"):
        close(framework, f"{kind}: state", state, np.stack([history.state for history in last]))


def check_learning(framework: str, kind: str, config: drqn.Config = CONFIG) -> None:
    """Loss and priorities of sequences, with a target that differs from the online network."""
    network = make_net(kind, config)
    batch = make_batch(network, np.random.default_rng(2), config)
    online, target = make_weights(network, 7), make_weights(network, 8)
    learner = make_learner(framework, network, config)
    learner.set_weights(target)
    learner.sync_target()
    learner.set_weights(online)
    aux = learner.update(batch, 0.0)
    loss, priority = numpy_loss(network, online, target, batch, config)
    close(framework, f"{kind}: loss", aux["loss"], loss)
    close(framework, f"{kind}: priority", aux["td_error"], priority)


def check_gradient(framework: str, kind: str) -> None:
    """Gradients against finite differences of the oracle's loss; none passes through the burn-in."""
    network, adam = make_net(kind), Adam(max_norm=None)
    batch, weights = make_batch(network, np.random.default_rng(3)), make_weights(network)
    learner = make_learner(framework, network, adam=adam)
    learner.update(batch, 0.0)
    against_differences(
        framework,
        f"{kind}: ",
        gradients_of(learner, adam),
        weights,
        lambda moved: numpy_loss(network, moved, weights, batch, CONFIG, weights)[0],
    )
