"""Random numbers and first weights as `triptych show --loop` writes them into a file. No run imports this.

The same numbers as those of `triptych.utils.seeds` and `triptych.spec.weights`, in fewer lines.
"""

from __future__ import annotations

import zlib

import numpy as np


def generator(seed, name, *number):
    """A generator for one thing alone, so that no number of it depends on what else is drawn."""
    return np.random.default_rng([seed, zlib.crc32(name.encode()), *number])


def game_seeds(seed, name, number, count):
    """Seeds for games: those that are learned from, or those of a test."""
    return generator(seed, name, number).integers(2**31 - 1, size=count)  # only: pictures
    return generator(seed, name, number).integers(2**31 - 1, size=count).tolist()  # only: not pictures


def glorot_uniform(rng, shape):
    """A kernel within sqrt(6 / (fan in + fan out)) (Glorot & Bengio 2010), and biases of 0."""
    limit = np.sqrt(6.0 / (int(np.prod(shape[:-2])) * (shape[-2] + shape[-1])))
    return rng.uniform(-limit, limit, shape), np.zeros(shape[-1])


def fan_in_uniform(rng, shape):
    """A kernel and biases within 1 / sqrt(fan in) (LeCun et al. 1998)."""
    limit = 1.0 / np.sqrt(int(np.prod(shape[:-1])))
    return rng.uniform(-limit, limit, shape), rng.uniform(-limit, limit, shape[-1])


def orthogonal(rng, shape):
    """A kernel with orthogonal columns (or rows) of length sqrt(2) (Saxe et al. 2014), and biases of 0."""
    rows, columns = int(np.prod(shape[:-1])), shape[-1]
    q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    q = q * np.sign(np.diag(r))
    return np.sqrt(2.0) * (q if rows >= columns else q.T).reshape(shape), np.zeros(columns)


def orthogonal_blocks(rng, shape):
    """Square blocks side by side, a gate each, each orthogonal."""
    blocks = [np.linalg.qr(rng.standard_normal((shape[0], shape[0]))) for _ in range(shape[1] // shape[0])]
    return np.concatenate([q * np.sign(np.diag(r)) for q, r in blocks], axis=1)
