"""The memory kind `neural_map`: see `triptych.spec.neural_map`. A map is [B, H, W, C], rows y and columns x."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import numpy as np
from jax import numpy as jnp

from triptych.frameworks.jax.layers import Parameters, build, scan
from triptych.spec import NeuralMap


def cells_of(position, size: int):
    """Columns and rows [T, B, 2] of positions from 0 to 1. Comparisons are exact; a product would be rounded at the edges."""
    edges = jnp.asarray(np.arange(1, size) / size, "float32").astype(position.dtype)
    return jnp.sum(position[..., None] >= edges.reshape((1, 1, 1, -1)), axis=-1, dtype="int32")


def shifted(grid, moved):
    """The map moved against the agent, which has moved by so many columns and rows [B, 2]; zeros where nothing was."""
    games, size, _, channels = grid.shape
    column, row = (jnp.arange(size)[None] + moved[:, axis, None].astype("int32") for axis in (0, 1))
    inside = ((row >= 0) & (row < size))[:, :, None] & ((column >= 0) & (column < size))[:, None]
    number = jnp.clip(row, 0, size - 1)[:, :, None] * size + jnp.clip(column, 0, size - 1)[:, None]
    taken = jnp.take_along_axis(grid.reshape((games, -1, channels)), number.reshape((games, -1, 1)), axis=1)
    return jnp.where(inside[..., None], taken.reshape(grid.shape), 0)


def convolved(x, kernel):
    """A 3 x 3 convolution with stride 2 and one row of zeros around, as one product: in a loop XLA's own takes three times as long."""
    size = (x.shape[1] + 1) // 2
    x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    ends = 2 * size - 1
    views = [x[:, row : row + ends : 2, column : column + ends : 2] for row in range(3) for column in range(3)]
    return jnp.concatenate(views, axis=-1) @ kernel.reshape((-1, kernel.shape[-1]))


class MapMemory(Parameters):
    """A map that is read as a whole and written where the agent is. State: the map, and egocentric the place before."""

    def __call__(self, x, state, reset, position):
        return scan(self.step, state, reset, x, cells_of(position, self.spec.size))

    def step(self, state, x, cell):
        size, channels = self.spec.size, self.spec.channels
        numbers = size * size * channels
        grid, before = state[:, :numbers].reshape((-1, size, size, channels)), state[:, numbers:]
        if self.spec.egocentric:
            place = cell.astype(before.dtype)
            grid = shifted(grid, (place - before[:, :2]) * before[:, 2:])
            before = jnp.concatenate([place, jnp.ones_like(before[:, 2:])], axis=1)
            cell = jnp.full_like(cell, size // 2)
        here = jnp.arange(x.shape[0]), cell[:, 1], cell[:, 0]
        read = self.read(grid)
        known = jnp.concatenate([x, read], axis=1)
        context = [self.ask(known, grid)] if self.spec.context else []
        old = grid[here]
        new = self.write(jnp.concatenate([known, *context], axis=1), old)
        grid = grid.at[here].set(new)
        state = jnp.concatenate([grid.reshape((x.shape[0], -1)), before], axis=1)
        return state, jnp.concatenate([read, *context, new, *[x] * self.spec.skip], axis=1)

    def read(self, grid):
        x = grid
        for index in (1, 2, 3):
            kernel, bias = getattr(self, f"read_{index}_kernel"), getattr(self, f"read_{index}_bias")
            x = convolved(x, kernel)
            x = jax.nn.relu(x + jnp.broadcast_to(bias, x.shape))
        return self.dense("read", x.reshape((x.shape[0], -1)))

    def ask(self, known, grid):
        """The context: all places, weighed by how well they answer."""
        places = grid.reshape((grid.shape[0], -1, grid.shape[-1]))
        scores = jnp.einsum("bc,bpc->bp", self.dense("query", known), places)
        return jnp.einsum("bp,bpc->bc", jax.nn.softmax(scores, axis=1), places)

    def write(self, known, old):
        if not self.spec.gated:
            hidden = jax.nn.relu(self.dense("hidden", jnp.concatenate([known, old], axis=1)))
            return jnp.tanh(self.dense("write", hidden))
        size = self.spec.channels
        gates, recurrent = self.dense("write", known), self.write_recurrent_kernel
        g, z = jnp.split(jax.nn.sigmoid(gates[:, : 2 * size] + old @ recurrent[:, : 2 * size]), 2, axis=1)
        new = jnp.tanh(gates[:, 2 * size :] + (g * old) @ recurrent[:, 2 * size :])
        return (1 - z) * old + z * new


MODULES = {NeuralMap: MapMemory}
MAPS: dict[type, Any] = {spec: partial(build, module) for spec, module in MODULES.items()}
