"""The run's random numbers: NumPy generators with names. Nothing else draws one."""

from __future__ import annotations

import zlib

import numpy as np


def generator(seed: int, name: str) -> np.random.Generator:
    """One of a run's generators, by name: weights, explore, sample."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def game_seeds(seed: int, name: str, number: int, count: int) -> np.ndarray:
    """Seeds for `count` games: of the restart `number`, or of the evaluation `number`."""
    draws = np.random.default_rng([seed, zlib.crc32(name.encode()), number])
    return draws.integers(2**31 - 1, size=count)
