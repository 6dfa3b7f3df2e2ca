"""Weights: drawn in NumPy from a spec and a seed, kept under neutral names and shapes in safetensors."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from triptych.spec.layers import Shape
from triptych.spec.network import Network
from triptych.utils.checks import InputError
from triptych.utils.files import write_tensors

Weights = dict[str, np.ndarray]


def glorot_uniform(rng: np.random.Generator, shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    """Kernel uniform within sqrt(6 / (fan in + fan out)) (Glorot & Bengio 2010, equation 16), bias 0.

    Args:
        shape: of the kernel, (..., in, out).

    Returns:
        kernel, bias [out].
    """
    receptive = int(np.prod(shape[:-2]))
    limit = np.sqrt(6.0 / (receptive * (shape[-2] + shape[-1])))
    return rng.uniform(-limit, limit, shape), np.zeros(shape[-1])


def fan_in_uniform(rng: np.random.Generator, shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    """Kernel and bias uniform within 1 / sqrt(fan in) (LeCun et al. 1998, section 4.6; PyTorch's own default).

    The biases spread the ReLUs' kinks over the input, which a network of few inputs needs.
    """
    limit = 1.0 / np.sqrt(int(np.prod(shape[:-1])))
    return rng.uniform(-limit, limit, shape), rng.uniform(-limit, limit, shape[-1])


def orthogonal(rng: np.random.Generator, shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    """Kernel with orthogonal columns (rows, where there are fewer) of length sqrt(2), for the half that a ReLU cuts
    (Saxe et al. 2014; He et al. 2015); bias 0."""
    rows, columns = int(np.prod(shape[:-1])), shape[-1]
    fewer, more = sorted((rows, columns))  # max and min are operations of the loss in the files that `show` writes
    q, r = np.linalg.qr(rng.standard_normal((more, fewer)))
    q = q * np.sign(np.diag(r))
    return np.sqrt(2.0) * (q if rows >= columns else q.T).reshape(shape), np.zeros(columns)


def orthogonal_blocks(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    """Square blocks side by side, a gate each, each orthogonal (Saxe et al. 2014): [H, gates * H]."""
    rows, columns = shape
    blocks = [np.linalg.qr(rng.standard_normal((rows, rows))) for _ in range(columns // rows)]
    return np.concatenate([q * np.sign(np.diag(r)) for q, r in blocks], axis=1)


INITIALISERS = {"glorot_uniform": glorot_uniform, "fan_in_uniform": fan_in_uniform, "orthogonal": orthogonal}


def draw(layers: list[Any], rng: np.random.Generator) -> Weights:
    """Draws every tensor of (name, initialiser, shapes by tensor, factors of some, what is added to a part of one), in float64."""
    weights = {}
    for layer, initialiser, shapes, factors, offsets in layers:
        bias = np.zeros(0)  # drawn with the last kernel, for the bias after it
        for key, shape in shapes.items():
            name = f"{layer}/{key}"
            if key.endswith("recurrent_kernel"):
                weights[name] = orthogonal_blocks(rng, shape)
            elif key.endswith("kernel"):
                weights[name], bias = initialiser(rng, shape)
            elif key.endswith("scale"):
                weights[name] = np.ones(shape)
            else:
                weights[name], bias = bias if bias.shape == shape else np.zeros(shape), np.zeros(0)
        for key, factor in factors.items():
            weights[f"{layer}/{key}"] *= factor
        for key, (part, more) in offsets.items():
            weights[f"{layer}/{key}"][part] += more
    return weights


def to_draw(
    network: Network,
) -> list[tuple[str, str, dict[str, Shape], dict[str, float], dict[str, tuple[slice, float]]]]:
    """What `draw` wants of each layer that has weights, its initialiser by name."""
    return [
        (
            p.name,
            p.layer.initialiser,
            p.layer.tensors(p.input_shape),
            p.layer.factors(),
            p.layer.offsets(),
        )
        for p in network.placed()
        if p.tensors()
    ]


def initial_weights(network: Network, rng: np.random.Generator) -> Weights:
    """The weights of a network before its first update; a learner rounds them to its precision."""
    return draw([(name, INITIALISERS[kind], *rest) for name, kind, *rest in to_draw(network)], rng)


def check_weights(
    weights: Mapping[str, np.ndarray], network: Network, where: str, without: Collection[str] = ()
) -> None:
    """Refuses a missing, misshapen or extra tensor and names the first one.

    Args:
        without: tensors that may not be there, as those that are frozen have no gradient.

    Raises:
        InputError: with the tensor's name, its shape and the expected one.
    """
    expected = {name: shape for name, shape in network.tensors().items() if name not in without}
    for name, shape in expected.items():
        if name not in weights:
            raise InputError(f"{where}: tensor {name} is missing; this network needs it with shape {shape}")
        if tuple(weights[name].shape) != shape:
            raise InputError(f"{where}: tensor {name} has shape {tuple(weights[name].shape)}; allowed: {shape}")
    for name in weights:
        if name not in expected:
            raise InputError(f"{where}: tensor {name} is not part of this network; allowed: {', '.join(expected)}")


def check_numbers(weights: Mapping[str, np.ndarray], where: str) -> None:
    """Refuses a tensor that no training writes: of whole numbers or truths, or with a number that is not finite.

    Raises:
        InputError: with the tensor's name.
    """
    for name, array in weights.items():
        if not np.issubdtype(array.dtype, np.floating):
            raise InputError(f"{where}: tensor {name} is of {array.dtype}; allowed: floats")
        bad = not_finite(array)
        if bad:
            raise InputError(f"{where}: tensor {name} holds {bad}; allowed: finite numbers")


def not_finite(array: np.ndarray) -> str:
    """The first number of an array that is not finite, as text; empty where all are."""
    bad = array[~np.isfinite(array)] if np.issubdtype(array.dtype, np.floating) else []
    return str(float(bad[0])) if len(bad) else ""


def save_weights(path: Path, weights: Mapping[str, np.ndarray], metadata: Mapping[str, Any]) -> None:
    """Writes a weights file; `metadata` (the recipe) lets it be played without its run folder."""
    write_tensors(path, weights, metadata)
