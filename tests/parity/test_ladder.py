"""Ops, layer, network, loss, gradient, one update, 1,000 updates: the same in every framework, in float64."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from tests.parity import ladder
from tests.parity.op_cases import check_ops
from triptych import frameworks
from triptych.frameworks import numpy_ops, xla
from triptych.spec import Adam, Optimiser, RMSprop


def test_every_ops_file_offers_the_same_names(framework: str) -> None:
    from tests.parity.op_cases import ops_of

    assert sorted(ops_of(framework).__all__) == sorted(numpy_ops.__all__)
    assert all(callable(getattr(ops_of(framework), name)) for name in numpy_ops.__all__)


def test_ops(framework: str) -> None:
    check_ops(framework)


def test_layer(framework: str) -> None:
    ladder.check_layer(framework)


def test_network(framework: str) -> None:
    ladder.check_network(framework)


def test_loss(framework: str) -> None:
    ladder.check_loss(framework)


def test_gradient(framework: str) -> None:
    ladder.check_gradient(framework)


def test_update(framework: str) -> None:
    ladder.check_update(framework)


def test_rmsprop(framework: str) -> None:
    ladder.check_rmsprop(framework)


def test_a_hundred_updates_with_rmsprop() -> None:
    ladder.check_stream(ladder.NAMES, 100, optimiser=RMSprop(learning_rate=1e-3))
    ladder.check_stream(ladder.NAMES, 100, ladder.PICTURE, optimiser=RMSprop(learning_rate=1e-3, max_norm=None))


def test_gradients_then_apply_is_update(framework: str) -> None:
    ladder.check_halves(framework)


def test_gradients_are_the_same_in_every_framework() -> None:
    ladder.check_gradients(ladder.NAMES)


def test_target(framework: str) -> None:
    ladder.check_target(framework)


def test_a_thousand_updates_on_one_stream() -> None:
    ladder.check_stream(ladder.NAMES, 1_000)


def test_a_hundred_updates_on_pictures() -> None:
    ladder.check_stream(ladder.NAMES, 100, ladder.PICTURE)


def test_a_picture_and_numbers(framework: str) -> None:
    ladder.check_parts(framework)


def test_a_hundred_updates_on_pictures_and_numbers() -> None:
    ladder.check_stream(ladder.NAMES, 100, ladder.BOTH)


def test_float32_is_near(framework: str) -> None:
    """A smoke test only: one update in float32 lies within 1e-5 of float64."""
    losses = []
    for precision in ("float32", "float64"):
        learner = ladder.make_learner(framework, ladder.VECTOR, Adam(), precision)
        batch = ladder.make_batch(ladder.VECTOR, np.random.default_rng(1), precision)
        losses.append(float(learner.update(batch, 1e-3)["loss"]))
        assert learner.get_weights()["head/kernel"].dtype == precision
    ladder.close(framework, "loss", losses[0], losses[1], 1e-5)


def test_bfloat16(framework: str) -> None:
    ladder.check_bfloat16(framework)


@pytest.mark.parametrize("optimiser", [Adam(), RMSprop()])
def test_state_goes_from_any_framework_to_any_other(framework: str, optimiser: Optimiser) -> None:
    """Optimiser and target included: after the move both learn the same."""
    rng = np.random.default_rng(12)
    first = ladder.make_learner(framework, ladder.PICTURE, optimiser)
    for _ in range(3):
        first.update(ladder.make_batch(ladder.PICTURE, rng), 1e-3)
    state = first.get_state()
    batch = ladder.make_batch(ladder.PICTURE, rng)
    first.update(batch, 1e-3)
    for name in ladder.NAMES:
        other = ladder.make_learner(name, ladder.PICTURE, optimiser)
        other.set_state(state)
        for tensor, value in other.get_state().items():
            ladder.close(name, tensor, value, state[tensor], 0)
        other.update(batch, 1e-3)
        for tensor, value in first.get_state().items():
            ladder.close(name, tensor, other.get_state()[tensor], value, step=4)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_resumed_state_gives_the_same_bits(framework: str, precision: str) -> None:
    rng = np.random.default_rng(13)
    batches = [ladder.make_batch(ladder.PICTURE, rng, "float32") for _ in range(4)]
    first = ladder.make_learner(framework, ladder.PICTURE, precision=precision)
    for batch in batches[:2]:
        first.update(batch, 1e-3)
    second = ladder.make_learner(framework, ladder.PICTURE, precision=precision)
    second.set_state(first.get_state())
    for batch in batches[2:]:
        assert np.array_equal(first.act(batch.obs)[0], second.act(batch.obs)[0])
        first.update(batch, 1e-3)
        second.update(batch, 1e-3)
        for learner in (first, second):
            learner.sync_target()
    for tensor, value in first.get_state().items():
        assert np.array_equal(value, second.get_state()[tensor]), tensor


def test_parts_of_a_batch_are_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch and JAX cut a batch of pictures for their threads; the loss and every tensor stay what they were."""
    batch = ladder.make_batch(ladder.PICTURE, np.random.default_rng(15))
    for name in ("torch", "jax"):
        learners = []
        for threads in (1, 3):  # which do not divide the batch of 8
            monkeypatch.setattr(frameworks, "THREADS", threads)
            learners.append(ladder.make_learner(name, ladder.PICTURE))
        whole, cut = learners
        if name == "torch":
            parts = cut.online_values.outputs((cut.to_device(batch.obs),), False)
            assert [len(values) for (values,) in parts] == [3, 3, 2]
        ladder.close(name, "values", cut.act(batch.obs)[0], whole.act(batch.obs)[0])
        ladder.close(name, "one value", cut.act(batch.obs[:1])[0], whole.act(batch.obs[:1])[0])
        losses = [float(learner.update(batch, 1e-3)["loss"]) for learner in learners]
        ladder.close(name, "loss", losses[1], losses[0])
        for tensor, value in whole.get_state().items():
            ladder.close(name, tensor, cut.get_state()[tensor], value)


