"""Specs, shapes, and weights on disk."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.algorithms import dqn
from triptych.recipes import load_recipe
from triptych.spec import Conv, Dense, Flatten, Network, Observation
from triptych.spec.weights import check_weights, fan_in_uniform, glorot_uniform, initial_weights, save_weights
from triptych.utils.checks import InputError
from triptych.utils.files import read_tensors, write_tensors, write_whole

NETWORK = dqn.network(dqn.Config(), Observation((4,), "float32"), (Dense(3),), 2)


def test_space_invaders_network_is_the_originals() -> None:
    recipe = load_recipe("space-invaders")
    network = recipe.make_network(Observation((4, 84, 84), "uint8"), 6)
    outputs = [placed.output_shape for placed in network.placed()]
    assert outputs == [(20, 20, 32), (9, 9, 64), (7, 7, 64), (3136,), (512,), (256,), (6,)]
    assert [placed.layer.activation for placed in network.placed()][-1] == "linear"
    assert sum(int(np.prod(shape)) for shape in network.tensors().values()) == 1_816_998


@settings(deadline=None, max_examples=50)
@given(size=st.integers(6, 40), kernel=st.integers(1, 6), stride=st.integers(1, 4), filters=st.integers(1, 5))
def test_conv_shape_is_that_of_sliding_windows(size: int, kernel: int, stride: int, filters: int) -> None:
    windows = np.lib.stride_tricks.sliding_window_view(np.zeros((size, size)), (kernel, kernel))[::stride, ::stride]
    assert Conv(filters, kernel, stride).output_shape((size, size, 3)) == (*windows.shape[:2], filters)


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (Network(Observation((4, 20, 20), "uint8"), (Dense(3),)), "flatten"),
        (Network(Observation((4,), "float32"), (Conv(3, 2),)), "picture"),
        (Network(Observation((4, 20, 20), "uint8"), (Conv(3, 30),)), "kernel is 30"),
    ],
)
def test_layers_that_do_not_fit_are_refused(network: Network, said: str) -> None:
    with pytest.raises(InputError, match=said):
        network.tensors()


def test_initial_weights_are_seeded_and_within_glorots_limit() -> None:
    first, again = (initial_weights(NETWORK, np.random.default_rng(3)) for _ in range(2))
    other = initial_weights(NETWORK, np.random.default_rng(4))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not np.array_equal(first["dense_1/kernel"], other["dense_1/kernel"])
    assert np.all(first["head/bias"] == 0)
    draws, bias = glorot_uniform(np.random.default_rng(0), (8, 8, 4, 32))
    assert np.array_equal(bias, np.zeros(32))
    limit = np.sqrt(6 / (64 * (4 + 32)))
    assert np.abs(draws).max() <= limit
    kernel, spread = fan_in_uniform(np.random.default_rng(0), (100, 5_000))
    assert np.abs(kernel).max() <= 0.1
    assert spread.std() == pytest.approx(0.1 / np.sqrt(3), rel=0.05)
    assert draws.std() == pytest.approx(limit / np.sqrt(3), rel=0.02)


def test_a_transposed_array_survives_the_disk(tmp_path: Path) -> None:
    """safetensors itself reloads it as other numbers."""
    array = np.arange(12.0).reshape(3, 4).T
    write_tensors(tmp_path / "x.safetensors", {"x": array})
    assert np.array_equal(read_tensors(tmp_path / "x.safetensors")[0]["x"], array)


def test_equal_weights_give_equal_files(tmp_path: Path) -> None:
    weights = initial_weights(NETWORK, np.random.default_rng(0))
    for name, content in (("a", weights), ("b", dict(reversed(weights.items())))):
        save_weights(tmp_path / name, content, {"recipe": {"b": 1, "a": 2}})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def fail(temporary: Path) -> None:
        temporary.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_whole(path, fail)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def change(name: str, array: np.ndarray | None) -> dict[str, np.ndarray]:
    weights = initial_weights(NETWORK, np.random.default_rng(0))
    if array is None:
        del weights[name]
    else:
        weights[name] = array
    return weights


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (change("head/bias", None), "head/bias is missing"),
        (change("head/kernel", np.zeros((2, 3))), r"head/kernel has shape \(2, 3\); allowed: \(3, 2\)"),
        (change("more/kernel", np.zeros(2)), "more/kernel is not part"),
    ],
)
def test_weights_of_another_network_are_refused_by_name(weights: dict[str, np.ndarray], said: str) -> None:
    with pytest.raises(InputError, match=said):
        check_weights(weights, NETWORK, "file")


def test_a_truncated_or_foreign_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_weights(path, initial_weights(NETWORK, np.random.default_rng(0)), {})
    path.write_bytes(path.read_bytes()[:-20])
    for broken in (path, tmp_path / "missing"):
        with pytest.raises(InputError):
            read_tensors(broken)
    path.write_text("no safetensors at all")
    with pytest.raises(InputError, match="truncated or no safetensors"):
        read_tensors(path)


def test_flatten_puts_channels_fastest() -> None:
    assert Flatten().output_shape((2, 3, 4)) == (24,)
