"""A network's forward pass in float64 NumPy, from its spec and its neutral weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from triptych.checkup.probes.memories import MEMORIES, Weights
from triptych.spec import (
    ActorCritic,
    Conv,
    Dense,
    Dueling,
    Flatten,
    FrameAndDifference,
    FrameDifference,
    Network,
    parts_of,
)


class Misfit(ValueError):
    """A layer's weights take other numbers than the layers before it give."""


def unknown_layers(network: Network) -> list[str]:
    """The kinds of layers that have no twin here."""
    return sorted({layer.kind for layer in network.layers if type(layer) not in LAYERS and type(layer) not in MEMORIES})


def forward(
    network: Network,
    weights: Mapping[str, np.ndarray],
    obs: Any,
    reset: np.ndarray,
    states: Sequence[np.ndarray] | None = None,
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Outputs [T, B, ...] for observations [T, B, *observation], and the memories' states after them.

    Args:
        reset: [T, B], the states are zeroed before that step.
        states: [B, S] of each memory before the first step; None: zeros.
    """
    steps, games = reset.shape
    given = {name: np.asarray(part, np.float64) for name, part in parts_of(obs).items()}
    parts = {name: part.reshape(steps * games, *part.shape[2:]) for name, part in given.items()}
    observation, after = network.observation, list[np.ndarray]()
    main = observation.main
    x = parts[observation.main_name]
    if main.is_picture:  # (stack, H, W) or (stack, H, W, 3) to (H, W, C)
        x = np.moveaxis(x, 1, 3).reshape(len(x), *main.picture_shape)
    for index, placed in enumerate(network.placed()):
        if index == network.scale_at:
            x = x / 255
        own = {name.split("/")[1]: np.asarray(weights[name], np.float64) for name in placed.tensors()}
        if placed.joined:
            x = np.concatenate([x, *(scaled(observation.parts[name], parts[name]) for name in placed.joined)], axis=1)
        if type(placed.layer) in MEMORIES:
            state = None if states is None else states[len(after)]
            where = parts[placed.part].reshape(steps, games, -1) if placed.part else None
            x, state = unrolled(placed.layer, own, x.reshape(steps, games, -1), reset, state, where)
            x = x.reshape(steps * games, -1)
            after.append(state)
        else:
            if "kernel" in own and x.ndim == 2 and own["kernel"].shape[0] != x.shape[1]:
                raise Misfit(
                    f"{placed.name} takes {own['kernel'].shape[0]:,} numbers, the layers before it give {x.shape[1]:,}"
                )
            x = LAYERS[type(placed.layer)](placed.layer, own, x)
    return x.reshape(steps, games, *x.shape[1:]), after


def scaled(part: Any, values: np.ndarray) -> np.ndarray:
    return values / 255 if part.dtype == "uint8" else values


def activated(activation: str, x: np.ndarray) -> np.ndarray:
    return {"relu": lambda: np.maximum(x, 0), "tanh": lambda: np.tanh(x), "linear": lambda: x}[activation]()


def conv(layer: Conv, weights: Weights, x: np.ndarray) -> np.ndarray:
    """No padding: each output sees whole windows alone."""
    side = (layer.kernel, layer.kernel)
    windows = np.lib.stride_tricks.sliding_window_view(x, side, axis=(1, 2))[:, :: layer.stride, :: layer.stride]
    return activated(
        layer.activation, np.einsum("bhwcij,ijco->bhwo", windows, weights["kernel"], optimize=True) + weights["bias"]
    )


def flatten(layer: Flatten, weights: Weights, x: np.ndarray) -> np.ndarray:
    return x.reshape(len(x), -1)


def dense(layer: Dense, weights: Weights, x: np.ndarray) -> np.ndarray:
    return activated(layer.activation, x @ weights["kernel"] + weights["bias"])


def difference(layer: FrameDifference, weights: Weights, x: np.ndarray) -> np.ndarray:
    older, newer = np.split(x, 2, axis=3)
    return newer - older


def frame_and_difference(layer: FrameAndDifference, weights: Weights, x: np.ndarray) -> np.ndarray:
    older, newer = np.split(x, 2, axis=3)
    return np.concatenate([layer.picture_gain * (255 - newer), layer.difference_gain * (newer - older)], axis=3)


def dueling(layer: Dueling, weights: Weights, x: np.ndarray) -> np.ndarray:
    def stream(name: str) -> np.ndarray:
        hidden = np.maximum(x @ weights[f"{name}_hidden_kernel"] + weights[f"{name}_hidden_bias"], 0)
        return hidden @ weights[f"{name}_kernel"] + weights[f"{name}_bias"]

    advantage = stream("advantage")
    return stream("value") + advantage - advantage.mean(axis=1, keepdims=True)


def actor_critic(layer: ActorCritic, weights: Weights, x: np.ndarray) -> np.ndarray:
    def stream(name: str) -> np.ndarray:
        seen = x
        for index in range(1, len(layer.streams[name][0]) + 1):
            seen = seen @ weights[f"{name}_hidden_{index}_kernel"] + weights[f"{name}_hidden_{index}_bias"]
            seen = activated(layer.hidden_activation, seen)
        return seen @ weights[f"{name}_kernel"] + weights[f"{name}_bias"]

    return np.concatenate([stream("policy"), stream("value")], axis=1)


def unrolled(
    layer: Any,
    weights: Weights,
    x: np.ndarray,
    reset: np.ndarray,
    state: np.ndarray | None,
    where: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """A memory over [T, B, D], and its state after that; `where` [T, B, 2]: the positions that it is told."""
    state = np.zeros((x.shape[1], layer.state_size(x.shape[2:]))) if state is None else state
    found = []
    for index, (step, begins) in enumerate(zip(x, reset, strict=True)):
        state = np.where(begins[:, None], 0, state)
        output, state = MEMORIES[type(layer)](layer, weights, step, state, None if where is None else where[index])
        found.append(np.concatenate([output, step], axis=1) if getattr(layer, "skip", False) else output)
    return np.stack(found), state


LAYERS: dict[type, Callable[[Any, Weights, np.ndarray], np.ndarray]] = {
    Conv: conv, Flatten: flatten, Dense: dense, FrameDifference: difference, FrameAndDifference: frame_and_difference,
    Dueling: dueling, ActorCritic: actor_critic,
}  # fmt: skip
