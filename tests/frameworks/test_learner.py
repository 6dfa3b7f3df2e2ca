"""The learner's two halves, `gradients` and `apply`: what they take, what they give, what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from tests.parity import ladder
from triptych import frameworks
from triptych.spec import Adam
from triptych.utils.checks import InputError


@pytest.mark.parametrize("precision", ["float32", "float64", "bfloat16"])
def test_gradients_are_numpy_copies_in_the_stored_precision(framework: str, precision: str) -> None:
    learner = ladder.make_learner(framework, ladder.PICTURE, Adam(), precision)
    stored = "float32" if precision == "bfloat16" else precision
    rng = np.random.default_rng(1)
    found, aux = learner.gradients(ladder.make_batch(ladder.PICTURE, rng, stored))
    assert {name: gradient.shape for name, gradient in found.items()} == ladder.make_net(ladder.PICTURE).tensors()
    assert {gradient.dtype.name for gradient in found.values()} == {stored}
    assert "gradient_norm" not in aux
    kept = {name: gradient.copy() for name, gradient in found.items()}
    learner.gradients(ladder.make_batch(ladder.PICTURE, rng, stored))
    learner.apply(found, 1e-3)
    assert all(np.array_equal(found[name], kept[name]) for name in found), "they are nobody else's memory"


def test_halves_and_updates_may_alternate(framework: str) -> None:
    whole, mixed = (ladder.make_learner(framework, ladder.VECTOR) for _ in range(2))
    rng = np.random.default_rng(2)
    for step in range(4):
        batch = ladder.make_batch(ladder.VECTOR, rng)
        whole.update(batch, 1e-3)
        if step % 2:
            mixed.apply(mixed.gradients(batch)[0], 1e-3)
        else:
            mixed.update(batch, 1e-3)
    for name, value in whole.get_state().items():
        ladder.close(framework, name, mixed.get_state()[name], value, 1e-12)


def test_a_mean_of_gradients_is_one_step(framework: str) -> None:
    """What several processes do: each half a batch, and their mean applied, in another order and of another dtype."""
    whole, shared = (ladder.make_learner(framework, ladder.VECTOR, Adam(max_norm=None)) for _ in range(2))
    batch = ladder.make_batch(ladder.VECTOR, np.random.default_rng(3))
    parts = [shared.gradients(type(batch)(*(array[half] for array in batch)))[0] for half in (slice(4), slice(4, 8))]
    mean = {name: (parts[0][name] + parts[1][name]) / 2 for name in reversed(parts[0])}
    shared.apply(mean, 1e-3)
    whole.update(batch, 1e-3)
    for name, value in whole.get_state().items():
        ladder.close(framework, name, shared.get_state()[name], value)


def test_read_only_batches_and_weights_are_taken(framework: str) -> None:
    learner = ladder.make_learner(framework, ladder.VECTOR)
    batch, weights = ladder.make_batch(ladder.VECTOR, np.random.default_rng(4)), learner.get_weights()
    for array in (*batch, *weights.values()):
        array.flags.writeable = False
    learner.set_weights(weights)
    found, _ = learner.gradients(batch)
    learner.update(batch, 1e-3)
    assert all(np.isfinite(gradient).all() for gradient in found.values())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"head/bias": None}, "head/bias is missing"),
        ({"head/kernel": np.zeros((3, 16))}, r"head/kernel has shape \(3, 16\)"),
        ({"more/kernel": np.zeros(2)}, "more/kernel is not part"),
    ],
)
def test_gradients_of_another_network_are_refused_by_name(
    framework: str, change: dict[str, np.ndarray | None], said: str
) -> None:
    learner = ladder.make_learner(framework, ladder.VECTOR)
    found, _ = learner.gradients(ladder.make_batch(ladder.VECTOR, np.random.default_rng(5)))
    before = learner.get_state()
    given = {name: array for name, array in (found | change).items() if array is not None}
    with pytest.raises(InputError, match=said):
        learner.apply(given, 1e-3)
    assert all(np.array_equal(array, before[name]) for name, array in learner.get_state().items())


def test_pytorch_has_the_runs_threads_whoever_imported_it_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """A notebook's `import torch` gives it all cores, which wait for each other a hundred times as long as they work."""
    import torch

    torch.set_num_threads(4)
    monkeypatch.setattr(frameworks, "THREADS", 2)
    ladder.make_learner("torch", ladder.VECTOR)
    assert torch.get_num_threads() == 2
    ladder.make_learner("torch", ladder.PICTURE)  # cut into two parts, each of them on a thread of its own
    assert torch.get_num_threads() == 1
