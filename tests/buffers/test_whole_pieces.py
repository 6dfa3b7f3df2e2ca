"""By priority, a piece of an episode is drawn once it is whole: by hand, against a list, through a resume, in a training."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.buffers.replays import make_replay
from triptych import envs, frameworks
from triptych.buffers.prioritised import SMALLEST
from triptych.buffers.replay import Replay
from triptych.buffers.sequences import Sequences
from triptych.buffers.store import Row, Store
from triptych.recipes import load_recipe
from triptych.spec import Observation
from triptych.training.build import make_training
from triptych.training.loop import run_loop

VECTOR = Observation((1,), "float32")


def make(capacity: int = 200, num_envs: int = 1, length: int = 4, burn_in: int = 0) -> Replay:
    store = Store(capacity, num_envs, VECTOR)
    return make_replay(store, 0.9, "raw", "float64", alpha=1.0, length=length, burn_in=burn_in)


def add(replay: Replay, *masks: list[int]) -> None:
    """Rows of all games: 1 where an action was taken, 0 at an episode's last observation."""
    for mask in masks:
        acted, nothing = np.array(mask, bool), np.zeros(len(mask))
        replay.store.add(Row(np.zeros((len(mask), 1), np.float32), nothing, nothing, nothing, acted))


def priorities(replay: Replay) -> list[float]:
    replay.sampler.absorb(replay.store, replay.collator)
    return replay.sampler.tree.get(np.arange(replay.store.count * replay.store.num_envs)).tolist()


def test_pieces_of_four_by_hand() -> None:
    """An episode of ten steps: pieces at 0 and 4 enter with the row after them, that at 8 with the last observation."""
    replay = make()
    for count, entered in ((1, []), (4, []), (5, [0]), (8, [0]), (9, [0, 4]), (10, [0, 4])):
        add(replay, *[[1]] * (count - replay.store.count))
        assert np.flatnonzero(priorities(replay)).tolist() == entered, count
    replay.sampler.drawn = np.array([0, 4])
    replay.learned(lambda: np.array([0.5, 3.0]))
    add(replay, [0])
    by_hand = np.zeros(11)
    by_hand[[0, 4, 8]] = 0.5 + SMALLEST, 3 + SMALLEST, 3 + SMALLEST  # the new one as the largest so far
    assert priorities(replay) == by_hand.tolist()
    add(replay, [1], [1], [1])  # the next episode, cut by a checkpoint after two steps
    assert priorities(replay)[11:] == [0, 0, 0]
    cut = make()
    add(cut, [1], [1], [0], [1])
    assert priorities(cut) == [1, 0, 0, 0]


def test_what_was_learned_of_the_first_steps_does_not_stay() -> None:
    """A piece of four is drawn at each step with an error of 0, and still enters with the largest priority when whole."""
    replay, rng = make(num_envs=2), np.random.default_rng(0)
    add(replay, [1, 1], [0, 1])  # the second game's piece grows, the first one's is whole
    for _ in range(3):
        assert replay.sample(rng, 16) is not None
        assert (replay.sampler.drawn == 0).all(), "nothing else is whole"
        replay.learned(lambda: np.zeros(16))
        add(replay, [1, 1])
    assert replay.store.count == 5
    batch = replay.sample(rng, 16)
    drawn = replay.sampler.drawn
    assert replay.sampler.tree.get(np.array([0, 1])).tolist() == [SMALLEST, 1.0]
    assert set(drawn.tolist()) == {0, 1}
    assert (batch.mask.sum(axis=0) == np.where(drawn == 1, 4, 1)).all()


def begun(self: Sequences, store: Store, rows: np.ndarray, games: np.ndarray, count: int) -> np.ndarray:
    """The rule that was: a piece enters with its first step."""
    return self.begins(store, rows, games) & store.mask[rows % store.rows, games] & (rows < count - 1)


def never_ended(self: Sequences, store: Store, rows: np.ndarray, games: np.ndarray, count: int) -> np.ndarray:
    """The last, shorter piece of an episode never enters."""
    return begun(self, store, rows, games, count) & (rows + self.grows < count)


