"""Random numbers as `triptych show --loop` writes them into a file: the same as those of `triptych.utils.seeds`."""

from __future__ import annotations

import zlib

import numpy as np


def generator(seed, name, *number):
    """A generator for one thing alone, so that no number of it depends on what else is drawn."""
    return np.random.default_rng([seed, zlib.crc32(name.encode()), *number])


def game_seeds(seed, name, number, count):
    """Seeds for games: those that are learned from, or those of a test."""
    return generator(seed, name, number).integers(2**31 - 1, size=count).tolist()
