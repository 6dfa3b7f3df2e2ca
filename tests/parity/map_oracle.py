"""The neural map in NumPy, one game and one step at a time: a dict of places by column and row, in the world's own cells."""

from __future__ import annotations

from typing import Any

import numpy as np

from triptych.spec import NeuralMap

Weights = dict[str, np.ndarray]
Places = dict[tuple[int, int], np.ndarray]


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def cell(value: float, size: int) -> int:
    """Of a position from 0 to 1 that lies on no edge."""
    return min(int(value * size), size - 1)


class World:
    """What an agent has written, and where; egocentric it forgets what its map no longer reaches."""

    def __init__(self, layer: NeuralMap, state: np.ndarray):
        self.layer, self.places = layer, dict[tuple[int, int], np.ndarray]()
        size, channels = layer.size, layer.channels
        x, y, known = (*state[-3:],) if layer.egocentric else (0, 0, 0)
        self.left, self.top = (int(x) - size // 2, int(y) - size // 2) if layer.egocentric else (0, 0)
        self.begun = bool(known)
        for index, vector in enumerate(state[: size * size * channels].reshape(-1, channels)):
            self.places[self.left + index % size, self.top + index // size] = vector

    def move(self, x: int, y: int) -> None:
        """The map follows the agent; an episode's first step finds it where it is."""
        size = self.layer.size
        before, (self.left, self.top) = (self.left, self.top), (x - size // 2, y - size // 2)
        if not self.begun:
            shift = self.left - before[0], self.top - before[1]
            self.places = {(a + shift[0], b + shift[1]): found for (a, b), found in self.places.items()}
        self.begun = True
        seen = {(self.left + a, self.top + b) for a in range(size) for b in range(size)}
        self.places = {at: found for at, found in self.places.items() if at in seen}

    def grid(self) -> np.ndarray:
        """[rows, columns, C]"""
        size, nothing = self.layer.size, np.zeros(self.layer.channels)
        rows = [[self.places.get((self.left + a, self.top + b), nothing) for a in range(size)] for b in range(size)]
        return np.array(rows)


def read(layer: NeuralMap, w: Weights, grid: np.ndarray) -> np.ndarray:
    for index in (1, 2, 3):
        padded = np.pad(grid, ((1, 1), (1, 1), (0, 0)))
        kernel, bias = w[f"read_{index}_kernel"], w[f"read_{index}_bias"]
        rows, columns = (range(0, side, 2) for side in grid.shape[:2])
        grid = np.array(
            [[np.maximum((padded[r : r + 3, c : c + 3, :, None] * kernel).sum(axis=(0, 1, 2)) + bias, 0) for c in columns] for r in rows]
        )  # fmt: skip
    return grid.ravel() @ w["read_kernel"] + w["read_bias"]


def neural_map(layer: NeuralMap, w: Weights, s: np.ndarray, history: Any) -> np.ndarray:
    """The equations of Parisotto & Salakhutdinov 2018, sections 3.1 to 3.5."""
    if not hasattr(history, "world"):
        history.world = World(layer, history.state)
    world: World = history.world
    at = cell(history.position[0], layer.size), cell(history.position[1], layer.size)
    if layer.egocentric:
        world.move(*at)
    r = read(layer, w, world.grid())
    known = [s, r]
    if layer.context:
        q = np.concatenate(known) @ w["query_kernel"]
        places = world.grid().reshape(-1, layer.channels)
        scores = np.exp([q @ m for m in places])
        known.append(sum(score * m for score, m in zip(scores / scores.sum(), places, strict=True)))
    m = world.places.get(at, np.zeros(layer.channels))
    told = np.concatenate(known)
    if layer.gated:
        own = [w["write_kernel"][:, part] for part in parts(layer.channels)]
        old = [w["write_recurrent_kernel"][:, part] for part in parts(layer.channels)]
        bias = [w["write_bias"][part] for part in parts(layer.channels)]
        g = sigmoid(told @ own[0] + m @ old[0] + bias[0])
        z = sigmoid(told @ own[1] + m @ old[1] + bias[1])
        h = np.tanh(told @ own[2] + (g * m) @ old[2] + bias[2])
        new = (1 - z) * m + z * h
    else:
        hidden = np.maximum(np.concatenate([told, m]) @ w["hidden_kernel"] + w["hidden_bias"], 0)
        new = np.tanh(hidden @ w["write_kernel"] + w["write_bias"])
    world.places[at] = new
    return np.concatenate([*known[1:], new])


def parts(size: int) -> list[slice]:
    return [slice(index * size, (index + 1) * size) for index in range(3)]
