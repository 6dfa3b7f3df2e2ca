"""Agents that Stable-Baselines3 saved: what their network is, and its weights under neutral names.

A zip of it holds `data` (JSON, with pickles as text inside) and state dicts. Of `data` the plain and the readable entries are
read, never the pickles beside them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from triptych.experiments.stable_baselines_file import (
    ALLOWED,
    Tensors,
    check_understood,
    contents,
    readable,
    shares_features,
)
from triptych.experiments.stable_baselines_memory import memory_of
from triptych.frameworks.foreign import read_torch
from triptych.spec import Conv, Dense, Flatten, Layer
from triptych.spec.weights import Weights
from triptych.utils.checks import InputError

NATURE = ((8, 4), (4, 2), (3, 1))  # kernel and stride of Stable-Baselines3's convolutions; strides are in no state dict
ENTRY = re.compile(r"(.*)\.(\d+)\.(weight|bias)")


@dataclass(frozen=True)
class Found:
    """An agent of Stable-Baselines3's."""

    algorithm: str  # dqn, a2c or ppo
    body: tuple[Layer, ...]
    weights: Weights  # by neutral name, head included
    shape: tuple[int, ...]  # of an observation, channels first
    actions: int
    steps: int | None  # that it was trained for, where the zip says so
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the algorithm, which say what its head is


def read_zip(path: Path) -> Found:
    """What a zip of Stable-Baselines3's holds.

    Raises:
        InputError: it is no such zip, it is damaged, or its agent is of a kind that Triptych has no network for.
    """
    data, content = contents(path)
    if not isinstance(data, dict):
        raise InputError(f"{path}: data is no object; allowed: {ALLOWED}")
    tensors = Tensors(read_torch(content, f"{path}: policy.pth"))
    shape, actions = shape_of(data, path), actions_of(data, path)
    steps = data.get("num_timesteps")
    steps = steps if isinstance(steps, int) and steps >= 0 else None
    if any(name.startswith("q_net.") for name in tensors):
        found = q_network(tensors, data, shape, actions, steps, path)
    elif "action_net.weight" in tensors:
        found = actor_critic(tensors, data, shape, actions, steps, path)
    else:
        raise InputError(
            f"{path} holds an agent of another kind (its tensors begin with {first_of(tensors)}); allowed: {ALLOWED}"
        )
    check_understood(tensors, data, path)
    return found


def first_of(tensors: Mapping[str, Any]) -> str:
    return next(iter(tensors), "nothing").split(".")[0]


def shape_of(data: Mapping[str, Any], path: Path) -> tuple[int, ...]:
    said = readable(data, "observation_space", "_shape")
    numbers = re.findall(r"\d+", said) if re.fullmatch(r"[\[(][\d, ]*[\])]", said) else []
    if len(numbers) not in (1, 3) or any(len(number) > 6 for number in numbers):
        raise InputError(
            f"{path}: its observations have shape {said or 'of another kind'}; allowed: a vector or pictures"
        )
    return tuple(map(int, numbers))


def actions_of(data: Mapping[str, Any], path: Path) -> int:
    said = readable(data, "action_space", "n")
    if not re.fullmatch(r"\d{1,6}", said):
        raise InputError(f"{path}: its actions are no single choice of several; allowed: a Discrete action space")
    return int(said)


