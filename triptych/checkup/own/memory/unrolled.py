"""A network of dense layers with a memory between them in plain NumPy, float64: recognised, unrolled and differentiated by hand."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations, product

import numpy as np

from triptych.checkup.own.dense import ACTIVATIONS, activate, slope
from triptych.checkup.own.memory.cells import Cell, Form, Weights, cell_at

MOST = 5  # layers whose order is tried


@dataclass(frozen=True)
class Unrolled:
    """Layers in their order, the last one a linear layer. A dense one: kernel, bias, and whether the kernel is (out, in)."""

    layers: tuple[Cell | tuple[str, str, bool], ...]
    activation: str

    @property
    def cell(self) -> Cell:
        return next(layer for layer in self.layers if isinstance(layer, Cell))

    def step(
        self, weights: Weights, form: Form, x: np.ndarray, state: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, list]:
        """What is said [B, A], the state after it, and what `backward` needs."""
        kept, x = [], x.reshape(len(x), -1).astype(np.float64)
        for number, layer in enumerate(self.layers):
            if isinstance(layer, Cell):
                state, what = layer.forward(form, x, state)
                x = state[:, : layer.units]
                kept.append(what)
                continue
            kernel, bias, turned = layer
            after = x @ (weights[kernel].T if turned else weights[kernel]) + weights[bias]
            after = after if number == len(self.layers) - 1 else activate(self.activation, after)
            kept.append((x, after))
            x = after
        return x, state, kept

    def unroll(self, weights: Weights, obs: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray, list]:
        """What is said [B, T, A] of observations [B, T, ...], the state behind them, and what `gradients` needs."""
        form, said, kept = self.cell.read(weights), [], []
        for at in range(obs.shape[1]):
            one, state, what = self.step(weights, form, obs[:, at], state)
            said.append(one)
            kept.append(what)
        return np.stack(said, axis=1), state, kept

    def gradients(self, weights: Weights, kept: list, slopes: np.ndarray, begin: int = 0, cut: bool = False) -> Weights:
        """Of the slopes [B, T, A] of what is said.

        Args:
            begin: no gradient passes through the steps before this one.
            cut: none passes from a step to the one before it.
        """
        cell, form = self.cell, self.cell.read(weights)
        found = {name: np.zeros_like(array) for name, array in weights.items()}
        total = [np.zeros_like(part) for part in form]
        behind = cell.start(len(slopes))
        last = len(self.layers) - 1
        for at in reversed(range(begin, len(kept))):
            back = slopes[:, at]
            for number in reversed(range(len(self.layers))):
                layer = self.layers[number]
                if isinstance(layer, Cell):
                    above = behind.copy()
                    above[:, : layer.units] += back
                    parts, back, before = layer.backward(form, kept[at][number], above)
                    total = [one + part for one, part in zip(total, parts, strict=True)]
                    behind = np.zeros_like(before) if cut else before
                    continue
                kernel, bias, turned = layer
                x, after = kept[at][number]
                back = back if number == last else back * slope(self.activation, after)
                gradient = x.T @ back
                found[kernel] += gradient.T if turned else gradient
                found[bias] += back.sum(axis=0)
                back = back @ (weights[kernel] if turned else weights[kernel].T)
        return found | cell.write((total[0], total[1], total[2], total[3]))


def recognise_memory(weights: Weights, obs: np.ndarray, said: np.ndarray) -> Unrolled | None:
    """The network that says this [B, T, A] of observations [B, T, ...] from an empty memory; None: it is none, or another one."""
    pieces = pieces_of(weights)
    if pieces is None or not 2 <= len(pieces) <= MOST or sum(isinstance(one, Cell) for one in pieces) != 1:
        return None
    size = int(np.prod(obs.shape[2:]))
    for order, turned, activation in product(permutations(pieces), (False, True), ACTIVATIONS):
        layers = in_a_row(weights, order, size, turned)
        if layers is None or isinstance(layers[-1], Cell):
            continue
        found = Unrolled(tuple(layers), activation)
        mine = found.unroll(weights, obs, found.cell.start(len(obs)))[0]
        if mine.shape == said.shape and np.allclose(mine, said, rtol=1e-3, atol=1e-4):
            return found
    return None


def pieces_of(weights: Weights) -> list[Cell | tuple[str, str]] | None:
    """The memories and the pairs of kernel and bias that the tensors are of, as they stand; None: there are others."""
    names, found = list(weights), list[Cell | tuple[str, str]]()
    while names:
        if (cell := cell_at(weights, names)) is not None:
            found.append(cell[0])
            names = names[cell[1] :]
            continue
        kernel, bias = sorted(names[:2], key=lambda name: -weights[name].ndim) if len(names) > 1 else ("", "")
        if not kernel or weights[kernel].ndim != 2 or weights[bias].ndim != 1:
            return None
        found.append((kernel, bias))
        names = names[2:]
    return found


def in_a_row(
    weights: Weights, order: tuple[Cell | tuple[str, str], ...], size: int, turned: bool
) -> list[Cell | tuple[str, str, bool]] | None:
    """These pieces one after the other, where each takes what the one before it gives. `turned`: of square kernels, which tell nothing of it."""
    layers = list[Cell | tuple[str, str, bool]]()
    for one in order:
        if isinstance(one, Cell):
            if one.size != size:
                return None
            layers.append(one)
            size = one.units
            continue
        shape, out = weights[one[0]].shape, len(weights[one[1]])
        if shape not in ((size, out), (out, size)):
            return None
        layers.append((*one, turned if size == out else shape != (size, out)))
        size = out
    return layers