TESTS = [test_pieces_of_four_by_hand, test_what_was_learned_of_the_first_steps_does_not_stay]


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize("rule", [begun, never_ended])
def test_another_rule_is_found(test: Any, rule: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sequences, "whole", rule)
    with pytest.raises(AssertionError):
        test()


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    num_envs=st.integers(1, 3),
    length=st.integers(1, 6),
    steps=st.integers(1, 90),
    end_chance=st.sampled_from([0.0, 0.05, 0.3, 0.9]),
    every=st.integers(1, 30),
)
def test_whole_pieces_against_a_list(
    seed: int, num_envs: int, length: int, steps: int, end_chance: float, every: int
) -> None:
    """Through wrap-around, drawn from every so many rows: the tree holds the whole pieces of the ring and nothing else."""
    rng = np.random.default_rng(seed)
    replay, masks = make(30 * num_envs, num_envs, length), []
    mask = np.ones(num_envs, bool)
    for step in range(steps):
        add(replay, mask.tolist())
        masks.append(mask)
        mask = ~mask | (rng.random(num_envs) >= end_chance)  # never two last observations in a row
        if step % every:
            continue
        expected = np.zeros((replay.store.rows, num_envs))
        for row, game in np.ndindex(len(masks), num_envs):
            if row >= replay.store.oldest and is_whole([kept[game] for kept in masks], row, length):
                expected[row % replay.store.rows, game] = 1.0
        replay.sampler.absorb(replay.store, replay.collator)
        found = replay.sampler.tree.get(np.arange(expected.size))
        assert np.array_equal(found.reshape(expected.shape), expected)


def is_whole(masks: list[bool], row: int, length: int) -> bool:
    """Reads on from the row: an action of every `length` steps since the episode's start, then its steps or its end."""
    start = max((before + 1 for before in range(row) if not masks[before]), default=0)
    if not masks[row] or (row - start) % length:
        return False
    following = masks[row + 1 : row + 1 + length]
    return len(following) == length or False in following


def test_pieces_that_grow_through_a_checkpoint() -> None:
    """The state alone, and the rows, say which pieces have entered and which will."""
    first, second = make(num_envs=2, length=5), make(num_envs=2, length=5)
    rows = np.random.default_rng(1).random((40, 2)) < 0.85
    add(first, *rows[:23].tolist())
    first.sample(np.random.default_rng(2), 8)
    first.learned(lambda: np.arange(8.0))
    add(second, *rows[:23].tolist())
    second.set_state(*first.get_state())
    for replay in (first, second):
        add(replay, *rows[23:].tolist())
    ours, theirs = (replay.sample(np.random.default_rng(3), 8) for replay in (first, second))
    assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))
    assert priorities(first) == priorities(second)


def test_a_priority_from_an_older_checkpoint_waits_until_its_piece_is_whole() -> None:
    """It had one from its first step on: it is not drawn by it, and enters anew."""
    replay, rng = make(num_envs=2), np.random.default_rng(0)
    add(replay, [1, 1], [0, 1], [1, 1])
    arrays, state = replay.get_state()
    arrays["priority"][[0, 1]] = 0.5, 100.0
    replay.set_state(arrays, state | {"known": 2})
    replay.sample(rng, 16)
    assert (replay.sampler.drawn == 0).all()
    add(replay, [1, 1], [1, 1])
    assert priorities(replay)[:2] == [0.5, 1.0]


def test_no_update_before_a_piece_is_whole() -> None:
    """A training whose updates are due from step 2 on waits for the first whole piece, and keeps no credit for later."""
    recipe = load_recipe("drqn-cartpole")
    changes: dict[str, Any] = {"warm_up": 2, "update_every": 1, "prioritised": True, "sequence_length": 12}
    changes |= {"burn_in": 4, "batch_size": 4}
    recipe = dataclasses.replace(recipe, num_envs=1, algorithm=dataclasses.replace(recipe.algorithm, **changes))
    training = make_training(recipe, envs.make(recipe.env, 1), frameworks.load("torch").Learner)
    updates = []
    for tick in run_loop(training):
        updates.append(len(tick.updates))
        if training.counters.steps == 12:
            break
    training.games.close()
    # Pieces have 8 steps: rows 0 to 8 stand in the store when the tenth step is sent, if no episode ends before.
    assert updates == [0] * 9 + [1] * 3
