"""Rollouts: advantages against a slow reading of their definition, minibatches that miss nothing, and what a run puts in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.buffers import advantages
from triptych.buffers.rollout import Played, RolloutBuffer
from triptych.spec import Observation
from triptych.training.agent import draw


def advantage_of(
    t: int, reward: Any, value: Any, terminated: Any, truncated: Any, gamma: float, lambda_: float
) -> float:
    """The weighted mean of all n-step advantages of one game's step t (Schulman et al. 2016, equation 16)."""
    total, steps, weight = 0.0, len(reward), 1.0
    for k in range(t, steps):
        following = 0.0 if terminated[k] else value[k + 1]
        total += weight * (reward[k] + gamma * following - value[k])
        if terminated[k] or truncated[k]:
            break
        weight *= gamma * lambda_
    return total


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), steps=st.integers(1, 12), lambda_=st.sampled_from([0.0, 0.9, 1.0]))
def test_advantages_against_their_definition(seed: int, steps: int, lambda_: float) -> None:
    rng, games = np.random.default_rng(seed), 3
    buffer = RolloutBuffer(steps, games, Observation((1,), "float32"), 0, "float64")
    ended = np.zeros(games, bool)
    for _ in range(steps):
        mask = ~ended
        terminated, truncated = (rng.random((2, games)) < 0.2) & mask
        reward = rng.standard_normal(games) * mask
        value, nothing = rng.standard_normal(games), np.zeros(games)
        buffer.add(Played(nothing[:, None], ~mask, nothing, nothing, value, reward, terminated, truncated, mask), None)
        ended = terminated | truncated
    assert buffer.full
    after = rng.standard_normal(games)
    buffer.close(after, 0.97, lambda_)
    values = np.concatenate([buffer.value, after[None]])
    for t in range(steps):
        for game in range(games):
            given_ = (array[:, game] for array in (buffer.reward, values, buffer.terminated, buffer.truncated))
            wanted = advantage_of(t, *given_, 0.97, lambda_) * buffer.mask[t, game]
            assert buffer.advantage[t, game] == pytest.approx(wanted)
            if buffer.mask[t, game]:
                assert buffer.returns[t, game] == pytest.approx(wanted + values[t, game])


def through_a_termination(keep: Any) -> Any:
    return lambda reward, discount, last, value, decay: keep(reward, 0 * discount + discount.max(), last, value, decay)


def past_an_end(keep: Any) -> Any:
    return lambda reward, discount, last, value, decay: keep(reward, discount, 0 * last != 0, value, decay)


@pytest.mark.parametrize("mutation", [through_a_termination, past_an_end])
def test_wrong_advantages_are_found(mutation: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from triptych.buffers import rollout

    monkeypatch.setattr(rollout, "generalised_advantages", mutation(advantages.generalised_advantages))
    with pytest.raises(AssertionError):
        test_advantages_against_their_definition()


@pytest.mark.parametrize("whole", [True, False])
def test_minibatches_hold_every_step_once(whole: bool) -> None:
    buffer = RolloutBuffer(3, 4, Observation((1,), "float32"), 2, "float32")
    for step in range(3):
        number = np.arange(4.0) + 10 * step  # names the step; all else is a function of it
        false = np.zeros(4, bool)
        played = Played(number[:, None], number % 3 == 0, number, 2 * number, number, number, false, false, number % 4 != 1)  # fmt: skip
        buffer.add(played, np.arange(4)[:, None] + np.zeros(2) + 100 * step)
    buffer.close(np.zeros(4), 0.9, 0.9)
    assert not buffer.filled
    buffer.advantage[:], buffer.returns[:] = 3 * buffer.obs[..., 0], 5 * buffer.obs[..., 0]
    batches = buffer.minibatches(np.random.default_rng(0), 2, whole, 0.01, 0.2)
    assert [batch.action.shape for batch in batches] == [(3, 2) if whole else (1, 6)] * 2
    seen = np.concatenate([batch.action.ravel() for batch in batches])
    assert sorted(seen) == sorted((np.arange(4)[None] + 10 * np.arange(3)[:, None]).ravel())
    for batch in batches:
        assert (batch.obs[..., 0] == batch.action).all()
        assert (batch.reset == (batch.action % 3 == 0)).all()
        assert (batch.mask == (batch.action % 4 != 1)).all()
        for factor, array in ((2, batch.log_prob), (3, batch.advantage), (5, batch.returns)):
            assert (array == factor * batch.action).all()
        assert (batch.entropy_weight, batch.clip) == (np.float32(0.01), np.float32(0.2))
        if whole:
            assert (batch.state[:, 0] == batch.action[0]).all(), "the states before the rollout, of these games"


def test_draws_follow_the_policy() -> None:
    logits = np.log(np.array([[0.7, 0.2, 0.1]])) + 3
    rng = np.random.default_rng(0)
    counts = np.zeros(3)
    for _ in range(4_000):
        [action], [log_prob] = draw(logits, rng)
        counts[action] += 1
        assert log_prob == pytest.approx(np.log([0.7, 0.2, 0.1][action]))
    assert counts / 4_000 == pytest.approx([0.7, 0.2, 0.1], abs=0.03)
