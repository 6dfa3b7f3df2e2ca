"""What a made batch's loss must be, in float64 NumPy, from the papers' equations and the recipe's settings alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Values = Callable[[Any, np.ndarray], np.ndarray]  # obs [T, B, ...], reset [T, B] -> outputs [T, B, A]
Expected = dict[str, np.ndarray]


def size_of(config: Any, error: np.ndarray) -> np.ndarray:
    """Of an error, elementwise."""
    size = np.abs(error)
    if config.loss == "huber":
        return np.where(size <= config.delta, 0.5 * size**2, config.delta * (size - 0.5 * config.delta))
    return size**2 if config.loss == "squared" else size


def chosen(values: np.ndarray, actions: np.ndarray) -> np.ndarray:
    """[..., A] at actions [...]."""
    return np.take_along_axis(values, actions[..., None].astype(np.int64), axis=-1)[..., 0]


def next_value(config: Any, target: np.ndarray, online: np.ndarray) -> np.ndarray:
    """The value [...] of what comes next, of the target's and the online network's values there [..., A]."""
    return chosen(target, online.argmax(axis=-1)) if config.double else target.max(axis=-1)


def in_front(obs: Any) -> Any:
    """Observations [B, ...] as [1, B, ...]."""
    return {name: part[None] for name, part in obs.items()} if isinstance(obs, dict) else obs[None]


def of_transitions(config: Any, batch: Any, online: Values, goal: np.ndarray) -> Expected:
    """Q-learning of single transitions, towards targets [B] that stay as they are."""
    once = np.ones((1, len(batch.action)), bool)
    q = online(in_front(batch.obs), once)[0]
    error = goal - chosen(q, batch.action)
    return {
        "loss": np.mean(batch.weight.astype(np.float64) * size_of(config, error)),
        "td_error": error,
        "q_mean": np.mean(q.max(axis=1)),
    }


def goal_of_transitions(config: Any, batch: Any, online: Values, target: Values) -> np.ndarray:
    """r + discount * the next value, [B]."""
    once = np.ones((1, len(batch.action)), bool)
    after = in_front(batch.next_obs)
    best = next_value(config, target(after, once)[0], online(after, once)[0])
    return batch.reward.astype(np.float64) + batch.discount * best


def of_sequences(config: Any, batch: Any, online: Values, goal: np.ndarray) -> Expected:
    """The same of sequences, towards targets [L, B]; padded steps count nothing."""
    learned = slice(config.burn_in, config.burn_in + len(batch.action))
    q = online(batch.obs, batch.reset)[learned]
    mask = batch.mask.astype(np.float64)
    error = goal - chosen(q, batch.action)
    per_sequence = (mask * size_of(config, error)).sum(axis=0)
    off = mask * np.abs(error)
    return {
        "loss": (batch.weight * per_sequence).sum() / mask.sum(),
        "q_mean": (mask * q.max(axis=2)).sum() / mask.sum(),
        "td_error": 0.9 * off.max(axis=0) + 0.1 * off.sum(axis=0) / mask.sum(axis=0),  # a sequence's priority
    }


def goal_of_sequences(config: Any, batch: Any, online: Values, target: Values) -> np.ndarray:
    steps, games = np.indices(batch.action.shape)
    ahead = config.burn_in + steps + batch.ahead
    values = (each(batch.obs, batch.reset)[ahead, games] for each in (target, online))
    return batch.reward.astype(np.float64) + batch.discount * next_value(config, *values)


def of_rollouts(config: Any, batch: Any, online: Values, goal: np.ndarray) -> Expected:
    """An actor-critic's: the policy's part (clipped where the recipe has a `clip`), the value's, the entropy's."""
    begin = config.burn_in
    outputs = online(batch.obs, batch.reset)[begin:]
    action, returns, mask, advantage, before = (
        part[begin:].astype(np.float64) for part in (batch.action, batch.returns, batch.mask, batch.advantage, batch.log_prob)
    )  # fmt: skip
    logits = outputs[..., :-1] - outputs[..., :-1].max(axis=-1, keepdims=True)
    log_probs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))

    def mean(values: np.ndarray) -> np.ndarray:
        return (values * mask).sum() / mask.sum()

    if config.normalise_advantages:
        advantage = advantage - mean(advantage)
        advantage = advantage / (np.sqrt(mean(advantage**2)) + 1e-8)
    taken, error = chosen(log_probs, action), returns - outputs[..., -1]
    gain = advantage * taken
    if "clip_fraction" in config.metrics:
        ratio = np.exp(taken - before)
        gain = np.minimum(ratio * advantage, np.clip(ratio, 1 - batch.clip, 1 + batch.clip) * advantage)
    parts = {
        "policy_loss": -mean(gain),
        "value_loss": mean(size_of(config, error)),
        "entropy": -mean((np.exp(log_probs) * log_probs).sum(axis=-1)),
    }
    whole = parts["policy_loss"] + config.value_weight * parts["value_loss"] - batch.entropy_weight * parts["entropy"]
    return {"loss": whole, "td_error": error, **parts}


def goal_of_rollouts(config: Any, batch: Any, online: Values, target: Values) -> np.ndarray:
    return np.asarray(batch.returns)
