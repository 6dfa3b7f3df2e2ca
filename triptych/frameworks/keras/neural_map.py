"""The memory kind `neural_map`: see `triptych.spec.neural_map`. A map is [B, H, W, C], rows y and columns x."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops

from triptych.frameworks.keras.layers import Parameters, build, cleared, lengths
from triptych.spec import NeuralMap


def cells_of(position, size: int):
    """Columns and rows [T, B, 2] of positions from 0 to 1. Comparisons are exact; a product would be rounded at the edges."""
    edges = tf.cast(tf.constant(np.arange(1, size) / size, "float32"), position.dtype)
    return tf.reduce_sum(tf.cast(position[..., None] >= edges, "int32"), axis=-1)


def place_of(cells, size: int):
    """[B, H, W], true at the places [B, 2]."""
    column, row = (cells[:, axis, None] == tf.range(size) for axis in (0, 1))
    return row[:, :, None] & column[:, None, :]


def shifted(grid, moved):
    """The map moved against the agent, which has moved by so many columns and rows [B, 2]; zeros where nothing was."""
    numbers = tf.range(grid.shape[1])
    away = tf.cast(numbers - numbers[:, None], moved.dtype)  # [to, from]
    columns, rows = (tf.cast(away == moved[:, axis, None, None], grid.dtype) for axis in (0, 1))
    return tf.einsum("byh,bhxc->byxc", rows, tf.einsum("bxw,bhwc->bhxc", columns, grid))


class MapMemory(Parameters):
    """A map that is read as a whole and written where the agent is. State: the map, and egocentric the place before."""

    def call(self, x, state, reset, position):
        cells, outputs = cells_of(position, self.spec.size), []
        for t in range(x.shape[0]):
            state, y = self.step(cleared(state, reset[t]), x[t], cells[t])
            outputs.append(y)
        return tf.stack(outputs), state

    def step(self, state, x, cell):
        size, channels = self.spec.size, self.spec.channels
        numbers, games = size * size * channels, lengths(x)[0]
        grid, before = tf.reshape(state[:, :numbers], (games, size, size, channels)), state[:, numbers:]
        if self.spec.egocentric:
            place = tf.cast(cell, before.dtype)
            grid = shifted(grid, (place - before[:, :2]) * before[:, 2:])
            before = tf.concat([place, tf.ones_like(before[:, 2:])], axis=1)
            cell = tf.fill(lengths(cell), size // 2)
        here = place_of(cell, size)
        read = self.read(grid)
        known = tf.concat([x, read], axis=1)
        context = [self.ask(known, grid)] if self.spec.context else []
        old = tf.einsum("bhw,bhwc->bc", tf.cast(here, grid.dtype), grid)
        new = self.write(tf.concat([known, *context], axis=1), old)
        grid = tf.where(here[..., None], new[:, None, None], grid)
        state = tf.concat([tf.reshape(grid, (games, numbers)), before], axis=1)
        return state, tf.concat([read, *context, new, *[x] * self.spec.skip], axis=1)

    def read(self, grid):
        x, around = grid, [[0, 0], [1, 1], [1, 1], [0, 0]]
        for index in (1, 2, 3):
            kernel, bias = getattr(self, f"read_{index}_kernel"), getattr(self, f"read_{index}_bias")
            x = tf.nn.relu(tf.nn.conv2d(x, tf.convert_to_tensor(kernel), 2, around) + bias)
        return self.dense("read", tf.reshape(x, (lengths(x)[0], self.read_kernel.shape[0])))

    def ask(self, known, grid):
        """The context: all places, weighed by how well they answer."""
        places = tf.reshape(grid, (lengths(grid)[0], -1, grid.shape[-1]))
        scores = tf.einsum("bc,bpc->bp", self.dense("query", known), places)
        return tf.einsum("bp,bpc->bc", tf.nn.softmax(scores), places)

    def write(self, known, old):
        if not self.spec.gated:
            hidden = tf.nn.relu(self.dense("hidden", tf.concat([known, old], axis=1)))
            return tf.tanh(self.dense("write", hidden))
        size = self.spec.channels
        gates, recurrent = self.dense("write", known), self.write_recurrent_kernel
        g, z = tf.split(tf.sigmoid(gates[:, : 2 * size] + ops.matmul(old, recurrent[:, : 2 * size])), 2, axis=1)
        new = tf.tanh(gates[:, 2 * size :] + ops.matmul(g * old, recurrent[:, 2 * size :]))
        return (1 - z) * old + z * new


MODULES = {NeuralMap: MapMemory}
MAPS: dict[type, Any] = {spec: partial(build, layer) for spec, layer in MODULES.items()}
