"""The memories that a user's weights may be of, in plain NumPy, float64: an LSTM, a GRU or a plain RNN, as each framework keeps them.

All are brought into one form: kernel [D, G H], recurrent kernel [H, G H], bias and recurrent bias [G H], whose gates stand in the
order of PyTorch. Hochreiter & Schmidhuber 1997 with forget gates; Cho et al. 2014 with the reset gate behind the product, as all
three frameworks have it by default.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Weights = dict[str, np.ndarray]
Form = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
GATES = {"lstm": 4, "gru": 3, "rnn": 1}
FLAX = re.compile(r"^(.*[^a-zA-Z0-9]|)([ih])([ifgorzn])[^a-zA-Z0-9]+(kernel|bias)$")
ORDER = {"lstm": "ifgo", "gru": "rzn"}


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(x / 2))


@dataclass(frozen=True)
class Cell:
    """A memory's weights: how they are read into the one form, and how gradients go back to the user's tensors."""

    kind: str  # of GATES
    read: Callable[[Weights], Form]
    write: Callable[[Form], Weights]
    units: int
    size: int  # of the input

    def start(self, count: int) -> np.ndarray:
        """An empty state [B, H], of an LSTM [B, 2 H]: output and cell."""
        return np.zeros((count, self.units * (2 if self.kind == "lstm" else 1)))

    def forward(self, form: Form, x: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
        """The state after a step of inputs [B, D], and what `backward` needs."""
        kernel, recurrent, bias, own = form
        h, c = state[:, : self.units], state[:, self.units :]
        a, q = x @ kernel + bias, h @ recurrent + own
        if self.kind == "rnn":
            found = np.tanh(a + q)
            return found, (x, state, found)
        if self.kind == "gru":
            ar, az, an = np.split(a, 3, axis=1)
            qr, qz, qn = np.split(q, 3, axis=1)
            r, z = sigmoid(ar + qr), sigmoid(az + qz)
            n = np.tanh(an + r * qn)
            return (1 - z) * n + z * h, (x, state, r, z, n, qn)
        i, f, g, o = np.split(a + q, 4, axis=1)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        c = f * c + i * g
        return np.concatenate([o * np.tanh(c), c], axis=1), (x, state, i, f, g, o, c)

    def backward(
        self, form: Form, kept: tuple[np.ndarray, ...], slope: np.ndarray
    ) -> tuple[Form, np.ndarray, np.ndarray]:
        """Of the slope of the state after a step: the gradient of the weights, of the input, and of the state before it."""
        kernel, recurrent, _, _ = form
        x, state = kept[:2]
        h = state[:, : self.units]
        if self.kind == "rnn":
            da = dq = slope * (1 - kept[2] ** 2)
            direct = np.zeros_like(h)
        elif self.kind == "gru":
            r, z, n, qn = kept[2:]
            dn = slope * (1 - z) * (1 - n**2)
            dz = slope * (h - n) * z * (1 - z)
            dr = dn * qn * r * (1 - r)
            da, dq = np.concatenate([dr, dz, dn], axis=1), np.concatenate([dr, dz, dn * r], axis=1)
            direct = slope * z
        else:
            i, f, g, o, c = kept[2:]
            dh, dc = slope[:, : self.units], slope[:, self.units :]
            dc = dc + dh * o * (1 - np.tanh(c) ** 2)
            parts = [dc * g * i * (1 - i), dc * state[:, self.units :] * f * (1 - f), dc * i * (1 - g**2)]
            da = dq = np.concatenate([*parts, dh * np.tanh(c) * o * (1 - o)], axis=1)
            direct = dc * f
        before = dq @ recurrent.T
        before = np.concatenate([before, direct], axis=1) if self.kind == "lstm" else before + direct
        return (x.T @ da, h.T @ dq, da.sum(axis=0), dq.sum(axis=0)), da @ kernel.T, before


def cell_at(weights: Weights, names: list[str]) -> tuple[Cell, int] | None:
    """The memory whose tensors the first of these names are, and how many they are; None: they are none's."""
    return flax(weights, names) or torch(weights, names) or keras(weights, names)


