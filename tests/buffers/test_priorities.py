"""Prioritised replay: the sum tree against running sums, the draws against their chances, state there and back."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.buffers.replays import make_replay
from triptych.buffers.prioritised import SMALLEST, places_of, rows_of
from triptych.buffers.replay import Replay
from triptych.buffers.store import Row, Store
from triptych.buffers.sum_tree import SumTree
from triptych.spec import Observation

VECTOR = Observation((1,), "float32")
PICTURE = Observation((3, 2, 2), "uint8")


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), places=st.integers(1, 70), rounds=st.integers(1, 6))
def test_sum_tree_against_running_sums(seed: int, places: int, rounds: int) -> None:
    rng = np.random.default_rng(seed)
    tree, numbers = SumTree(places), np.zeros(places)
    for _ in range(rounds):
        chosen = rng.choice(places, rng.integers(1, places + 1), replace=False)
        values = rng.integers(0, 5, len(chosen)).astype(float)  # whole, so that sums are exact; some are 0
        tree.set(chosen, values)
        numbers[chosen] = values
    assert tree.total == numbers.sum()
    assert np.array_equal(tree.get(np.arange(places)), numbers)
    if tree.total:
        wanted = np.concatenate([[0.0], rng.random(50) * tree.total, [tree.total]])  # the end itself: by rounding
        expected = np.searchsorted(np.cumsum(numbers), wanted, side="right")
        expected[-1] = np.flatnonzero(numbers)[-1]
        assert np.array_equal(tree.find(wanted), expected)


def make(steps: int, capacity: int, observation: Observation = VECTOR, alpha: float = 1.0) -> Replay:
    """Two games, an episode's end every 7 rows, rows numbered in reward."""
    store = Store(capacity, 2, observation)
    replay = make_replay(store, 0.9, "raw", "float64", alpha=alpha)
    more(replay, steps)
    return replay


def more(replay: Replay, steps: int) -> None:
    store = replay.store
    for _ in range(steps):
        row = store.count
        obs = np.full((2, *((1,) if not store.stacked else (3, 2, 2))), row % 250)
        mask = np.full(2, row % 7 != 6)
        store.add(Row(obs, np.zeros(2), np.array([row, row + 0.5]), np.zeros(2, bool), mask))


def test_draws_follow_their_chances_and_weights_undo_them() -> None:
    replay, rng = make(40, 80), np.random.default_rng(0)
    replay.sample(rng, 8)  # everything is known now
    places = np.flatnonzero(replay.sampler.tree.get(np.arange(80)))
    assert len(places) == len(replay)
    errors = rng.random(len(places)) * 3
    replay.sampler.drawn = places
    replay.learned(lambda: errors)
    counts = np.zeros(80)
    for _ in range(2_000):
        batch = replay.sample(rng, 32, beta=0.5)
        np.add.at(counts, replay.sampler.drawn, 1)
    chance = (errors + SMALLEST) / (errors + SMALLEST).sum()
    expected = 64_000 * chance
    assert np.all(np.abs(counts[places] - expected) < 5 * np.sqrt(expected) + 1)
    assert counts.sum() == counts[places].sum(), "nothing else is drawn"
    by_hand = (len(places) * chance[np.searchsorted(places, replay.sampler.drawn)]) ** -0.5
    np.testing.assert_allclose(batch.weight, by_hand / by_hand.max(), 1e-9)


@pytest.mark.parametrize("observation", [VECTOR, PICTURE], ids=["vector", "picture"])
def test_new_ones_come_first_and_dropped_ones_never(observation: Observation) -> None:
    """Around the ring some times: only what can start is drawn, and a new transition has the largest priority."""
    replay, rng = make(3, 40, observation), np.random.default_rng(1)
    for _ in range(60):
        replay.sample(rng, 16)
        rows = rows_of(replay.store, replay.sampler.drawn // 2)
        assert replay.store.startable(rows, replay.sampler.drawn % 2).all()
        replay.learned(lambda: rng.random(16) * 2)
        before = replay.store.count - 1
        more(replay, 3)
        replay.sampler.absorb(replay.store, replay.collator)
        new = np.arange(before, replay.store.count - 1)
        places = places_of(replay.store, new[:, None], np.arange(2)).ravel()
        acted = replay.store.mask[new % replay.store.rows].ravel()
        assert np.array_equal(replay.sampler.tree.get(places), np.where(acted, replay.sampler.largest, 0.0))
        newest = places_of(replay.store, np.full(2, replay.store.count - 1), np.arange(2))
        assert (replay.sampler.tree.get(newest) == 0).all(), "what follows it is not stored yet"


def test_alpha_0_is_uniform() -> None:
    replay, rng = make(30, 60, alpha=0.0), np.random.default_rng(2)
    replay.sample(rng, 32)
    replay.learned(lambda: rng.random(32) * 100)
    batch = replay.sample(rng, 32, beta=1.0)
    assert batch.weight.tolist() == [1.0] * 32


def test_state_there_and_back_draws_the_same() -> None:
    first, rng = make(50, 60), np.random.default_rng(3)
    first.sample(rng, 16)
    first.learned(lambda: rng.random(16))
    second = make(50, 60)
    second.set_state(first.get_state())
    for replay in (first, second):
        more(replay, 4)
    ours, theirs = (replay.sample(np.random.default_rng(4), 16) for replay in (first, second))
    for a, b in zip(ours, theirs, strict=True):
        assert np.array_equal(a, b)


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="cpprb cannot be built for Python 3.13; 3.11 and 3.12 compare")
def test_chances_and_weights_are_cpprbs() -> None:
    """The same errors drawn by us and by cpprb's sum tree in C++ (cpprb draws from NumPy's global generator)."""
    import cpprb

    replay, errors = make(40, 80, alpha=0.6), np.random.default_rng(0).random(68) * 3
    replay.sample(np.random.default_rng(0), 8)  # everything is known now
    places = np.flatnonzero(replay.sampler.tree.get(np.arange(80)))
    peer = cpprb.PrioritizedReplayBuffer(128, {"place": {"dtype": np.int64}}, alpha=0.6, eps=SMALLEST)
    peer.add(place=places, priorities=errors)
    replay.sampler.drawn = places
    replay.learned(lambda: errors)

    np.random.seed(0)  # noqa: NPY002
    rng, counts, weights = np.random.default_rng(1), np.zeros((2, 80)), np.full((2, 80), np.nan)
    for _ in range(2_000):
        batch, theirs = replay.sample(rng, 32, beta=0.4), peer.sample(32, beta=0.4)
        drawn = theirs["place"].ravel()
        np.add.at(counts[0], replay.sampler.drawn, 1)
        np.add.at(counts[1], drawn, 1)
        # Ours stand over the batch's largest, theirs over that of all that is stored: the same but for a factor.
        weights[0, replay.sampler.drawn] = batch.weight * (replay.sampler.tree.get(replay.sampler.drawn).min() ** -0.4)
        weights[1, drawn] = theirs["weights"]
    assert counts[0].sum() == counts[1].sum() == counts[:, places].sum() / 2
    expected = counts[:, places].mean(axis=0)
    assert np.all(np.abs(counts[:, places] - expected) < 5 * np.sqrt(expected) + 1)
    ratio = weights[0, places] / weights[1, places]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-6)  # cpprb's weights are float32
