"""What a network is, said once: an observation and the layers that it goes through.

Shapes here are of one sample, without the batch. Pictures are channels-last (H, W, C) inside the
network; they arrive as (stack, H, W), or (stack, H, W, 3) in colour, and the network's first operation
transposes them: C is the stack, in colour 3 * stack with the frames in order.

Of an observation of several parts, the picture (or the first part, where there is none) enters at the front. The others,
vectors, join it where the sequence first is a vector: they are concatenated to it, in the order of their names, before
the next layer. That is after a Flatten, or at the front where no part is a picture. A part that a layer asks for by its
field `part` goes to that layer alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from triptych.spec.attention import Attention, VisualAttention
from triptych.spec.layers import LAYERS as LAYERS  # one door for whoever writes a network
from triptych.spec.layers import ActorCritic, Conv, Dense, Dueling, Flatten, FrameAndDifference, FrameDifference, Shape
from triptych.spec.memory import GRU, LSTM, RNN, Memory, Stack
from triptych.spec.neural_map import NeuralMap
from triptych.spec.observation import Observation as Observation
from triptych.utils.checks import check

Layer = (
    Conv
    | Flatten
    | Dense
    | FrameDifference
    | FrameAndDifference
    | Dueling
    | ActorCritic
    | Stack
    | RNN
    | GRU
    | LSTM
    | Attention
    | VisualAttention
    | NeuralMap
)


def layer_names(layers: Iterable[Any]) -> list[str]:
    """The layers' neutral names, counted by kind: `conv_1`, `conv_2`, `dense_1`, ..."""
    counts: dict[str, int] = {}
    names = []
    for layer in layers:
        counts[layer.kind] = counts.get(layer.kind, 0) + 1
        names.append(f"{layer.kind}_{counts[layer.kind]}")
    return names


@dataclass(frozen=True)
class Placed:
    """A layer in its place: its name in the weights file, what goes in and what comes out."""

    name: str
    layer: Any  # one of LAYERS; each framework's builder reads the fields of its kind
    input_shape: Shape
    output_shape: Shape
    joined: tuple[str, ...] = ()  # parts of the observation that are concatenated to its input, which counts them

    @property
    def part(self) -> str | None:
        """A part of the observation that the layer is given beside its input; None: it asks for none.

        In the layer's precision, bytes divided by 255: [B, n], of a memory [T, B, n] as its last argument.
        """
        return getattr(self.layer, "part", None)

    def tensors(self) -> dict[str, Shape]:
        return {f"{self.name}/{key}": shape for key, shape in self.layer.tensors(self.input_shape).items()}

    @property
    def state_size(self) -> int | None:
        """Numbers that the layer carries from step to step; None: it has no memory."""
        return self.layer.state_size(self.input_shape) if isinstance(self.layer, Memory) else None

    @property
    def is_precise(self) -> bool:
        """Whether it works in the stored precision in any case."""
        return self.name == "head" or isinstance(self.layer, Memory)


@dataclass(frozen=True)
class Network:
    """An observation and the layers it goes through, in order; the last one is the head."""

    observation: Observation
    layers: tuple[Layer, ...]
    unrolls: bool = False  # takes sequences and a state, which may be of no numbers

    @property
    def scale_at(self) -> int | None:
        """The layer before which pixels are divided by 255; None: there are no pixels.

        After a difference at the start: whole numbers subtract exactly, so that what has not moved is 0 and no
        rounding error, which would choose the action where nothing else does.
        """
        if self.observation.main.dtype != "uint8":
            return None
        return int(isinstance(self.layers[0], FrameDifference))

    @property
    def joining(self) -> tuple[str, ...]:
        """The parts that are concatenated to the first vector, in order: all but the main one and those that layers ask for."""
        asked = {getattr(layer, "part", None) for layer in self.layers}
        return tuple(name for name in self.observation.others if name not in asked)

    def placed(self) -> Iterator[Placed]:
        """Yields the layers named `conv_1`, `conv_2`, `dense_1`, ...; the last one is `head`.

        Raises:
            InputError: a layer cannot take the shape that reaches it, or no layer is left that the other parts could reach.
        """
        main = self.observation.main
        shape = main.picture_shape if main.is_picture else main.shape
        waiting = self.joining
        for index, (name, layer) in enumerate(zip(layer_names(self.layers), self.layers, strict=True)):
            is_head = index == len(self.layers) - 1
            self.check_layer(index)
            joined, waiting = (waiting, ()) if len(shape) == 1 else ((), waiting)
            shape = (shape[0] + sum(self.observation.parts[other].shape[0] for other in joined),) if joined else shape
            output = layer.output_shape(shape)
            yield Placed("head" if is_head else name, layer, shape, output, joined)
            shape = output
        check(not waiting, "parts that reach no layer", list(waiting), "none: a flatten layer lets them join")

    def check_layer(self, index: int) -> None:
        """Refuses a difference that is not the first layer on two pictures, and a part that there is not."""
        layer, observation = self.layers[index], self.observation
        if isinstance(layer, FrameDifference):
            stack = observation.main.stack if index == 0 and observation.is_picture else None
            check(stack == 2, "the stack before a difference layer", stack, "2 pictures, and it is the first layer")
        part = getattr(layer, "part", None)
        known = observation.others
        if isinstance(layer, NeuralMap):
            layer.check_position(observation.parts.get(layer.part) if layer.part in known else None)
        check(part is None or part in known, f"part of layer {layer.kind}", part, f"one of {', '.join(known)}")

    @property
    def state_sizes(self) -> tuple[int, ...]:
        """Of the layers with memory, in order: a game's state is one row, their parts side by side."""
        return tuple(placed.state_size for placed in self.placed() if placed.state_size is not None)

    def tensors(self) -> dict[str, Shape]:
        """Every weight's neutral name and shape, in the order of the layers."""
        return {name: shape for placed in self.placed() for name, shape in placed.tensors().items()}
