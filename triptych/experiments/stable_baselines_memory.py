"""The LSTMs of sb3-contrib's recurrent agents, as the memory of a network of Triptych's.

Policy and value have an LSTM each there, or share one, or the value has none and sees the features through a dense layer. Here a
network has one path: two LSTMs become one of as many units, with zeros where the two do not see each other, and a value that
goes past the memory reads the features beside it (`skip`). What is computed is the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from triptych.spec import LSTM
from triptych.spec.weights import Weights
from triptych.utils.checks import InputError

GATES = 4  # input, forget, cell, output: in both libraries in this order
ALLOWED = "nn.LSTM with biases and without projections, as sb3-contrib makes them"
Dense = tuple[np.ndarray, np.ndarray]  # weight [out, in] and bias [out] of PyTorch's


@dataclass(frozen=True)
class FoundMemory:
    """The memory of a recurrent agent, and where its outputs are among those of our layers."""

    layers: tuple[LSTM, ...]
    weights: Weights
    rows: int  # numbers that the head sees
    first: dict[str, int]  # of those, the first that the policy and the value read
    before_value: Dense | None  # what the value's share goes through first, where it has no memory

    def reading(self, stream: str, layer: Dense) -> Dense:
        """The first layer behind the memory, widened to all numbers that the head sees; zero at those it does not read."""
        weight, bias = (array.astype(np.float64) for array in layer)
        if stream == "value" and self.before_value is not None:
            inner, offset = self.before_value
            weight, bias = weight @ inner, bias + weight @ offset
        wide = np.zeros((len(weight), self.rows))
        start = self.first[stream]
        wide[:, start : start + weight.shape[1]] = weight
        return wide.astype(layer[0].dtype), bias.astype(layer[1].dtype)


def memory_of(tensors: Mapping[str, np.ndarray], path: object) -> FoundMemory:
    """What `RecurrentPPO` keeps under lstm_actor, lstm_critic and critic.

    Raises:
        InputError: they are no LSTMs that PyTorch makes, or not of the same size.
    """
    streams = [name for name in ("lstm_actor", "lstm_critic") if f"{name}.weight_ih_l0" in tensors]
    count = sum(bool(re.fullmatch(r"lstm_actor\.weight_ih_l\d+", name)) for name in tensors)
    found = [[parts_of(tensors, name, layer, path) for name in streams] for layer in range(count)]
    features, units = found[0][0][0].shape[0], found[0][0][1].shape[0]
    for index, row in enumerate(found):
        sizes = {(kernel.shape[0], recurrent.shape[0]) for kernel, recurrent, _ in row}
        if sizes != {(units if index else features, units)}:
            raise InputError(f"{path}: its LSTMs are of several sizes; allowed: {ALLOWED}")
    past = "critic.weight" in tensors
    layers: list[LSTM] = []
    weights: Weights = {}
    rows = features
    for index, parts in enumerate(found, start=1):
        kernels, recurrents, biases = (list(kind) for kind in zip(*parts, strict=True))
        weights[f"lstm_{index}/kernel"] = beside(kernels, rows, shared=index == 1)
        weights[f"lstm_{index}/recurrent_kernel"] = beside(recurrents, len(streams) * units)
        weights[f"lstm_{index}/bias"] = beside([bias[None] for bias in biases], 1, shared=True)[0]
        layers.append(LSTM(len(streams) * units, skip=past))
        rows = len(streams) * units + rows * past
    own = {"policy": 0, "value": rows - features if past else units * (len(streams) - 1)}
    inner = (tensors["critic.weight"], tensors["critic.bias"]) if past else None
    return FoundMemory(tuple(layers), weights, rows, own, inner)


def parts_of(
    tensors: Mapping[str, np.ndarray], name: str, layer: int, path: object
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Kernel [in, 4 units], recurrent kernel [units, 4 units] and bias of a layer; PyTorch has two biases, which it adds."""
    names = [f"{name}.{kind}_l{layer}" for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    missing = [one for one in names if one not in tensors]
    if missing or f"{name}.weight_hr_l{layer}" in tensors:
        raise InputError(f"{path}: {name} has {'no ' + missing[0] if missing else 'a projection'}; allowed: {ALLOWED}")
    kernel, recurrent, *biases = (tensors[one] for one in names)
    return kernel.T, recurrent.T, biases[0] + biases[1]


def beside(kernels: list[np.ndarray], rows: int, shared: bool = False) -> np.ndarray:
    """Kernels [in, 4 units] as that of one LSTM with all their units, gate by gate.

    Args:
        rows: inputs that the one has.
        shared: they see the same inputs; else those of each follow those of the one before.
    """
    size, columns = kernels[0].shape
    wide = np.zeros((rows, GATES, len(kernels), columns // GATES), kernels[0].dtype)
    for index, kernel in enumerate(kernels):
        first = 0 if shared else index * size
        wide[first : first + size, :, index] = kernel.reshape(size, GATES, -1)
    return wide.reshape(rows, -1)
