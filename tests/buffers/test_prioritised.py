"""Priorities of errors that are not finite: refused by the tree, left out by the replay, and no draw hangs on them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.buffers.replays import make_replay
from triptych.buffers.prioritised import SMALLEST
from triptych.buffers.replay import Replay
from triptych.buffers.store import Row, Store
from triptych.buffers.sum_tree import SumTree
from triptych.spec import Observation

BAD = [np.nan, np.inf, -np.inf, -0.5]


def make(steps: int) -> Replay:
    """One game whose rows all are transitions, but for the newest."""
    store = Store(64, 1, Observation((1,), "float32"))
    for row in range(steps):
        seen = np.full((1, 1), row, np.float32)
        store.add(Row(seen, np.zeros(1), np.zeros(1), np.zeros(1, bool), np.ones(1, bool)))
    return make_replay(store, 0.9, "raw", "float64", alpha=1.0)


@pytest.mark.parametrize("bad", BAD)
def test_the_sum_tree_refuses_what_has_no_sum(bad: float) -> None:
    tree = SumTree(6)
    tree.set(np.arange(6), np.arange(6.0))
    for values in (np.array([1.0, bad]), bad):
        with pytest.raises(ValueError, match="negative or not finite; allowed: finite numbers from 0 on"):
            tree.set(np.array([2, 4]), values)
    assert tree.get(np.arange(6)).tolist() == [0, 1, 2, 3, 4, 5], "nothing of a refused call is written"
    assert tree.total == 15


@pytest.mark.parametrize("bad", BAD[:3])
def test_an_error_that_is_not_finite_leaves_the_old_priority(bad: float) -> None:
    """39 transitions, one of whose errors is no number: the others' count, and draws go on over all of them."""
    replay, rng = make(40), np.random.default_rng(0)
    replay.sample(rng, 8)
    replay.sampler.drawn = np.arange(39)
    errors = np.arange(39.0)
    errors[7] = bad
    replay.learned(lambda: errors)
    by_hand = np.arange(39.0) + SMALLEST
    by_hand[7] = 1.0  # what new ones have
    assert replay.sampler.tree.get(np.arange(39)).tolist() == by_hand.tolist()
    assert replay.sampler.largest == 38 + SMALLEST
    batch = replay.sample(rng, 512)
    assert np.isfinite(batch.weight).all()
    assert len(np.unique(replay.sampler.drawn)) > 30
    replay.learned(lambda: np.full(512, bad))
    assert replay.sampler.tree.get(np.arange(39)).tolist() == by_hand.tolist(), "a whole batch of them changes nothing"
    assert replay.sampler.largest == 38 + SMALLEST


def test_a_draw_from_nothing_ends() -> None:
    assert make(1).sample(np.random.default_rng(0), 4) is None