def chain(tensors: Mapping[str, np.ndarray], before: str, path: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """Weight and bias of the layers of an `nn.Sequential`, in order.

    Raises:
        InputError: a layer has not both, as layers of a normalisation or without bias have not.
    """
    found: dict[int, dict[str, np.ndarray]] = {}
    for name in tensors:
        match = ENTRY.fullmatch(name)
        if match and match[1] == before:
            found.setdefault(int(match[2]), {})[match[3]] = tensors[name]
    layers = []
    for index, layer in sorted(found.items()):
        if set(layer) != {"weight", "bias"} or layer["weight"].ndim not in (2, 4):
            raise InputError(f"{path}: layer {before}.{index} is no dense layer or convolution; allowed: those alone")
        layers.append((layer["weight"], layer["bias"]))
    return layers


def features(
    tensors: Mapping[str, np.ndarray], data: Mapping[str, Any], before: str, shape: tuple[int, ...], path: Path
) -> tuple[list[Layer], Weights]:
    """The convolutions and the dense layer that Stable-Baselines3 puts in front of pictures; nothing for vectors.

    Raises:
        InputError: they are no `NatureCNN`, the only one whose strides are known.
    """
    if readable(data, "policy_kwargs", "normalize_images") == "False" and len(shape) == 3:
        raise InputError(f"{path}: its pictures are not divided by 255 (normalize_images); allowed: those that are")
    convolutions, dense = chain(tensors, f"{before}.cnn", path), chain(tensors, f"{before}.linear", path)
    if len(shape) == 1 and not (convolutions or dense):
        return [], {}
    kernels = [weight.shape[2:] for weight, _ in convolutions]
    nature = [(kernel, kernel) for kernel, _ in NATURE]
    if len(shape) != 3 or kernels != nature or len(dense) != 1:
        raise InputError(
            f"{path}: its features are not those of a NatureCNN on pictures; allowed: NatureCNN, or a vector"
        )
    body: list[Layer] = []
    weights: Weights = {}
    for index, ((weight, bias), (kernel, stride)) in enumerate(zip(convolutions, NATURE, strict=True), start=1):
        body.append(Conv(len(bias), kernel, stride))
        weights |= {f"conv_{index}/kernel": weight.transpose(2, 3, 1, 0), f"conv_{index}/bias": bias}
    ((weight, bias),) = dense
    channels = len(convolutions[-1][1])
    rows, columns = sides(weight.shape[1], channels, shape, path)
    # PyTorch flattens channels first, ours are fastest.
    kernel_of = weight.reshape(len(bias), channels, rows, columns).transpose(2, 3, 1, 0).reshape(-1, len(bias))
    body += [Flatten(), Dense(len(bias))]
    return body, weights | {"dense_1/kernel": kernel_of, "dense_1/bias": bias}


def sides(inputs: int, channels: int, shape: tuple[int, ...], path: Path) -> tuple[int, int]:
    """Rows and columns of the last convolution's output."""
    rows, columns = shape[1:]
    for kernel, stride in NATURE:
        rows, columns = ((side - kernel) // stride + 1 for side in (rows, columns))
    if rows * columns * channels != inputs:
        raise InputError(
            f"{path}: its dense layer takes {inputs} numbers, its convolutions give {rows * columns * channels}"
        )
    return rows, columns


def activation_of(data: Mapping[str, Any], default: str, path: Path) -> Literal["relu", "tanh"]:
    """Of the hidden layers: what `policy_kwargs` says in readable form.

    Raises:
        InputError: it is another one than Triptych's layers have.
    """
    said = readable(data, "policy_kwargs", "activation_fn")
    name = re.sub(r"\W+", " ", said).split()[-1] if said else default
    if name not in ("ReLU", "Tanh"):
        raise InputError(f"{path}: its layers have the activation {name}; allowed: ReLU, Tanh")
    return "relu" if name == "ReLU" else "tanh"


def q_network(
    tensors: Tensors, data: Mapping[str, Any], shape: tuple[int, ...], actions: int,
    steps: int | None, path: Path,
) -> Found:  # fmt: skip
    body, weights = features(tensors, data, "q_net.features_extractor", shape, path)
    layers = chain(tensors, "q_net.q_net", path)
    if not layers:
        raise InputError(f"{path}: its Q network has no layers; allowed: {ALLOWED}")
    *hidden, head = layers
    activation = activation_of(data, "ReLU", path)
    first = sum(isinstance(layer, Dense) for layer in body) + 1
    for index, (weight, bias) in enumerate(hidden, start=first):
        body.append(Dense(len(bias), activation))
        weights |= {f"dense_{index}/kernel": weight.T, f"dense_{index}/bias": bias}
    weights |= {"head/kernel": head[0].T, "head/bias": head[1]}
    return Found("dqn", tuple(body), weights, shape, actions, steps)


def actor_critic(
    tensors: Tensors, data: Mapping[str, Any], shape: tuple[int, ...], actions: int,
    steps: int | None, path: Path,
) -> Found:  # fmt: skip
    if not shares_features(tensors):
        raise InputError(f"{path}: its policy and its value have features of their own; allowed: shared ones")
    body, weights = features(tensors, data, "features_extractor", shape, path)
    memory = memory_of(tensors, path) if "lstm_actor.weight_ih_l0" in tensors else None
    if memory is not None:
        body += memory.layers
        weights |= memory.weights
    settings: dict[str, Any] = {}
    for name, last in (("policy", "action_net"), ("value", "value_net")):
        if not {f"{last}.weight", f"{last}.bias"} <= tensors.keys():
            raise InputError(f"{path}: {last} is not whole; allowed: {ALLOWED}")
        layers = chain(tensors, f"mlp_extractor.{name}_net", path)
        if layers:
            settings |= {f"{name}_units": tuple(len(bias) for _, bias in layers)}
        names = [*(f"{name}_hidden_{index}" for index in range(1, len(layers) + 1)), name]
        layers.append((tensors[f"{last}.weight"], tensors[f"{last}.bias"]))
        if memory is not None:
            layers[0] = memory.reading(name, layers[0])
        for own, (weight, bias) in zip(names, layers, strict=True):
            weights |= {f"head/{own}_kernel": weight.T, f"head/{own}_bias": bias}
    if settings:
        settings["hidden_activation"] = activation_of(data, "Tanh", path)
    return Found("ppo" if "clip_range" in data else "a2c", tuple(body), weights, shape, actions, steps, settings)
