"""The rungs of networks with memory in each framework, and the mutations that must turn them red."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from tests.own_memory import Average
from tests.parity import memory_ladder as ladder
from tests.parity.ladder import NAMES, close, is_green, make_weights
from triptych import frameworks
from triptych.algorithms import drqn
from triptych.spec import GRU, LSTM, Dense, register_memory
from triptych.utils.checks import InputError

PARTS = (*ladder.ONE, "visual", "pictures")


@pytest.mark.parametrize("kind", PARTS)
def test_acting(framework: str, kind: str) -> None:
    ladder.check_acting(framework, kind)


@pytest.mark.parametrize("kind", PARTS)
def test_learning(framework: str, kind: str) -> None:
    ladder.check_learning(framework, kind)


@pytest.mark.parametrize(
    "switch", [{"double": False}, {"burn_in": 0}, {"loss": "squared"}, {"loss": "absolute"}, {"dueling": True}], ids=str
)
def test_learning_with_other_switches(framework: str, switch: dict[str, Any]) -> None:
    ladder.check_learning(framework, "gru", dataclasses.replace(ladder.CONFIG, **switch))


@pytest.mark.parametrize("kind", PARTS)
def test_gradient(framework: str, kind: str) -> None:
    ladder.check_gradient(framework, kind)


@pytest.mark.parametrize("kind", ["stack-lstm", "attention-gated", "lstm"])
def test_a_stream_in_all_frameworks(kind: str) -> None:
    """60 updates on one stream of sequences: losses and all tensors agree."""
    network = ladder.make_net(kind)
    learners = {name: ladder.make_learner(name, network) for name in NAMES}
    rng = np.random.default_rng(5)
    for update in range(1, 61):
        batch = ladder.make_batch(network, rng)
        losses = {name: float(learner.update(batch, 1e-3)["loss"]) for name, learner in learners.items()}
        for name in NAMES[1:]:
            close(name, f"{kind}: loss", losses[name], losses[NAMES[0]], step=update)
        if update % 20 == 0:
            states = {name: learner.get_state() for name, learner in learners.items()}
            for name in NAMES[1:]:
                for tensor, value in states[NAMES[0]].items():
                    close(name, tensor, states[name][tensor], value, step=update)


@pytest.mark.parametrize("kind", ["lstm", "stack", "attention", "stack-lstm"])
def test_a_state_goes_on_where_it_was_left(framework: str, kind: str) -> None:
    """Step by step gives what a whole sequence gives: actor and learner are one function."""
    network, rng = ladder.make_net(kind), np.random.default_rng(6)
    learner, weights = ladder.make_learner(framework, network), make_weights(network)
    batch = ladder.make_batch(network, rng)
    state, outputs = batch.state, []
    for obs, reset in zip(batch.obs, batch.reset, strict=True):
        values, state = learner.act(obs, state, reset)
        outputs.append(values)
    # A batch whose reward is what the values make it has no TD error but of the target's, which is the network itself.
    q, start = np.stack(outputs), ladder.CONFIG.burn_in
    learned = ladder.CONFIG.sequence_length - start
    taken = np.take_along_axis(q[start : start + learned], batch.action[..., None], axis=2)[..., 0]
    learner.set_weights(weights)
    learner.sync_target()
    aux = learner.update(batch._replace(reward=taken, discount=0 * batch.discount), 0.0)
    close(framework, f"{kind}: priority", aux["td_error"], np.zeros(ladder.BATCH), 1e-9)


@pytest.mark.parametrize("kind", ["pictures", "visual"])
def test_parts_of_a_batch_are_the_whole(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """PyTorch and JAX cut sequences of pictures for their threads, game by game, states and resets with them."""
    network = ladder.make_net(kind)
    batch = ladder.make_batch(network, np.random.default_rng(9))
    for name in ("torch", "jax"):
        learners = []
        for threads in (1, 3):  # which do not divide the batch of 4
            monkeypatch.setattr(frameworks, "THREADS", threads)
            learners.append(ladder.make_learner(name, network))
        whole, cut = learners
        if name == "torch":
            given = [cut.to_device(array) for array in (batch.obs, batch.state, batch.reset)]
            parts = cut.online_values.outputs(given, False)
            assert [tuple(x.shape[:2]) for x in parts[0]] == [(batch.obs.shape[0], 2), (2, batch.state.shape[1])]
            assert len(parts) == 3
        for found, wanted in zip(
            cut.act(batch.obs[0], batch.state, batch.reset[0]),
            whole.act(batch.obs[0], batch.state, batch.reset[0]),
            strict=True,
        ):
            close(name, f"{kind}: act", found, wanted)
        losses = [float(learner.update(batch, 1e-3)["loss"]) for learner in learners]
        close(name, f"{kind}: loss", losses[1], losses[0])
        for tensor, value in whole.get_state().items():
            close(name, tensor, cut.get_state()[tensor], value)


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_parts_that_are_put_together_wrongly_are_found(framework: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The states of other games, which no shape betrays."""
    if framework == "torch":
        net = part(framework, "net")
        keep = net.joined
        monkeypatch.setattr(net, "joined", lambda parts: (keep(parts)[0], keep(parts[::-1])[1]))
    else:
        numbers = part(framework, "learner").jnp
        keep_split = numbers.array_split
        monkeypatch.setattr(
            numbers,
            "array_split",
            lambda x, count, axis=0: keep_split(x[::-1] if axis == 0 and count > 1 else x, count, axis),
        )
    with pytest.raises(AssertionError, match=framework):
        test_parts_of_a_batch_are_the_whole(monkeypatch, "pictures")


