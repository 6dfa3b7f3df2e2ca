"""Observations of several parts in the store, the batches and the rollout: against a list of everything shown."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.buffers.replays import make_replay
from triptych.buffers.rollout import Played, RolloutBuffer
from triptych.buffers.store import Row, Store
from triptych.spec import Observation, Part, each
from triptych.utils.checks import InputError

BOTH = Observation.of({"picture": Part((3, 6, 5), "uint8"), "b": Part((2,), "float32"), "a": Part((1,), "float64")})
GAMES, CAPACITY = 2, 40


def fill(store: Store, steps: int, lists: dict[tuple[int, int], Any]) -> None:
    """Random play whose every observation is written down by row and game."""
    rng = np.random.default_rng(0)
    stack, ended = np.zeros((GAMES, 3, 6, 5), np.uint8), np.ones(GAMES, bool)
    for row in range(store.count, store.count + steps):
        stack[ended] = 0
        stack = np.concatenate([stack[:, 1:], rng.integers(256, size=(GAMES, 1, 6, 5), dtype=np.uint8)], axis=1)
        obs = {"b": rng.random((GAMES, 2), np.float32), "picture": stack.copy(), "a": rng.random((GAMES, 1))}
        ended = rng.random(GAMES) < 0.2
        for game in range(GAMES):
            lists[row, game] = each(lambda part, game=game: part[game], obs)
        store.add(Row(obs, rng.integers(3, size=GAMES), rng.random(GAMES), ended & (rng.random(GAMES) < 0.5), ~ended))


def assert_equal(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert list(found) == ["a", "b", "picture"], "in the order of the names"
    for name in found:
        assert np.array_equal(found[name], expected[name]), name


@pytest.mark.parametrize("compress", [False, True])
def test_a_transition_s_parts_are_those_that_were_shown(compress: bool) -> None:
    store, shown = Store(CAPACITY, GAMES, BOTH, compress=compress), {}
    fill(store, 33, shown)
    replay = make_replay(store, 0.9, "raw", "float64", n_step=1)
    rows = np.arange(store.oldest, store.count - 1).repeat(GAMES)
    games = np.tile(np.arange(GAMES), len(rows) // GAMES)
    fits = store.startable(rows, games)
    rows, games = rows[fits], games[fits]
    assert len(rows) > 20
    batch = replay.batch(rows, games)
    assert {name: part.dtype.name for name, part in batch.obs.items()} == {
        "a": "float64", "b": "float64", "picture": "uint8"
    }  # fmt: skip
    for index, place in enumerate(zip(rows, games, strict=True)):
        assert_equal(each(lambda part, index=index: part[index], batch.obs), shown[place])
        assert_equal(each(lambda part, index=index: part[index], batch.next_obs), shown[place[0] + 1, place[1]])
    example = replay.example(5)
    assert {name: (part.shape[1:], part.dtype) for name, part in example.obs.items()} == {
        name: (part.shape[1:], part.dtype) for name, part in batch.obs.items()
    }


def test_a_sequence_s_parts_are_those_that_were_shown() -> None:
    store, shown = Store(CAPACITY, GAMES, BOTH), {}
    fill(store, 33, shown)
    replay = make_replay(store, 0.9, "raw", "float64", length=4, burn_in=1)
    rng = np.random.default_rng(3)
    drawn = replay.sampler.draw(store, replay.collator, rng, 8, 1.0)
    assert drawn is not None
    batch = replay.batch(drawn.rows, drawn.games)
    assert batch.obs["picture"].shape == (5, 8, 3, 6, 5)
    lived = 0
    for index, (row, game) in enumerate(zip(drawn.rows, drawn.games, strict=True)):
        for step in range(1, 4):
            if batch.mask[step - 1, index]:
                found = each(lambda part, index=index, step=step: part[step, index], batch.obs)
                assert_equal(found, shown[row + step - 1, game])
                lived += 1
    assert lived > 8
    assert {name: part.shape for name, part in replay.example(8).obs.items()} == {
        name: part.shape for name, part in batch.obs.items()
    }


@pytest.mark.parametrize(("wrote", "reads"), [(False, False), (True, True), (True, False), (False, True)])
def test_a_segment_brings_every_part_back(wrote: bool, reads: bool) -> None:
    store, shown = Store(CAPACITY, GAMES, BOTH, compress=wrote), {}
    fill(store, 30, shown)
    segment = store.take(store.oldest, store.count)
    names = sorted(name for name in segment if name.startswith("frame"))
    assert names[:2] == ["frame/a", "frame/b"]
    assert all(name.startswith("frame/picture") for name in names[2:])
    copy = Store(CAPACITY, GAMES, BOTH, compress=reads)
    copy.set_state(store.get_state())
    copy.put(store.oldest, segment)
    rows, games = np.arange(store.oldest + 4, store.count - 1), np.zeros(store.count - 5 - store.oldest, np.int64)
    for ours, theirs in zip(copy.observations(rows, games, 0, 1), store.observations(rows, games, 0, 1), strict=True):
        assert_equal(ours, theirs)
    assert store.row_bytes() > 0
    counted = Store.bytes_for(100, 100, BOTH)
    assert counted == 100 * (30 + 2 * 4 + 8 + 19)


def test_a_rollout_keeps_the_parts_beside_each_other() -> None:
    rollout = RolloutBuffer(3, GAMES, BOTH, 0, "float32")
    rng, kept = np.random.default_rng(1), []
    for _ in range(3):
        obs = {"picture": rng.integers(256, size=(GAMES, 3, 6, 5), dtype=np.uint8), "b": rng.random((GAMES, 2))}
        obs["a"] = rng.random((GAMES, 1))
        kept.append(obs)
        zeros, no = np.zeros(GAMES, np.float32), np.zeros(GAMES, bool)
        rollout.add(Played(obs, no, zeros.astype(int), zeros, zeros, zeros, no, no, ~no), None)
    rollout.close(np.zeros(GAMES, np.float32), 0.9, 1.0)
    whole = rollout.minibatches(rng, 2, True, 0.0, 0.1)
    assert {batch.obs["picture"].shape for batch in whole} == {(3, 1, 3, 6, 5)}
    singles = rollout.minibatches(np.random.default_rng(4), 3, False, 0.0, 0.1)
    found = {part.obs["a"][0, at].item(): part.obs["picture"][0, at] for part in singles for at in range(2)}
    for obs in kept:
        for game in range(GAMES):
            assert np.array_equal(found[np.float32(obs["a"][game, 0]).item()], obs["picture"][game])
    bytes_ = RolloutBuffer.bytes_for(3, GAMES, BOTH, 0, "float32")
    assert bytes_ == 3 * GAMES * (90 + 12 + 4 * 1 + 4 + 5 * 4)


def test_two_pictures_are_refused() -> None:
    with pytest.raises(InputError, match="allowed: one, beside vectors"):
        Observation.of({"a": Part((1, 6, 5), "uint8"), "b": Part((1, 6, 5), "uint8")})
