"""Which tensors of one network another one takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from triptych.algorithms import dqn
from triptych.spec import Conv, Dense, Flatten, Layer, Network, Observation
from triptych.spec.reuse import NOT_ASKED, TAKEN, layer_of, means, reuse, selected, table
from triptych.spec.weights import Weights, initial_weights
from triptych.utils.checks import InputError

PICTURE = Observation((4, 20, 20), "uint8")
BODY: tuple[Layer, ...] = (Conv(4, 6, 2), Conv(3, 3, 1), Flatten(), Dense(7))


def network(body: tuple[Layer, ...] = BODY, actions: int = 3) -> Network:
    return dqn.network(dqn.Config(), PICTURE, body, actions)


def drawn(of: Network, seed: int = 0) -> Weights:
    return initial_weights(of, np.random.default_rng(seed))


def taken(into: Network, *take: str, source: Network | None = None) -> Any:
    return reuse(drawn(source or network()), into, np.random.default_rng(1), take, "file")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("conv", ["conv_1/kernel", "conv_1/bias", "conv_2/kernel", "conv_2/bias"]),
        ("conv_2", ["conv_2/kernel", "conv_2/bias"]),
        ("dense-1", ["dense_1/kernel", "dense_1/bias"]),
        ("head/bias", ["head/bias"]),
    ],
)
def test_a_word_means_a_layer_a_kind_of_layer_or_a_tensor(word: str, meant: list[str]) -> None:
    assert list(selected([word], network().tensors(), "take")) == meant


def test_a_number_alone_tells_layers_apart() -> None:
    assert not means("conv_1", "conv_10/kernel")


def test_the_same_network_takes_everything() -> None:
    found, source = taken(network()), drawn(network())
    assert set(found.origins.values()) == {TAKEN}
    assert all((found.weights[name] == source[name]).all() for name in source)


def test_what_was_not_asked_for_is_drawn_as_if_nothing_had_been_taken() -> None:
    found, source, fresh = taken(network(), "conv"), drawn(network()), drawn(network(), 1)
    for name, origin in found.origins.items():
        wanted = source if layer_of(name).startswith("conv") else fresh
        assert origin == (TAKEN if wanted is source else NOT_ASKED)
        assert (found.weights[name] == wanted[name]).all(), name
    assert found.misfits == {}


def test_a_layer_of_another_shape_is_fresh_as_a_whole() -> None:
    found = taken(network(actions=5))
    assert found.misfits == {
        "head/kernel": "fresh: has shape (7, 3) there, (7, 5) here",
        "head/bias": "fresh: has shape (3,) there, (5,) here",
    }
    wider = taken(
        network((Conv(4, 6, 2), Conv(3, 3, 1), Flatten(), Dense(7)), 3), source=network((*BODY[:3], Dense(9)))
    )
    assert wider.origins["head/bias"] == "fresh: its layer does not fit (head/kernel)"
    assert wider.origins["conv_2/kernel"] == TAKEN


def test_another_network_altogether_is_refused() -> None:
    with pytest.raises(InputError, match=r"file: none of its layers fits this network \(conv_1/kernel has shape"):
        taken(network((Conv(5, 6, 2), Flatten(), Dense(8))))


@pytest.mark.parametrize("word", ["lstm", "conv_3", "", "kernel"])
def test_a_layer_that_does_not_exist_is_refused(word: str) -> None:
    with pytest.raises(InputError, match=r"take is .*; allowed: a layer \(conv_1, conv_2, dense_1, head\)"):
        taken(network(), word)


def test_the_table_has_a_line_for_each_tensor() -> None:
    found = taken(network(actions=5))
    lines = table(network(actions=5).tensors(), found.origins, ["conv_1/kernel"])
    assert lines[0] == "conv_1/kernel   (6, 6, 4, 4)  taken, frozen"
    assert lines[-1] == "head/bias       (5,)          fresh: has shape (3,) there, (5,) here"