def part(framework: str, name: str) -> Any:
    return importlib.import_module(f"triptych.frameworks.{framework}.{name}")


def reset_is_forgotten(framework: str) -> tuple[Any, str, Any]:
    """The state is never zeroed."""
    layers = part(framework, "layers")
    if framework == "torch":
        keep = layers.Fused.forward
        return layers.Fused, "forward", lambda self, x, state, reset: keep(self, x, state, reset & False)
    if framework == "jax":
        keep_scan = layers.scan
        return layers, "scan", lambda step, state, reset, *inputs: keep_scan(step, state, reset & False, *inputs)
    return layers, "cleared", lambda state, starts: state


def reset_comes_a_step_late(framework: str) -> tuple[Any, str, Any]:
    net = part(framework, "net")
    roll = {
        "torch": lambda reset: importlib.import_module("torch").roll(reset, 1, 0),
        "jax": lambda reset: importlib.import_module("jax.numpy").roll(reset, 1, 0),
        "keras": lambda reset: importlib.import_module("tensorflow").roll(reset, 1, 0),
    }[framework]
    owner = net.MemoryNet if framework == "keras" else net.Net
    name = {"torch": "forward", "jax": "__call__", "keras": "call"}[framework]
    keep = getattr(owner, name)

    def late(self: Any, obs: Any, state: Any = None, reset: Any = None) -> Any:
        return keep(self, obs, state, reset if reset is None else roll(reset))

    return owner, name, late


def state_leaks_between_games(framework: str) -> tuple[Any, str, Any]:
    """Each game gets its neighbour's."""
    learner = part(framework, "learner").Learner
    keep = learner.act
    return learner, "act", lambda self, obs, state, reset: keep(self, obs, np.roll(state, 1, axis=0), reset)


def gradient_goes_through_burn_in(framework: str) -> tuple[Any, str, Any]:
    return part(framework, "ops"), "stop_gradient", lambda x: x * 1


def gates_are_swapped(framework: str) -> tuple[Any, str, Any]:
    """Forget and input, as a library with another order has them."""
    layers = part(framework, "layers")
    if framework == "torch":
        keep = layers.Fused.parameters_with

        def swapped(self: Any, bias: Any) -> list[Any]:
            torch = importlib.import_module("torch")
            order = torch.arange(4 * self.spec.units).unflatten(0, (4, -1))[[1, 0, 2, 3]].flatten()
            return [parameter[order] for parameter in keep(self, bias)]

        return layers.Fused, "parameters_with", swapped
    keep_step = layers.lstm_step

    def other(gates: Any, c: Any) -> Any:
        if framework == "jax":
            jnp = importlib.import_module("jax.numpy")
            i, f, g, o = jnp.split(gates, 4, axis=-1)
            return keep_step(jnp.concatenate([f, i, g, o], axis=-1), c)
        tf = importlib.import_module("tensorflow")
        i, f, g, o = tf.split(gates, 4, axis=-1)
        return keep_step(tf.concat([f, i, g, o], axis=-1), c)

    return layers, "lstm_step", other