def convolved(pictures: int, monkeypatch: pytest.MonkeyPatch, by: str = "") -> list[np.ndarray]:
    """JAX's values, loss and weights after an update, convolving so many pictures at once."""
    monkeypatch.setattr(xla, "CONVOLUTIONS", by)
    monkeypatch.setitem(xla.WAYS, by, (xla.WAYS[by][0], pictures))
    batch = ladder.make_batch(ladder.PICTURE, np.random.default_rng(16))
    learner = ladder.make_learner("jax", ladder.PICTURE)
    values, _ = learner.act(batch.obs)
    return [values, np.asarray(learner.update(batch, 1e-3)["loss"]), *learner.get_state().values()]


@pytest.mark.parametrize("by", xla.WAYS)
def test_pictures_convolved_a_few_at_a_time_by_whomever_are_the_whole(by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for found, wanted in zip(convolved(3, monkeypatch, by), convolved(8, monkeypatch), strict=True):
        ladder.close("jax", "convolved a few at a time", found, wanted)


def test_pieces_put_together_wrongly_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = convolved(8, monkeypatch)
    net = importlib.import_module("triptych.frameworks.jax.net")
    keep = net.in_pieces
    monkeypatch.setattr(net, "in_pieces", lambda module, most, x: net.jnp.roll(keep(module, most, x), 1, 0))
    with pytest.raises(AssertionError):
        ladder.close("jax", "convolved a few at a time", convolved(3, monkeypatch)[0], whole[0])


def test_b_against_b_by_1_is_refused(framework: str) -> None:
    batch = ladder.make_batch(ladder.VECTOR, np.random.default_rng(14))
    learner = ladder.make_learner(framework, ladder.VECTOR)
    with pytest.raises(ValueError, match="r_t has shape"):
        learner.update(batch._replace(reward=batch.reward[:, None]), 1e-3)


@pytest.mark.gpu
def test_gpu_matches_the_processor(framework: str) -> None:
    """One float32 update on the GPU lies near the float64 oracle. Run on a machine with one: pytest -m gpu."""
    learner = ladder.make_learner(framework, ladder.PICTURE, precision="float32")
    assert learner.device != "cpu", f"{framework} sees no GPU here"
    batch = ladder.make_batch(ladder.PICTURE, np.random.default_rng(4), "float32")
    weights = ladder.make_weights(ladder.make_net(ladder.PICTURE))
    loss, _ = ladder.numpy_loss(ladder.PICTURE, weights, weights, batch)
    ladder.close(framework, "loss", float(learner.update(batch, 1e-3)["loss"]), loss, 1e-3)
