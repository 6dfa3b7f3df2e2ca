"""A network of convolutions and dense layers in plain NumPy, float64: recognised from a user's weights and what it says, and told in a sentence.

Sizes tell how it pads and strides, what it says tells how pixels are scaled: so both can be told of any network, in any framework.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from triptych.checkup.findings import Finding
from triptych.checkup.looks import NotSeen
from triptych.checkup.own import signals
from triptych.checkup.own.beginning import awaken
from triptych.checkup.own.dense import ACTIVATIONS, activate, recognise
from triptych.checkup.own.made import made, made_batch
from triptych.checkup.own.protocol import Own

INPUTS, NEAR = 4, 1e-3  # by which a network is recognised; share of the largest value that may differ
SCALES = {1 / 255: "divided by 255", 1.0: "not scaled", 1 / 255**2: "divided by 255 twice", 1 / 256: "divided by 256"}
WRONG = (1.0, 1 / 255**2)
STRIDES = 4  # at most
Weights = dict[str, np.ndarray]


@dataclass(frozen=True)
class Layer:
    """A convolution, whose kernel is (out, in, h, w) where it is torch's, else (h, w, in, out)."""

    kernel: str
    bias: str
    torch: bool
    stride: int = 1

    def matrix(self, weights: Weights) -> np.ndarray:
        """[h, w, in, out]."""
        return weights[self.kernel].transpose(2, 3, 1, 0) if self.torch else weights[self.kernel]