def no_relu_gate_bias(framework: str) -> tuple[Any, str, Any]:
    """A GRU whose reset gate is applied before the product has no bias of its own there."""
    layers = part(framework, "layers")
    if framework == "torch":
        keep = layers.FusedGRU.parameters_with
        return layers.FusedGRU, "parameters_with", lambda self, bias: keep(self, 0 * bias)
    keep_build = layers.GRULayer.step
    return layers.GRULayer, "step", lambda self, *given: without_bias(keep_build, self, *given)


def without_bias(step: Callable[..., Any], layer: Any, *given: Any) -> Any:
    class Other:
        def __getattr__(self, name: str) -> Any:
            return 0 * getattr(layer, name) if name == "recurrent_bias" else getattr(layer, name)

    return step(Other(), *given)


def padding_is_learned_from(framework: str) -> tuple[Any, str, Any]:
    keep = drqn.make_loss

    def make_loss(config: Any) -> Any:
        loss = keep(config)
        return lambda xp, online, target, batch: loss(xp, online, target, batch._replace(mask=0 * batch.mask + 1))

    return drqn, "make_loss", make_loss


def window_crosses_episodes(framework: str) -> tuple[Any, str, Any]:
    layers = part(framework, "layers")
    keep = layers.episodes_of
    return layers, "episodes_of", lambda reset, before: 0 * keep(reset, before)


MUTATIONS: list[tuple[Callable[..., None], str, Callable[[str], Any]]] = [
    (ladder.check_acting, "lstm", reset_is_forgotten),
    (ladder.check_acting, "gru", reset_is_forgotten),
    (ladder.check_learning, "lstm", reset_comes_a_step_late),
    (ladder.check_learning, "attention", reset_comes_a_step_late),
    (ladder.check_acting, "lstm", state_leaks_between_games),
    (ladder.check_acting, "lstm", gates_are_swapped),
    (ladder.check_acting, "gru", no_relu_gate_bias),
    (ladder.check_learning, "stack", window_crosses_episodes),
    (ladder.check_learning, "attention", window_crosses_episodes),
    (ladder.check_learning, "lstm", padding_is_learned_from),
    (ladder.check_gradient, "lstm", gradient_goes_through_burn_in),
    (ladder.check_gradient, "attention", gradient_goes_through_burn_in),
]


@pytest.mark.parametrize(
    ("rung", "kind", "mutation"), MUTATIONS, ids=[f"{r.__name__}-{k}-{m.__name__}" for r, k, m in MUTATIONS]
)
def test_mutation_turns_its_rung_red(
    rung: Callable[..., None],
    kind: str,
    mutation: Callable[[str], Any],
    framework: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check = partial(rung, framework, kind)
    is_green(rung, framework, kind)
    owner, name, patched = mutation(framework)
    monkeypatch.setattr(owner, name, patched)
    with pytest.raises(AssertionError):
        check()


def test_the_kinds_have_their_states() -> None:
    assert ladder.make_net("lstm").state_sizes == (12,)
    assert ladder.make_net("stack-lstm").state_sizes == (6, 10)
    assert (GRU(5).state_size((3,)), LSTM(5, skip=True).output_shape((3,))) == (5, (8,))


def test_a_memory_of_one_s_own(framework: str) -> None:
    """Registered from outside by one call: acting, learning and gradients, like ours."""
    network = drqn.network(ladder.CONFIG, ladder.VECTOR, (Dense(6), Average(), Dense(7)), ladder.ACTIONS)
    assert "average_1/decay" in network.tensors()
    for check in (ladder.check_acting, ladder.check_learning, ladder.check_gradient):
        check(framework, "own")


def test_a_kind_has_one_class() -> None:
    class Other(LSTM):
        pass

    with pytest.raises(InputError, match="layer or memory kind is 'lstm'; allowed: one that no other class has"):
        register_memory(Other, torch="a:b", jax="a:b", keras="a:b")
