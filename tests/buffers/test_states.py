"""Of the agent's states the store keeps those at which sequences begin."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from triptych.buffers.store import Row, States, Store
from triptych.spec import Observation

VECTOR, GAMES, SIZE, STEPS = Observation((3,), "float32"), 2, 4, 60
EVERY, BEFORE = 5, 2


def play(store: Store, steps: int, seed: int = 0) -> None:
    """Episodes that end by chance; a state is the row, the game, and ones."""
    rng, zeros = np.random.default_rng(seed), np.zeros(GAMES)
    for row in range(steps):
        state = np.ones((GAMES, SIZE)) * [[row, game, 1, 1] for game in range(GAMES)]
        store.add(Row(np.zeros((GAMES, 3)), zeros, zeros, zeros, rng.random(GAMES) > 0.06, state=state))


def make_store(**states: int) -> Store:
    return Store(25 * GAMES, GAMES, VECTOR, states=States(SIZE, "float32", **states))


def held(store: Store) -> dict[tuple[int, int], list[float]]:
    assert store.states is not None
    return {place: state.tolist() for place, state in store.states.kept.items()}


def test_one_in_so_many_steps_is_kept_and_no_other() -> None:
    store = make_store(every=EVERY, before=BEFORE)
    play(store, STEPS)
    rows = np.arange(store.oldest, store.count)
    places = [(row, game) for row in rows.tolist() for game in range(GAMES)]
    age = {place: int(store.age[place[0] % store.rows, place[1]]) for place in places}
    wanted = {p: [p[0], p[1], 1, 1] for p in places if age[p] > 0 and (age[p] + BEFORE) % EVERY == 0}
    assert held(store) == {(row % store.rows, game): state for (row, game), state in wanted.items()}
    assert 0 < len(wanted) < len(places) / 4


def segments_of(store: Store) -> list[tuple[int, dict[str, np.ndarray]]]:
    middle = (store.oldest + store.count) // 2
    return [(start, store.take(start, end)) for start, end in ((store.oldest, middle), (middle, store.count))]


def taken_up(segments: list[tuple[int, dict[str, np.ndarray]]], state: dict[str, Any]) -> Store:
    store = make_store(every=EVERY, before=BEFORE)
    store.set_state(state)
    for start, segment in segments:
        store.put(start, segment)
    return store


def test_segments_bring_the_states_back() -> None:
    store = make_store(every=EVERY, before=BEFORE)
    play(store, STEPS)
    assert held(taken_up(segments_of(store), store.get_state())) == held(store) != {}


def test_segments_of_earlier_versions_which_held_every_state_are_read() -> None:
    store = make_store(every=EVERY, before=BEFORE)
    play(store, STEPS)
    segments = []
    for start, segment in segments_of(store):
        rows = range(start, start + len(segment["mask"]))
        dense = np.array([[[row, game, 1, 1] for game in range(GAMES)] for row in rows], np.float32)
        fields = {name: array for name, array in segment.items() if not name.startswith("state")}
        segments.append((start, fields | {"state": dense}))
    assert held(taken_up(segments, store.get_state())) == held(store)


def test_states_of_another_size_are_refused() -> None:
    store = make_store()
    play(store, 9)
    segment = store.take(0, 9)
    with pytest.raises(ValueError, match="states of 3 numbers, not 4"):
        store.put(0, segment | {"state": segment["state"][:, :3]})
