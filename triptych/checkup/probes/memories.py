"""One step of each memory in float64 NumPy, for B games: (layer, weights, input [B, D], state [B, S], position) to output and state after.

From the papers that the layers of `spec/` name. `position` [B, 2] is what a neural map is told, None for the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from triptych.spec import GRU, LSTM, RNN, Attention, NeuralMap, Stack, VisualAttention
from triptych.spec.neural_map import CONVOLUTIONS

Weights = Mapping[str, np.ndarray]  # of one layer, by the names that it has there
Stepped = tuple[np.ndarray, np.ndarray]


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(x / 2))


def softmax(x: np.ndarray) -> np.ndarray:
    """Over the last axis."""
    large = np.exp(x - x.max(axis=-1, keepdims=True))
    return large / large.sum(axis=-1, keepdims=True)


def stack(layer: Stack, weights: Weights, x: np.ndarray, state: np.ndarray, position: Any) -> Stepped:
    whole = np.concatenate([state, x], axis=1)
    return whole, whole[:, x.shape[1] :]


def rnn(layer: RNN, weights: Weights, x: np.ndarray, h: np.ndarray, position: Any) -> Stepped:
    h = np.tanh(x @ weights["kernel"] + h @ weights["recurrent_kernel"] + weights["bias"])
    return h, h


def gru(layer: GRU, weights: Weights, x: np.ndarray, h: np.ndarray, position: Any) -> Stepped:
    r, z, n = np.split(x @ weights["kernel"] + weights["bias"], 3, axis=1)
    own_r, own_z, own_n = np.split(h @ weights["recurrent_kernel"], 3, axis=1)
    r, z = sigmoid(r + own_r), sigmoid(z + own_z)
    h = (1 - z) * np.tanh(n + r * (own_n + weights["recurrent_bias"])) + z * h
    return h, h


def lstm(layer: Any, weights: Weights, x: np.ndarray, state: np.ndarray, position: Any) -> Stepped:
    h, c = np.split(state, 2, axis=1)
    i, f, g, o = np.split(x @ weights["kernel"] + h @ weights["recurrent_kernel"] + weights["bias"], 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return h, np.concatenate([h, c], axis=1)


def visual_attention(
    layer: VisualAttention, weights: Weights, x: np.ndarray, state: np.ndarray, position: Any
) -> Stepped:
    """Sorokin et al. 2015, soft attention: the LSTM sees the weighed mean of the map's places."""
    places = x.reshape(len(x), -1, weights["place_kernel"].shape[0])  # [B, H W, C]
    asked = (state[:, : layer.units] @ weights["state_kernel"])[:, None]
    weighed = np.tanh(places @ weights["place_kernel"] + weights["place_bias"] + asked) @ weights["weight_kernel"]
    seen = np.einsum("bp,bpc->bc", softmax(weighed[..., 0]), places)
    return lstm(layer, weights, seen, state, None)


def attention(layer: Attention, weights: Weights, x: np.ndarray, state: np.ndarray, position: Any) -> Stepped:
    """The newest of a window of steps asks all of them that are of its episode (Vaswani et al. 2017; gates: Parisotto et al. 2020)."""
    games, before, heads = len(x), layer.length - 1, layer.heads

    def dense(name: str, v: np.ndarray) -> np.ndarray:
        return v @ weights[f"{name}_kernel"] + weights.get(f"{name}_bias", 0)

    x = dense("embed", x)
    kept, there = state[:, : before * layer.units].reshape(games, before, -1), state[:, before * layer.units :]
    window = np.concatenate([kept, x[:, None]], axis=1)  # [B, length, units]
    there = np.concatenate([there, np.ones((games, 1))], axis=1)
    seen = normal(weights, 1, window)
    query = dense("query", seen[:, -1]).reshape(games, heads, -1)
    keys, values = (dense(name, seen).reshape(games, layer.length, heads, -1) for name in ("key", "value"))
    scores = np.einsum("bhd,blhd->bhl", query, keys) / np.sqrt(query.shape[-1]) + weights["distance_bias"]
    chances = softmax(np.where(there[:, None] > 0, scores, -np.inf))
    out = dense("out", np.einsum("bhl,blhd->bhd", chances, values).reshape(games, -1))
    y = gate(weights, 1, x, out) if layer.gated else x + out
    down = dense("down", np.maximum(dense("hidden", normal(weights, 2, y)), 0))
    y = gate(weights, 2, y, down) if layer.gated else y + down
    return y, np.concatenate([window[:, 1:].reshape(games, -1), there[:, 1:]], axis=1)


