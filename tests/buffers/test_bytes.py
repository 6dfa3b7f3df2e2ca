"""What a buffer is said to need is what its arrays take."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from triptych import envs
from triptych.buffers.rollout import Played, RolloutBuffer
from triptych.buffers.store import FIELDS, Row, States, Store
from triptych.recipes import load_recipe
from triptych.recipes.feasibility import memory_needed
from triptych.spec import Observation

VECTOR = Observation((3,), "float32")
PICTURE = Observation((4, 6, 5), "uint8")
COLOUR = Observation((2, 6, 5, 3), "uint8")


@pytest.mark.parametrize("states", [None, States(7, "float32"), States(7, "float64")])
@pytest.mark.parametrize("observation", [VECTOR, PICTURE, COLOUR])
def test_a_stores_bytes(observation: Observation, states: States | None) -> None:
    store = Store(60, 3, observation, states=states)
    arrays = [getattr(store, name) for name in FIELDS]
    held = sum(array.nbytes for array in arrays) + store.pictures.array.nbytes  # type: ignore[attr-defined]
    held += 0 if states is None else 60 * 7 * np.dtype(states.dtype).itemsize  # where every one is kept
    assert Store.bytes_for(60, 1_000, observation, states=states) == held
    assert Store.bytes_for(60, 30, observation, states=states) == held / 2, "half of it is written by then"
    assert store.row_bytes() * store.rows == held
    assert {name: array.dtype.name for name, array in zip(FIELDS, arrays, strict=True)} == FIELDS


def test_bytes_by_hand() -> None:
    """A vector of three float32, 4 + 8 + 1 + 1 + 1 + 4 beside it, and a state of two float64."""
    assert Store.bytes_for(10, 10, VECTOR) == 10 * (12 + 19)
    assert Store.bytes_for(10, 10, VECTOR, states=States(2, "float64")) == 10 * (12 + 19 + 16)
    assert Store.bytes_for(10, 10, VECTOR, states=States(2, "float64", 4)) == 10 * (12 + 19 + 4)
    # In float64 four numbers of 8; five floats, an action and four marks; a state of six a game.
    observation = Observation((4,), "float32")
    assert RolloutBuffer.bytes_for(10, 2, observation, 6, "float64") == 10 * 2 * (32 + 40 + 4 + 4) + 2 * 6 * 8


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("observation", [VECTOR, PICTURE])
def test_a_rollouts_bytes(observation: Observation, precision: str) -> None:
    buffer = RolloutBuffer(9, 4, observation, 5, precision)
    arrays = {name: array for name, array in vars(buffer).items() if isinstance(array, np.ndarray)}
    assert RolloutBuffer.bytes_for(9, 4, observation, 5, precision) == sum(array.nbytes for array in arrays.values())
    assert set(Played._fields) - set(arrays) == {"teacher"}, "which is kept only where a teacher with memory is asked"
    buffer.keep_teacher(2, precision)
    assert buffer.teacher is not None
    assert buffer.teacher.nbytes == 9 * 4 * 2 * np.dtype(precision).itemsize


def test_a_row_without_a_state_or_a_lost_life() -> None:
    """They are nothing where they are not given, also where the ring has held others."""
    store, nothing = Store(5, 1, VECTOR, states=States(2, "float32")), np.zeros(1)
    full = Row(np.ones((1, 3)), nothing, nothing, nothing, np.ones(1), np.ones(1), np.ones((1, 2)))
    for _ in range(store.rows):
        store.add(full)
    assert store.lost_life.all()
    assert store.states is not None
    slots, games = np.arange(store.rows), np.zeros(store.rows, int)
    assert (store.states.get(slots, games)[1:] == 1).all()
    store.add(full._replace(lost_life=None, state=None))
    assert store.lost_life[:, 0].tolist() == [False, *[True] * (store.rows - 1)]
    assert (store.states.get(slots, games)[0] == 0).all()


@pytest.mark.parametrize("name", ["drqn-cartpole", "cartpole-ppo"])
def test_the_estimate_counts_what_a_teacher_gives(name: str) -> None:
    recipe = load_recipe(name)
    games = envs.make(recipe.env, recipe.num_envs)
    alone = memory_needed(recipe, games.observation, 2)[1]
    taught = memory_needed(dataclasses.replace(recipe, teacher="somebody"), games.observation, 2)[1]
    games.close()
    algorithm: Any = recipe.algorithm
    kept = (
        min(algorithm.replay_size, recipe.steps)
        if name == "drqn-cartpole"
        else 2 * algorithm.rollout_steps * recipe.num_envs
    )
    assert taught - alone == kept * 2 * 4