@dataclass(frozen=True)
class Pictures:
    """The whole of it."""

    convolutions: tuple[Layer, ...]
    dense: tuple[tuple[str, str, bool], ...]  # kernel, bias, whether the kernel is (out, in)
    same: bool  # padded so that a size is only divided by the stride; else not at all
    channels_last: bool  # of the observation
    activation: str = "relu"
    scale: float = 1.0
    head: bool = False  # the activation stands on the last layer too

    def sizes(self, weights: Weights, shape: tuple[int, ...]) -> tuple[int, int, int] | None:
        """Height, width and channels behind the convolutions; None: they do not fit."""
        height, width, channels = shape if self.channels_last else (*shape[1:], shape[0])
        for layer in self.convolutions:
            high, wide, into, out = layer.matrix(weights).shape
            if into != channels:
                return None
            if self.same:
                height, width = (-(-side // layer.stride) for side in (height, width))
            else:
                height, width = ((side - k) // layer.stride + 1 for side, k in ((height, high), (width, wide)))
            if min(height, width) < 1:
                return None
            channels = out
        return height, width, channels

    def says(self, weights: Weights, obs: np.ndarray) -> np.ndarray:
        """[B, A] of observations."""
        x = self.scale * obs.astype(np.float64)
        x = x if self.channels_last else x.transpose(0, 2, 3, 1)
        for layer in self.convolutions:
            x = activate(self.activation, self.convolve(layer, weights, x))
        x = (x.transpose(0, 3, 1, 2) if self.convolutions[0].torch else x).reshape(len(x), -1)
        for at, (kernel, bias, turned) in enumerate(self.dense):
            x = x @ (weights[kernel].T if turned else weights[kernel]) + weights[bias]
            x = x if at == len(self.dense) - 1 and not self.head else activate(self.activation, x)
        return x

    def convolve(self, layer: Layer, weights: Weights, x: np.ndarray) -> np.ndarray:
        matrix, stride = layer.matrix(weights), layer.stride
        high, wide, _, out = matrix.shape
        if self.same:
            pads = [
                max(0, (-(-side // stride) - 1) * stride + k - side)
                for side, k in zip(x.shape[1:3], (high, wide), strict=True)
            ]
            x = np.pad(x, ((0, 0), *((pad // 2, pad - pad // 2) for pad in pads), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(x, (high, wide), axis=(1, 2))[:, ::stride, ::stride]
        flat = windows.transpose(0, 1, 2, 4, 5, 3).reshape(*windows.shape[:3], -1)
        return flat @ matrix.reshape(-1, out) + weights[layer.bias]

    def sentence(self, weights: Weights, shape: tuple[int, ...]) -> str:
        """What it is, in the words of a paper."""
        convolutions = ", ".join(
            "{3} of {0}x{1} stride {4}".format(*layer.matrix(weights).shape, layer.stride)
            for layer in self.convolutions
        )
        flat = int(np.prod(self.sizes(weights, shape) or (0,)))
        units = ", ".join(str(len(weights[bias])) for _, bias, _ in self.dense)
        padded = "same" if self.same else "valid"
        scaled = SCALES.get(self.scale, f"times {self.scale:g}")
        return f"convolutions {convolutions}, padding {padded}, {flat:,} flat features, dense {units}, {self.activation} between; pixels {scaled}"


def layers_of(weights: Weights) -> tuple[list[tuple[str, str]], list[tuple[str, str]]] | None:
    """Kernels and biases of the convolutions and of the dense layers, in the order of the tensors."""
    names, convolutions, dense = list(weights), list[tuple[str, str]](), list[tuple[str, str]]()
    for at in range(0, len(names) - 1, 2):
        kernel, bias = sorted(names[at : at + 2], key=lambda name: -weights[name].ndim)
        if weights[bias].ndim != 1 or weights[kernel].ndim not in (2, 4):
            return None
        (convolutions if weights[kernel].ndim == 4 else dense).append((kernel, bias))
    return (convolutions, dense) if len(names) % 2 == 0 and convolutions and dense else None


def candidates(weights: Weights, shape: tuple[int, ...]) -> Iterator[Pictures]:
    """The networks whose sizes fit these tensors and an observation of this shape."""
    found = layers_of(weights)
    if found is None or len(shape) != 3 or len(found[0]) > 5:
        return
    convolutions, dense = found
    for torch, last, same in product((False, True), (False, True), (False, True)):
        layers = [Layer(kernel, bias, torch) for kernel, bias in convolutions]
        if any(layer.matrix(weights).shape[3] != len(weights[layer.bias]) for layer in layers):
            continue
        limits = [range(min(STRIDES, max(layer.matrix(weights).shape[:2])), 0, -1) for layer in layers]
        for strides in product(*limits):
            strided = tuple(
                Layer(one.kernel, one.bias, torch, stride) for one, stride in zip(layers, strides, strict=True)
            )
            network = Pictures(strided, (), same, last)
            sizes = network.sizes(weights, shape)
            rows = None if sizes is None else in_a_row(weights, dense, int(np.prod(sizes)))
            if rows is not None:
                yield Pictures(strided, rows, same, last)


def in_a_row(weights: Weights, dense: list[tuple[str, str]], size: int) -> tuple[tuple[str, str, bool], ...] | None:
    found = []
    for kernel, bias in dense:
        shape, out = weights[kernel].shape, len(weights[bias])
        if shape not in ((size, out), (out, size)):
            return None
        found.append((kernel, bias, shape != (size, out)))
        size = out
    return tuple(found)


def recognise_pictures(weights: Weights, obs: np.ndarray, said: np.ndarray) -> Pictures | None:
    """The network that says this [B, A] of observations [B, ...]; None: it is none of these."""
    size = float(np.abs(said).max())
    fitting = list(candidates(weights, obs.shape[1:]))
    scales = list(SCALES) if obs.dtype == np.uint8 else [1.0]
    for activation, scale, head, network in product(ACTIVATIONS, scales, (False, True), fitting):
        found = Pictures(
            network.convolutions, network.dense, network.same, network.channels_last, activation, scale, head
        )
        if np.abs(found.says(weights, obs) - said).max() <= NEAR * size:
            return found
    return None


def dense_layers(own: Own, weights: Weights, obs: np.ndarray) -> Finding:
    """The sentence of a network without convolutions.

    Raises:
        NotSeen: it is more, or less, than dense layers with biases.
    """
    found = recognise(weights, obs, own.values(obs))
    if found is None:
        raise NotSeen(
            "the network is not known to NumPy as dense layers, or convolutions and then dense layers, each with a bias"
        )
    units = ", ".join(str(len(weights[bias])) for _, bias, _ in found.layers)
    return Finding(signals.NETWORK, f"the network is: dense {units}, {found.activation} between")


def layers(own: Own) -> Iterator[Finding]:
    """What the network is, where NumPy says the same as it; how it pads, and how it scales pixels."""
    weights, obs = own.weights(), made(own, INPUTS, 21)
    if layers_of(weights) is None or len(own.shape) != 3:
        yield dense_layers(own, weights, obs)
        return
    size = int(own.settings["batch_size"])
    said = awaken(own, lambda: own.values(obs), lambda seed: own.learn(made_batch(own, size, seed)))
    weights = own.weights()
    found = recognise_pictures(weights, obs, said) if np.isfinite(said).all() and np.abs(said).max() > 0 else None
    if found is None:
        yield Finding(
            signals.UNKNOWN,
            "NumPy does not say what the network says: its layers, their padding and the scale of its pixels are not looked at",
        )
        return
    yield Finding(signals.NETWORK, f"the network is: {found.sentence(weights, own.shape)}")
    wanted, pads = own.settings["padding"], "same" if found.same else "valid"
    if wanted not in (None, pads):
        flat = int(np.prod(found.sizes(weights, own.shape) or (0,)))
        meant = Pictures(found.convolutions, (), not found.same, found.channels_last).sizes(weights, own.shape)
        expected = f"padding {wanted}" + (f", {int(np.prod(meant)):,} flat features" if meant else "")
        yield Finding(signals.PADDING, f"its convolutions pad {pads}: {flat:,} flat features", expected)
    if obs.dtype == np.uint8 and found.scale in WRONG:
        yield Finding(
            signals.PIXELS, f"pixels are {SCALES[found.scale]} before the first layer", "divided by 255, once"
        )