def normal(weights: Weights, index: int, x: np.ndarray) -> np.ndarray:
    """Layer normalisation over the last axis."""
    x = (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)
    return x * weights[f"norm_{index}_scale"] + weights[f"norm_{index}_bias"]


def gate(weights: Weights, index: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A GRU's gates in place of a sum (Parisotto et al. 2020, section 3.2)."""
    y = np.maximum(y, 0)
    of_y = np.split(y @ weights[f"gate_{index}_kernel"], 3, axis=1)
    kernels = np.split(weights[f"gate_{index}_recurrent_kernel"], 3, axis=1)
    r, z = sigmoid(of_y[0] + x @ kernels[0]), sigmoid(of_y[1] + x @ kernels[1] - weights[f"gate_{index}_bias"])
    return (1 - z) * x + z * np.tanh(of_y[2] + (r * x) @ kernels[2])


def neural_map(layer: NeuralMap, weights: Weights, x: np.ndarray, state: np.ndarray, position: np.ndarray) -> Stepped:
    """Parisotto & Salakhutdinov 2018, sections 3.1 to 3.5: read the map, ask it, write the agent's place."""
    games, size, channels = np.arange(len(x)), layer.size, layer.channels
    grid = state[:, : size**2 * channels].reshape(-1, size, size, channels).copy()
    at = (np.asarray(position)[..., None] >= (np.arange(1, size) / size).astype(position.dtype)).sum(
        axis=2
    )  # column, row
    column, row = at.T
    if layer.egocentric:
        moved = np.where(state[:, -1:] > 0, at - state[:, -3:-1], 0).astype(int)
        grid = np.stack([shifted(one, *by) for one, by in zip(grid, moved, strict=True)])
        column = row = np.full(len(x), size // 2)
    known = [x, reading(weights, grid)]
    if layer.context:
        places = grid.reshape(len(x), -1, channels)
        asked = softmax(np.einsum("bc,bpc->bp", np.concatenate(known, axis=1) @ weights["query_kernel"], places))
        known.append(np.einsum("bp,bpc->bc", asked, places))
    written = write(layer, weights, np.concatenate(known, axis=1), grid[games, row, column])
    grid[games, row, column] = written
    after = [grid.reshape(len(x), -1), *([at, np.ones((len(x), 1))] if layer.egocentric else [])]
    return np.concatenate([*known[1:], written], axis=1), np.concatenate(after, axis=1)


def shifted(grid: np.ndarray, columns: int, rows: int) -> np.ndarray:
    """A map [H, W, C] around an agent that has moved so far: what it has left behind is gone, what is new is empty."""
    found, (height, width) = np.zeros_like(grid), grid.shape[:2]
    for row in range(max(0, -rows), min(height, height - rows)):
        for column in range(max(0, -columns), min(width, width - columns)):
            found[row, column] = grid[row + rows, column + columns]
    return found


def reading(weights: Weights, grid: np.ndarray) -> np.ndarray:
    """Three convolutions of the whole map with stride 2 and zeros around it, then a dense layer."""
    for index in range(1, CONVOLUTIONS + 1):
        around = np.pad(grid, ((0, 0), (1, 1), (1, 1), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(around, (3, 3), axis=(1, 2))[:, ::2, ::2]
        seen = np.einsum("bhwcij,ijco->bhwo", windows, weights[f"read_{index}_kernel"], optimize=True)
        grid = np.maximum(seen + weights[f"read_{index}_bias"], 0)
    return grid.reshape(len(grid), -1) @ weights["read_kernel"] + weights["read_bias"]


def write(layer: NeuralMap, weights: Weights, known: np.ndarray, old: np.ndarray) -> np.ndarray:
    """What becomes of a place that holds `old` [B, C]."""
    if not layer.gated:
        hidden = np.concatenate([known, old], axis=1) @ weights["hidden_kernel"] + weights["hidden_bias"]
        return np.tanh(np.maximum(hidden, 0) @ weights["write_kernel"] + weights["write_bias"])
    g, z, h = np.split(known @ weights["write_kernel"] + weights["write_bias"], 3, axis=1)
    own_g, own_z, own_h = np.split(weights["write_recurrent_kernel"], 3, axis=1)
    g, z = sigmoid(g + old @ own_g), sigmoid(z + old @ own_z)
    return (1 - z) * old + z * np.tanh(h + (g * old) @ own_h)


MEMORIES: dict[type, Callable[..., Stepped]] = {
    Stack: stack, RNN: rnn, GRU: gru, LSTM: lstm,
    Attention: attention, VisualAttention: visual_attention, NeuralMap: neural_map,
}  # fmt: skip
