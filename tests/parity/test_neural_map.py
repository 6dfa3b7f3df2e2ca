"""The neural map's rungs in each framework, and the mutations that must turn them red."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.parity import memory_ladder as ladder
from triptych.algorithms import drqn
from triptych.spec import Dense, NeuralMap, Observation, Part
from triptych.training.map_sight import cell_of
from triptych.utils.checks import InputError

RUNGS = [  # each switch on and off in the gradients
    *((ladder.check_acting, kind) for kind in ladder.MAPS),
    (ladder.check_learning, "map"),
    (ladder.check_gradient, "map-egocentric"),
    (ladder.check_gradient, "map-blind"),
]


@pytest.mark.parametrize(("rung", "kind"), RUNGS, ids=[f"{r.__name__}-{k}" for r, k in RUNGS])
def test_rung(framework: str, kind: str, rung: Callable[[str, str], None]) -> None:
    rung(framework, kind)


def maps(framework: str) -> Any:
    return importlib.import_module(f"triptych.frameworks.{framework}.neural_map")


def roll(framework: str, x: Any) -> Any:
    """One on along the first axis, in the framework's own way."""
    module = {"torch": "torch", "jax": "jax.numpy", "keras": "tensorflow"}[framework]
    return importlib.import_module(module).roll(x, 1, 0)


def other_way(framework: str, x: Any) -> Any:
    """The last axis from its end."""
    return x.flip(-1) if framework == "torch" else x[..., ::-1]


def written_to_the_place_of_the_step_before(framework: str) -> tuple[Any, str, Any]:
    keep = maps(framework).cells_of
    return maps(framework), "cells_of", lambda position, size: roll(framework, keep(position, size))


def x_and_y_are_swapped(framework: str) -> tuple[Any, str, Any]:
    keep = maps(framework).cells_of
    return maps(framework), "cells_of", lambda position, size: keep(other_way(framework, position), size)


def map_is_never_cleared(framework: str) -> tuple[Any, str, Any]:
    module = maps(framework)
    if framework == "jax":
        keep = module.scan
        return module, "scan", lambda step, state, reset, *inputs: keep(step, state, reset & False, *inputs)
    return module, "cleared", lambda grid, starts: grid


def other_games_maps_are_asked(framework: str) -> tuple[Any, str, Any]:
    owner = maps(framework).MapMemory
    keep = owner.ask
    return owner, "ask", lambda self, known, grid: keep(self, known, roll(framework, grid))


def shifted_the_wrong_way(framework: str) -> tuple[Any, str, Any]:
    keep = maps(framework).shifted
    return maps(framework), "shifted", lambda grid, moved: keep(grid, -moved)


def never_shifted(framework: str) -> tuple[Any, str, Any]:
    return maps(framework), "shifted", lambda grid, moved: grid


MUTATIONS: list[tuple[Callable[..., None], str, Callable[[str], Any]]] = [
    (ladder.check_learning, "map", written_to_the_place_of_the_step_before),
    (ladder.check_acting, "map", x_and_y_are_swapped),
    (ladder.check_acting, "map-egocentric", x_and_y_are_swapped),
    (ladder.check_acting, "map", map_is_never_cleared),
    (ladder.check_acting, "map-egocentric", map_is_never_cleared),
    (ladder.check_acting, "map", other_games_maps_are_asked),
    (ladder.check_acting, "map-egocentric", shifted_the_wrong_way),
    (ladder.check_acting, "map-egocentric", never_shifted),
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
    """`test_rung` shows that it is green as shipped."""
    owner, name, patched = mutation(framework)
    monkeypatch.setattr(owner, name, patched)
    with pytest.raises(AssertionError):
        rung(framework, kind)


def test_its_state_is_the_map_and_what_the_shift_needs() -> None:
    assert NeuralMap().state_size((9,)) == 15 * 15 * 32
    assert NeuralMap(4, 3, egocentric=True).state_size((9,)) == 4 * 4 * 3 + 3
    assert NeuralMap(4, 3, skip=True).output_shape((9,)) == (9 + 9,)
    assert (NeuralMap(4, 3).output_shape((9,)), NeuralMap(4, 3, context=False).output_shape((9,))) == ((9,), (6,))


def test_a_place_is_kept_for_longer_by_the_bias_of_its_gate() -> None:
    plain, lasting = (
        ladder.make_weights(
            drqn.network(ladder.CONFIG, ladder.PLACED, (Dense(6), NeuralMap(4, 3, forget_bias=bias)), 3)
        )
        for bias in (0.0, 2.0)
    )
    for name, drawn in plain.items():
        moved = lasting[name] - drawn
        if name.endswith("write_bias"):
            assert np.allclose(moved, [0, 0, 0, -2, -2, -2, 0, 0, 0]), "z, which lets the new in"
        else:
            assert not moved.any(), name
    with pytest.raises(InputError, match=r"forget_bias is 1\.0; allowed: 0 without gates"):
        NeuralMap(4, 3, gated=False, forget_bias=1.0)


@pytest.mark.parametrize("size", [2, 3, 7, 8, 10, 15, 49])
def test_a_position_at_an_edge_is_of_the_place_behind_it(framework: str, size: int) -> None:
    """0 is of the first place, i / size of place i, 1 of the last; pictures show the map with rows and columns of the same rule."""
    edges = np.array([index / size for index in range(size)], np.float32)
    before = np.nextafter(edges[1:], np.float32(0))
    numbers = np.concatenate([edges, before, [1]]).astype(np.float32)
    cells = [*range(size), *range(size - 1), size - 1]
    positions = np.stack([numbers, numbers[::-1]], axis=1)
    expected = np.stack([cells, cells[::-1]], axis=1)
    module = {"torch": "torch", "jax": "jax.numpy", "keras": "tensorflow"}[framework]
    make = getattr(
        importlib.import_module(module),
        "asarray" if framework == "jax" else {"torch": "as_tensor"}.get(framework, "constant"),
    )
    found = np.asarray(maps(framework).cells_of(make(positions[None]), size))[0]
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal([cell_of(position, size) for position in positions], expected)


def test_a_map_of_one_place_is_refused() -> None:
    with pytest.raises(InputError, match="size is 1; allowed: 2 or more: a map of one place holds no place apart"):
        NeuralMap(1)


@pytest.mark.parametrize(
    ("observation", "told"),
    [
        (ladder.VECTOR, "the observation has no part `position`"),
        (
            Observation.of({"numbers": Part((5,), "float32"), "position": Part((2,), "float32")}),
            r"the observation has a part `position` of \(2,\) that is in no known bounds",
        ),
    ],
)
def test_an_observation_without_a_position_is_refused(observation: Observation, told: str) -> None:
    with pytest.raises(InputError, match=f"memory is 'neural_map', and {told}; allowed: an environment"):
        drqn.network(ladder.CONFIG, observation, (Dense(6), NeuralMap(4, 3)), 3).tensors()
