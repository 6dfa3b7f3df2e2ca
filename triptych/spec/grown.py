"""The tensors of a grown network, made of those of the smaller one: its weights, its optimiser's moments, its memory's states."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from triptych.spec.grow import Growth, inserted, size_of
from triptych.spec.layers import ActorCritic, Conv, Dense, Dueling, Flatten
from triptych.spec.memory import LSTM, Recurrent, Stack
from triptych.spec.network import Layer, Network, Placed
from triptych.spec.weights import Weights
from triptych.utils.checks import check
from triptych.utils.seeds import generator

Index = np.ndarray  # [new] which of the old units each new one copies


def identity(size: int) -> Index:
    return np.arange(size)


def is_identity(index: Index) -> bool:
    return bool((index == np.arange(len(index))).all())


def copies(index: Index) -> np.ndarray:
    """Of how many copies each new unit is one."""
    return np.bincount(index)[index]


def several(index: Index, blocks: int) -> Index:
    """The same in each of some blocks side by side, such as gates."""
    size = int(index.max()) + 1
    return np.concatenate([block * size + index for block in range(blocks)])


@dataclass(frozen=True)
class Piece:
    """A layer of the larger network: what its inputs and its outputs copy of the smaller one's."""

    old: Placed | None  # None: it was put in, and gives what it gets
    new: Placed
    inputs: Index
    units: Index  # its own; those that remember, hidden ones of a dueling head
    outputs: Index

    def axes(self) -> dict[str, tuple[Index | None, Index]]:
        """Of each tensor its rows (None: it has none) and its columns."""
        layer, rows, units = self.new.layer, self.inputs, self.units
        if isinstance(layer, Recurrent):
            gates = several(units, layer.gates)
            return {
                "kernel": (rows, gates), "recurrent_kernel": (units, gates), "bias": (None, gates), "recurrent_bias": (None, units),
            }  # fmt: skip
        if isinstance(layer, Dueling):
            one, actions = identity(1), identity(layer.actions)
            found: dict[str, tuple[Index | None, Index]] = {}
            for stream, wide in (("value", one), ("advantage", actions)):
                found |= {f"{stream}_hidden_kernel": (rows, units), f"{stream}_hidden_bias": (None, units)}
                found |= {f"{stream}_kernel": (units, wide), f"{stream}_bias": (None, wide)}
            return found
        if isinstance(layer, ActorCritic):
            found = {}
            for stream, (sizes, outputs) in layer.streams.items():
                before = rows
                for index, size in enumerate(sizes, start=1):
                    own = f"{stream}_hidden_{index}"
                    found |= {f"{own}_kernel": (before, identity(size)), f"{own}_bias": (None, identity(size))}
                    before = identity(size)
                wide = identity(outputs)
                found |= {f"{stream}_kernel": (before, wide), f"{stream}_bias": (None, wide)}
            return found
        return {"kernel": (rows, units), "bias": (None, units)}

    def axes_of(self, name: str, tensor: np.ndarray) -> tuple[Index | None, Index]:
        """The rows and columns of a tensor; of a layer that grows in no way they are as they were."""
        if not isinstance(self.new.layer, (Conv, Dense, Recurrent, Dueling, ActorCritic)):
            return None, identity(tensor.shape[-1])
        return self.axes()[name.partition("/")[2]]

    def source(self, name: str) -> str | None:
        """The tensor of the smaller network that one of the layer's is made of; None: there is none."""
        return None if self.old is None else f"{self.old.name}/{name.partition('/')[2]}"


