"""Replay of sequences against a plain list of everything, through wrap-around, over random episodes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.buffers.replays import make_replay
from tests.buffers.test_store import PICTURE, VECTOR, Everything
from triptych.buffers.prioritised import rows_of
from triptych.buffers.store import Row, States, Store

STATE = 3  # numbers of an agent's state: row, game, age


def fill(everything: Everything, store: Store, steps: int, end_chance: float) -> list[np.ndarray]:
    """Plays on; the agent's state is the row's number, the game and the row's age. Returns the rows' ages [N]."""
    ages: list[np.ndarray] = []
    before = np.ones(everything.num_envs, bool)
    for step in range(steps):
        row = everything.step(end_chance)
        age = np.zeros(everything.num_envs, np.int64) if not ages else np.where(before, ages[-1] + 1, 0)
        ages.append(age)
        before = row["mask"]
        state = np.stack([np.full(len(age), step), np.arange(len(age)), age], axis=1)
        store.add(Row(row["obs"], row["action"], row["reward"], row["terminated"], row["mask"], state=state))
    return ages


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    form=st.sampled_from(["vector", "picture", "compressed"]),
    filled=st.sampled_from(["zeros", "first"]),
    num_envs=st.integers(1, 3),
    steps=st.integers(20, 120),
    end_chance=st.sampled_from([0.0, 0.05, 0.3]),
    n_step=st.integers(1, 3),
    length=st.integers(1, 7),
    burn_in=st.integers(0, 4),
)
def test_sequences_against_a_list_of_everything(
    seed: int,
    form: str,
    filled: str,
    num_envs: int,
    steps: int,
    end_chance: float,
    n_step: int,
    length: int,
    burn_in: int,
) -> None:
    burn_in = min(burn_in, length - 1)
    observation = VECTOR if form == "vector" else PICTURE
    everything = Everything(observation, num_envs, filled, np.random.default_rng(seed))
    states = States(STATE, "float32", length - burn_in, burn_in)
    store = Store(40 * num_envs, num_envs, observation, filled, form == "compressed", states=states)  # type: ignore[arg-type]
    ages = fill(everything, store, steps, end_chance)
    replay = make_replay(
        store, 0.9, "sign", "float64", n_step=n_step, length=length, burn_in=burn_in, state=(STATE, True)
    )
    learned = length - burn_in
    rows, games = (x.ravel() for x in np.meshgrid(range(store.oldest, steps), range(num_envs), indexing="ij"))
    begins = replay.collator.drawable(store, rows, games)
    assert begins.any()
    batch = replay.batch(rows[begins], games[begins])
    for index, (r, g) in enumerate(zip(rows[begins].tolist(), games[begins].tolist(), strict=True)):
        assert ages[r][g] % learned == 0
        check_one(batch, index, r, g, everything, ages, burn_in, learned, n_step)


def check_one(
    batch: Any, index: int, r: int, g: int, everything: Everything, ages: Any, burn_in: int, learned: int, n_step: int
) -> None:
    """One sequence, step by step."""
    rows, ended = everything.rows, False
    for t in range(burn_in + learned + n_step):
        row = r - burn_in + t
        here = ages[r][g] + t - burn_in >= 0 and not ended
        if here:
            assert np.array_equal(batch.obs[t, index], rows[row]["obs"][g])
            assert batch.reset[t, index] == (ages[row][g] == 0)
        else:
            assert not batch.obs[t, index].any()
        if t < burn_in or not here:
            if burn_in <= t < burn_in + learned:
                assert batch.mask[t - burn_in, index] == 0
            continue
        acted = rows[row]["mask"][g] and row + 1 < len(rows)
        ended = not acted
        if t < burn_in + learned:
            step = t - burn_in
            assert batch.mask[step, index] == acted
            if acted:
                reward, discount, after = everything.follow(row, g, n_step)
                assert batch.action[step, index] == rows[row]["action"][g]
                assert batch.reward[step, index] == pytest.approx(reward, abs=1e-12)
                assert batch.discount[step, index] == pytest.approx(discount, abs=1e-12)
                assert batch.ahead[step, index] == after - row
                assert np.array_equal(batch.obs[t + after - row, index], rows[after]["obs"][g])
    first, age = r - burn_in, ages[r][g] - burn_in
    assert np.array_equal(batch.state[index], [first, g, age] if age > 0 else np.zeros(STATE))


def test_each_step_of_an_episode_is_in_one_piece() -> None:
    """Whatever the episodes' lengths, the pieces of the whole store cover each complete transition once."""
    everything = Everything(VECTOR, 2, "zeros", np.random.default_rng(3))
    store = Store(400, 2, VECTOR)
    fill(everything, store, 150, 0.07)
    replay = make_replay(store, 0.9, "raw", "float64", length=9, burn_in=4, state=(0, False))
    rows, games = (x.ravel() for x in np.meshgrid(range(150), range(2), indexing="ij"))
    begins = replay.collator.drawable(store, rows, games)
    assert replay.batch(rows[begins], games[begins]).mask.sum() == len(replay)


def test_uniform_draws_are_uniform_over_pieces() -> None:
    everything = Everything(VECTOR, 1, "zeros", np.random.default_rng(4))
    store = Store(60, 1, VECTOR)
    fill(everything, store, 60, 0.1)
    replay = make_replay(store, 0.9, "raw", "float64", length=5, burn_in=0, state=(0, False))
    rows = np.arange(60)
    begins = rows[replay.collator.drawable(store, rows, np.zeros(60, np.int64))]
    counts = dict.fromkeys(begins.tolist(), 0)
    keep = replay.batch
    seen: list[np.ndarray] = []
    replay.batch = lambda rows, games, weight: seen.append(rows) or keep(rows, games, weight)  # type: ignore[method-assign,func-returns-value]
    rng = np.random.default_rng(0)
    for _ in range(300):
        replay.sample(rng, 32)
    for row in np.concatenate(seen).tolist():
        counts[row] += 1
    expected = 9_600 / len(begins)
    assert all(abs(count - expected) < 5 * expected**0.5 for count in counts.values())


def test_priorities_are_of_pieces() -> None:
    everything = Everything(VECTOR, 2, "zeros", np.random.default_rng(5))
    store = Store(60, 2, VECTOR)
    settings_of = {"length": 5, "burn_in": 2, "state": (0, False), "alpha": 1.0}
    replay = make_replay(store, 0.9, "raw", "float64", **settings_of)
    rng = np.random.default_rng(1)
    for _ in range(12):
        fill_more = fill(everything, store, 9, 0.1)
        assert len(fill_more) == 9
        batch = replay.sample(rng, 16)
        rows, games = rows_of(store, replay.sampler.drawn // 2), replay.sampler.drawn % 2
        assert (store.age[rows % store.rows, games] % 3 == 0).all()
        assert batch.weight.max() == 1
        replay.learned(lambda: rng.random(16) * 4)
    places = np.flatnonzero(replay.sampler.tree.get(np.arange(store.rows * 2)))
    rows, games = rows_of(store, places // 2), places % 2
    assert replay.collator.begins(store, rows, games).all()
