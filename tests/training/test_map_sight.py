"""What pictures show of a neural map is what its network computes."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from tests.parity.ladder import make_weights
from triptych import frameworks
from triptych.spec import Adam, Conv, Dense, Flatten, Network, NeuralMap, Observation, Part
from triptych.training.agent import Agent
from triptych.training.map_sight import MapReader, can_read, read

PLACED = Observation.of(
    {
        "image": Part((1, 9, 9), "uint8"),
        "heading": Part((2,), "float32"),
        "position": Part((2,), "float32", is_place=True),
    }
)
STEPS = 12


def played(egocentric: bool) -> tuple[Any, list[tuple[Any, Any, bool, np.ndarray]]]:
    """A network that ends in its map, and steps of it: observation, state before, whether an episode begins, [r, c, w]."""
    layer = NeuralMap(5, 3, egocentric=egocentric)
    network: Any = Network(PLACED, (Conv(2, 3, 3), Flatten(), Dense(5), layer), unrolls=True)
    learner = frameworks.load("torch").Learner(network, None, Adam(), make_weights(network), "float64")
    agent, rng, state, steps = Agent(learner, network), np.random.default_rng(3), None, []
    walk = np.abs((rng.random(2) + 0.3 * rng.integers(-1, 2, (STEPS, 2)).cumsum(axis=0) + 1) % 2 - 1)
    for step, position in enumerate(walk):
        obs = {
            "image": rng.integers(0, 256, (1, 1, 9, 9), np.uint8),
            "position": position[None],
            "heading": rng.random((1, 2)),
        }
        starts = step in (0, 7)
        outputs, after = agent.act(obs, state, np.array([starts]))
        steps.append((obs, state, starts, outputs[0]))
        state = after
    return MapReader(agent, network), steps


@pytest.mark.parametrize("egocentric", [False, True])
def test_the_looks_weigh_the_map_as_the_network_does(egocentric: bool) -> None:
    """The network's context is the mean of the map's places, weighed by what the picture shows."""
    reader, steps = played(egocentric)
    grids = []
    looks = reader.looks
    reader.looks = lambda obs, grid: grids.append(grid) or looks(obs, grid)
    for obs, state, starts, outputs in steps:
        sight = reader(obs, state, starts)
        r, c, _ = np.split(outputs, 3)
        np.testing.assert_allclose(read(reader.own, grids[-1]), r, 1e-12, 1e-12)
        np.testing.assert_allclose(np.einsum("hw,hwc->c", sight.looks, grids[-1]), c, 1e-10, 1e-12)
        np.testing.assert_allclose(sight.strength, np.linalg.norm(grids[-1], axis=2))
        assert sight.strength.any() != starts, "cleared where an episode starts"
        assert not egocentric or sight.place == (2, 2)


def test_the_place_is_the_one_that_is_written() -> None:
    reader, steps = played(egocentric=False)
    for (obs, state, starts, outputs), (_, after, *_) in pairwise(steps):
        column, row = reader(obs, state, starts).place
        np.testing.assert_array_equal(after[0].reshape(5, 5, 3)[row, column], np.split(outputs, 3)[2])


def test_a_network_without_a_map_has_no_such_picture() -> None:
    assert not can_read(Network(PLACED, (Conv(2, 3, 3), Flatten(), Dense(5))))
