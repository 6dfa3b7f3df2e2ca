"""A network of dense layers in plain NumPy, float64: recognised from a user's weights, differentiated and updated by hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ACTIVATIONS = ("relu", "tanh", "elu", "sigmoid")


def activate(kind: str, x: np.ndarray) -> np.ndarray:
    if kind == "relu":
        return np.maximum(x, 0)
    if kind == "tanh":
        return np.tanh(x)
    if kind == "elu":
        return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))
    return 0.5 * (1 + np.tanh(x / 2))  # a sigmoid, which overflows nowhere


def slope(kind: str, y: np.ndarray) -> np.ndarray:
    """The activation's derivative, from its output."""
    if kind == "relu":
        return (y > 0).astype(float)
    if kind == "tanh":
        return 1 - y**2
    if kind == "elu":
        return np.where(y > 0, 1.0, y + 1)
    return y * (1 - y)


@dataclass(frozen=True)
class Dense:
    """Layers one after the other, the last one linear. Weights are by the user's names, in the user's shapes."""

    layers: tuple[tuple[str, str, bool], ...]  # kernel, bias, and whether the kernel is (out, in)
    activation: str

    def forward(self, weights: dict[str, np.ndarray], x: np.ndarray) -> list[np.ndarray]:
        """The input and the output of each layer."""
        outputs = [x.reshape(len(x), -1).astype(np.float64)]
        for number, (kernel, bias, turned) in enumerate(self.layers):
            matrix = weights[kernel].T if turned else weights[kernel]
            found = outputs[-1] @ matrix + weights[bias]
            last = number == len(self.layers) - 1
            outputs.append(found if last else activate(self.activation, found))
        return outputs

    def backward(
        self, weights: dict[str, np.ndarray], outputs: list[np.ndarray], slopes: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Gradients by name; `slopes` [B, A] is that of the last layer's outputs."""
        found = {}
        for number in reversed(range(len(self.layers))):
            kernel, bias, turned = self.layers[number]
            gradient = outputs[number].T @ slopes
            found[kernel], found[bias] = (gradient.T if turned else gradient), slopes.sum(axis=0)
            matrix = weights[kernel].T if turned else weights[kernel]
            if number:
                slopes = (slopes @ matrix.T) * slope(self.activation, outputs[number])
        return found


def recognise(weights: dict[str, np.ndarray], obs: np.ndarray, values: np.ndarray) -> Dense | None:
    """The dense network whose values [B, A] of observations these are; None: it is none, or another one."""
    kernels = [name for name, array in weights.items() if array.ndim == 2]
    biases = [name for name, array in weights.items() if array.ndim == 1]
    if not kernels or len(kernels) != len(biases) or len(weights) != 2 * len(kernels):
        return None
    for order in (list(zip(kernels, biases, strict=True)),):
        size = int(np.prod(obs.shape[1:]))
        layers = []
        for kernel, bias in order:
            shape, out = weights[kernel].shape, len(weights[bias])
            if shape not in ((size, out), (out, size)):
                return None
            layers.append((kernel, bias, shape != (size, out)))
            size = out
    square = [index for index, (kernel, _, _) in enumerate(layers) if len(set(weights[kernel].shape)) == 1]
    for turned in (False, True):  # a square kernel tells nothing of its order
        chosen = tuple((k, b, turned if i in square else t) for i, (k, b, t) in enumerate(layers))
        for activation in ACTIVATIONS:
            found = Dense(chosen, activation)
            if np.allclose(found.forward(weights, obs)[-1], values, rtol=1e-3, atol=1e-4):
                return found
    return None


class Adam:
    """Adam (Kingma & Ba 2015), or plain gradient descent.

    Args:
        late: epsilon is added as in the paper's algorithm 1, after the correction of the moments (PyTorch, Optax); else as in the
            line below it, before, which makes it larger in the first steps (Keras).
    """

    def __init__(self, kind: str, rate: float, epsilon: float, max_norm: float | None, late: bool = True):
        self.kind, self.rate, self.epsilon, self.max_norm, self.late = kind, rate, epsilon, max_norm, late
        self.count = 0
        self.first: dict[str, np.ndarray] = {}
        self.second: dict[str, np.ndarray] = {}

    def step(self, weights: dict[str, np.ndarray], gradients: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The weights after a step."""
        self.count += 1
        norm = float(np.sqrt(sum((one**2).sum() for one in gradients.values())))
        scale = 1.0 if self.max_norm is None or norm <= self.max_norm else self.max_norm / norm
        found = {}
        for name, weight in weights.items():
            gradient = scale * gradients[name]
            if self.kind == "sgd":
                found[name] = weight - self.rate * gradient
                continue
            self.first[name] = 0.9 * self.first.get(name, 0.0) + 0.1 * gradient
            self.second[name] = 0.999 * self.second.get(name, 0.0) + 0.001 * gradient**2
            first = self.first[name] / (1 - 0.9**self.count)
            second = self.second[name] / (1 - 0.999**self.count)
            epsilon = self.epsilon if self.late else self.epsilon / np.sqrt(1 - 0.999**self.count)
            found[name] = weight - self.rate * first / (np.sqrt(second) + epsilon)
        return found