def kind_of(gates: float) -> str | None:
    return next((kind for kind, count in GATES.items() if count == gates), None)


def torch(weights: Weights, names: list[str]) -> tuple[Cell, int] | None:
    """(G H, D), (G H, H) and two biases of G H."""
    if [weights[name].ndim for name in names[:4]] != [2, 2, 1, 1]:
        return None
    k, r, b, own = names[:4]
    (wide, size), (also, units) = weights[k].shape, weights[r].shape
    kind = kind_of(wide / units)
    if kind is None or wide != also or weights[b].shape != (wide,) or weights[own].shape != (wide,):
        return None

    def read(given: Weights) -> Form:
        return given[k].T, given[r].T, given[b], given[own]

    return Cell(kind, read, lambda form: {k: form[0].T, r: form[1].T, b: form[2], own: form[3]}, units, size), 4


def keras(weights: Weights, names: list[str]) -> tuple[Cell, int] | None:
    """(D, G H), (H, G H) and a bias of G H; a GRU's gates are z, r, n, and its biases (2, 3 H)."""
    if len(names) < 3 or weights[names[0]].ndim != 2 or weights[names[1]].ndim != 2:
        return None
    k, r, b = names[:3]
    (size, wide), (units, also) = weights[k].shape, weights[r].shape
    kind = kind_of(wide / units)
    if kind is None or wide != also or weights[b].shape != ((2, wide) if kind == "gru" else (wide,)):
        return None

    def turned(array: np.ndarray) -> np.ndarray:  # z and r change places
        if kind != "gru":
            return array
        z, reset, n = np.split(array, 3, axis=-1)
        return np.concatenate([reset, z, n], axis=-1)

    def read(given: Weights) -> Form:
        bias = turned(given[b])
        two = (bias[0], bias[1]) if kind == "gru" else (bias, np.zeros_like(bias))
        return turned(given[k]), turned(given[r]), *two

    def write(form: Form) -> Weights:
        bias = np.stack(form[2:]) if kind == "gru" else form[2]
        return {k: turned(form[0]), r: turned(form[1]), b: turned(bias)}

    return Cell(kind, read, write, units, size), 3


def flax(weights: Weights, names: list[str]) -> tuple[Cell, int] | None:
    """A kernel for each gate, by name: `ii` of the input's, `hi` of the state's; biases where Flax has them."""
    first = FLAX.match(names[0]) if names else None
    if first is None:
        return None
    own = {}
    for name in names:
        found = FLAX.match(name)
        if found is None or found[1] != first[1]:
            break
        own[found[2] + found[3], found[4]] = name
    kind = "lstm" if ("ii", "kernel") in own else "gru"
    gates = ORDER[kind]
    if any((side + gate, "kernel") not in own for side in "ih" for gate in gates):
        return None
    size, units = weights[own["i" + gates[0], "kernel"]].shape

    def side_of(given: Weights, side: str) -> tuple[np.ndarray, np.ndarray]:
        kernels = [given[own[side + gate, "kernel"]] for gate in gates]
        biases = [
            given[own[side + gate, "bias"]] if (side + gate, "bias") in own else np.zeros(units) for gate in gates
        ]
        return np.concatenate(kernels, axis=1), np.concatenate(biases)

    def read(given: Weights) -> Form:
        (kernel, bias), (recurrent, more) = side_of(given, "i"), side_of(given, "h")
        return kernel, recurrent, bias, more

    def write(form: Form) -> Weights:
        found = {}
        for side, kernel, bias in (("i", form[0], form[2]), ("h", form[1], form[3])):
            kernels, biases = np.split(kernel, len(gates), axis=1), np.split(bias, len(gates))
            for gate, one, other in zip(gates, kernels, biases, strict=True):
                found[own[side + gate, "kernel"]] = one
                if (side + gate, "bias") in own:
                    found[own[side + gate, "bias"]] = other
        return found

    return Cell(kind, read, write, units, size), len(own)
