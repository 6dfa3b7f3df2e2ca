"""Replays as the tests want them: one call for the store's four combinations."""

from __future__ import annotations

from typing import Any

from triptych.buffers.outcomes import Outcomes
from triptych.buffers.prioritised import PrioritisedSampler
from triptych.buffers.replay import Replay, Transitions, UniformSampler
from triptych.buffers.sequences import Sequences
from triptych.buffers.store import Store


def make_replay(
    store: Store,
    gamma: float,
    reward: Any,
    precision: str,
    *,
    life_loss_reward: float | None = None,
    n_step: int = 1,
    alpha: float | None = None,
    length: int = 0,
    burn_in: int = 0,
    state: tuple[int, bool] = (0, False),
) -> Replay:
    """Uniform without an `alpha`; of transitions without a `length`; `state`: a state's numbers, and whether it is stored."""
    outcomes = Outcomes(gamma, reward, life_loss_reward, n_step)
    sampler = UniformSampler() if alpha is None else PrioritisedSampler(store.rows * store.num_envs, alpha)
    if not length:
        return Replay(store, sampler, Transitions(outcomes, precision))
    return Replay(store, sampler, Sequences(outcomes, precision, length, burn_in, *state))
