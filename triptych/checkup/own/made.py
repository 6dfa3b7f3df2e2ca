"""What is made for a user's object: observations, and batches as its `learn` takes them."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from triptych.checkup.own.memory.protocol import HISTORY, Begun, Pieces, Recurrent
from triptych.checkup.own.protocol import Batch, Own, Returns

MANY = 40  # bits of an observation: of 10,000 that are drawn two are the same once in 20,000 times


def made(own: Own, count: int, seed: int = 0) -> np.ndarray:
    """Observations [count, *observation]: random pixels, normal numbers, or whole ones within the bounds of their space."""
    rng, shape = np.random.default_rng(seed), (count, *own.shape)
    if own.dtype.kind == "f":
        return rng.normal(size=shape).astype(own.dtype)
    low, high = limits(own)
    if own.dtype == np.uint8 and (low == 0).all() and (high == 255).all():
        return rng.integers(256, size=shape).astype(np.uint8)
    return rng.integers(low, high, size=shape, dtype=own.dtype.type, endpoint=True)


def limits(own: Own) -> tuple[np.ndarray, np.ndarray]:
    """The smallest and the largest observation of whole numbers, [*observation] each."""
    space = None if own.env is None else own.env.observation_space
    if isinstance(space, spaces.Discrete):
        return np.array(space.start), np.array(space.start + space.n - 1)
    if isinstance(space, spaces.MultiDiscrete):
        return space.start, space.start + space.nvec - 1
    if isinstance(space, spaces.MultiBinary):
        return np.zeros(own.shape, own.dtype), np.ones(own.shape, own.dtype)
    if isinstance(space, spaces.Box):
        return space.low, space.high
    return np.zeros(own.shape, np.uint8), np.full(own.shape, 255, np.uint8)


def told_apart(own: Own) -> bool:
    """Whether hardly any two made observations are the same: of categories, and of a few whole numbers, many are."""
    if own.dtype.kind == "f":
        return True
    low, high = limits(own)
    return bool(np.log2(high.astype(float) - low.astype(float) + 1).sum() >= MANY)


def made_batch(own: Own, count: int, seed: int = 0) -> Any:
    """Transitions, every fourth of which ends an episode; of a learner with a memory pieces of episodes."""
    if isinstance(own, Recurrent):
        return made_pieces(own, count, seed)
    rng = np.random.default_rng(seed)
    terminated = (np.arange(count) % 4 == 0).astype(np.float32)
    action = rng.integers(own.actions, size=count)
    reward = rng.normal(size=count).astype(np.float32)
    found = (made(own, count, seed + 1), action, reward, terminated, made(own, count, seed + 2))
    most = int(own.settings["n_step"])
    return Batch(*found) if most == 1 else Returns(*found, rng.integers(1, most + 1, size=count))


def made_rows(own: Own, count: int, steps: int, seed: int) -> np.ndarray:
    """Observations [count, steps, *observation]."""
    return made(own, count * steps, seed).reshape(count, steps, *own.shape)


def history_of(own: Own, count: int, seed: int) -> np.ndarray:
    """What came before the first step of `made_pieces`, where the state is handed over."""
    return made_rows(own, count, HISTORY, seed + 3)


def made_pieces(own: Recurrent, count: int, seed: int = 0) -> Pieces | Begun:
    """Every second piece goes on behind its last step; of the others half end for good and half are cut, at different steps."""
    rng, steps = np.random.default_rng(seed), int(own.settings["sequence_length"])
    obs = made_rows(own, count, steps + 1, seed + 1)
    first = int(own.settings["burn_in"]) + 1  # each piece has at least a step that is learned from
    length = np.where(np.arange(count) % 2 == 0, steps, rng.integers(first, steps + 1, size=count))
    mask = (np.arange(steps) < length[:, None]).astype(np.float32)
    ends = np.arange(count) % 4 == 1
    terminated = ((np.arange(steps) == length[:, None] - 1) & ends[:, None]).astype(np.float32)
    obs[np.arange(steps + 1) > length[:, None]] = 0
    action = rng.integers(own.actions, size=(count, steps))  # behind the end too, where they must count nothing
    reward = rng.normal(size=(count, steps)).astype(np.float32)
    found = (obs, action, reward, terminated, mask)
    return Begun(*found, own.played(history_of(own, count, seed))) if own.settings["stored_state"] else Pieces(*found)