class Grown:
    """What the larger network's tensors are made of.

    Args:
        old, new: the networks, heads included.
        body: the smaller one's layers without the head.

    Raises:
        InputError: a layer behind one that grows wider cannot take it.
    """

    def __init__(self, old: Network, new: Network, body: tuple[Layer, ...], growth: Growth):
        self.growth = growth
        places, before = inserted(body, growth), iter(old.placed())
        self.pieces: list[Piece] = []
        at: Index | None = None
        for number, placed in enumerate(new.placed()):
            self.pieces.append(self.piece(None if number in places else next(before), placed, at))
            at = self.pieces[-1].outputs

    def piece(self, old: Placed | None, new: Placed, before: Index | None) -> Piece:
        """A layer, from what the outputs before it copy (None: it is the first)."""
        if old is None:
            assert before is not None
            return Piece(None, new, before, before, before)
        if before is None:
            return self.of_kind(old, new, identity(old.input_shape[-1]))
        joined = np.arange(int(before.max()) + 1, old.input_shape[-1]) if old.joined else identity(0)
        return self.of_kind(old, new, np.concatenate([before, joined]))

    def of_kind(self, old: Placed, new: Placed, inputs: Index) -> Piece:
        layer = old.layer
        if isinstance(layer, Flatten):
            spots = prod(old.input_shape[:-1]) if len(old.input_shape) > 1 else 1
            outputs = (np.arange(spots)[:, None] * old.input_shape[-1] + inputs).ravel()
            return Piece(old, new, inputs, outputs, outputs)
        if isinstance(layer, Stack):
            outputs = np.concatenate([step * old.input_shape[0] + inputs for step in range(layer.length)])
            return Piece(old, new, inputs, outputs, outputs)
        if isinstance(layer, (Recurrent, Conv, Dense, Dueling)):
            size = layer.units if isinstance(layer, Dueling) else size_of(layer)
            units = self.chosen(old.name, size, new.layer.units if isinstance(layer, Dueling) else size_of(new.layer))
            if isinstance(layer, Dueling):
                return Piece(old, new, inputs, units, identity(layer.actions))
            beside = getattr(layer, "skip", False)
            return Piece(old, new, inputs, units, np.concatenate([units, size + inputs]) if beside else units)
        if isinstance(layer, ActorCritic):
            return Piece(old, new, inputs, inputs, identity(layer.actions + 1))
        allowed = "layers behind it alone, as it cannot take more inputs"
        check(is_identity(inputs), "wider", f"a layer before {old.name}", allowed)
        outputs = identity(old.output_shape[-1])
        return Piece(old, new, inputs, outputs, outputs)

    def chosen(self, name: str, size: int, wanted: int) -> Index:
        """The old units, and copies of some that are drawn."""
        rng = generator(self.growth.seed, f"grow/{name}")
        return np.concatenate([identity(size), rng.integers(size, size=wanted - size)])

    def weights(self, tensors: Mapping[str, np.ndarray]) -> Weights:
        """The larger network's weights."""
        return self.made(tensors, self.expanded, with_new=True)

    def moments(self, tensors: Mapping[str, np.ndarray], power: int) -> Weights:
        """Moments of the gradients, to a power, where the smaller network had them. What goes out of a unit has the gradient that it
        had; what goes in has its share of it, as its copies do."""

        def spread(name: str, tensor: np.ndarray, rows: Index | None, columns: Index) -> np.ndarray:
            found = tensor[..., columns] if rows is None else tensor[..., rows, :][..., columns]
            return found / copies(columns) ** power

        return self.made(tensors, spread, with_new=False)

    def made(self, tensors: Mapping[str, np.ndarray], make: Callable[..., np.ndarray], with_new: bool) -> Weights:
        found: Weights = {}
        for piece in self.pieces:
            for name, shape in piece.new.tensors().items():
                source = piece.source(name)
                if source is None and with_new:
                    found[name] = unchanging(name, shape, next(iter(tensors.values())).dtype)
                if source is not None and source in tensors:
                    tensor, (rows, columns) = tensors[source], piece.axes_of(name, tensors[source])
                    found[name] = make(name, tensor.astype(np.float64), rows, columns).astype(tensor.dtype)
        return found

    def expanded(self, name: str, tensor: np.ndarray, rows: Index | None, columns: Index) -> np.ndarray:
        """A tensor whose rows are divided among the copies of an input, and whose columns are copied."""
        if rows is not None:
            shares = tensor[..., rows, :] / copies(rows)[:, None]
            tensor = shares + self.parting(name, tensor, rows)
        return tensor[..., columns]

    def parting(self, name: str, tensor: np.ndarray, rows: Index) -> np.ndarray | float:
        """Noise on what goes out of the copies of each unit, of sum 0."""
        if not self.growth.noise:
            return 0.0
        rng = generator(self.growth.seed, f"noise/{name}")
        noise = rng.standard_normal((*tensor.shape[:-2], len(rows), tensor.shape[-1]))
        noise *= self.growth.noise * tensor.std()
        sums = np.zeros(tensor.shape)
        for copy, unit in enumerate(rows):
            sums[..., unit, :] += noise[..., copy, :]
        return noise - (sums[..., rows, :] / copies(rows)[:, None])

    def states(self, states: np.ndarray) -> np.ndarray:
        """The memory's states [..., S] of the larger network."""
        return states[..., self.state_index()]

    def state_index(self) -> Index:
        """[S] which number of the old state each of the new one copies."""
        found, start = [], 0
        for piece in self.pieces:
            if piece.old is None or piece.old.state_size is None:
                continue
            found.append(start + self.state_of(piece))
            start += piece.old.state_size
        return np.concatenate([np.zeros(0, np.int64), *found]).astype(np.int64)

    def state_of(self, piece: Piece) -> Index:
        assert piece.old is not None
        layer, size = piece.old.layer, piece.old.state_size or 0
        if isinstance(layer, Stack):
            return piece.outputs[: (layer.length - 1) * len(piece.inputs)]
        if isinstance(layer, Recurrent):
            return several(piece.units, 2) if isinstance(layer, LSTM) else piece.units
        return identity(size)

    def sources(self) -> dict[str, str]:
        """The larger network's tensors that are made of the smaller one's, and of which."""
        found = {name: piece.source(name) for piece in self.pieces for name in piece.new.tensors()}
        return {name: source for name, source in found.items() if source is not None}

    def origins(self) -> dict[str, str]:
        """Of each tensor of the larger network, in words, where it comes from."""
        found = {}
        for piece in self.pieces:
            for name, shape in piece.new.tensors().items():
                source = piece.source(name)
                if piece.old is None or source is None:
                    found[name] = "new: gives what it gets"
                elif (before := piece.old.tensors()[source]) == shape:
                    found[name] = "as it was" if source == name else f"as {source} was"
                else:
                    found[name] = f"grown from {before}" + ("" if source == name else f" of {source}")
        return found


def unchanging(name: str, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """A tensor of a layer that gives what it gets."""
    if not name.endswith("/kernel"):
        return np.zeros(shape, dtype)
    return np.broadcast_to(np.eye(shape[-1], dtype=dtype), shape).copy()
