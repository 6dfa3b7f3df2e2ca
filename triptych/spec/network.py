"""What a network is, said once: an observation and the layers that it goes through.

Shapes here are of one sample, without the batch. Pictures are channels-last (H, W, C) inside the
network; they arrive as (stack, H, W), or (stack, H, W, 3) in colour, and the network's first operation
transposes them: C is the stack, in colour 3 * stack with the frames in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

from triptych.spec.attention import Attention, VisualAttention
from triptych.spec.layers import LAYERS as LAYERS  # one door for whoever writes a network
from triptych.spec.layers import ActorCritic, Conv, Dense, Dueling, Flatten, FrameDifference, Shape
from triptych.spec.memory import GRU, LSTM, RNN, Memory, Stack
from triptych.utils.checks import check


@dataclass(frozen=True)
class Observation:
    """What one observation looks like: a vector `(n,)`, or pictures `(stack, H, W)` or `(stack, H, W, 3)`."""

    shape: Shape
    dtype: str  # NumPy's name; uint8 is divided by 255 inside the network, nothing else is scaled

    @property
    def is_picture(self) -> bool:
        return len(self.shape) in (3, 4)

    @property
    def picture_shape(self) -> Shape:
        """Of pictures: (H, W, C) as the network's first operation gives them."""
        stack, height, width, *colours = self.shape
        return (height, width, stack * prod(colours))


Layer = (
    Conv
    | Flatten
    | Dense
    | FrameDifference
    | Dueling
    | ActorCritic
    | Stack
    | RNN
    | GRU
    | LSTM
    | Attention
    | VisualAttention
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
        if self.observation.dtype != "uint8":
            return None
        return int(isinstance(self.layers[0], FrameDifference))

    def placed(self) -> Iterator[Placed]:
        """Yields the layers named `conv_1`, `conv_2`, `dense_1`, ...; the last one is `head`.

        Raises:
            InputError: a layer cannot take the shape that reaches it.
        """
        shape = self.observation.picture_shape if self.observation.is_picture else self.observation.shape
        for index, (name, layer) in enumerate(zip(layer_names(self.layers), self.layers, strict=True)):
            is_head = index == len(self.layers) - 1
            if isinstance(layer, FrameDifference):
                stack = self.observation.shape[0] if index == 0 and self.observation.is_picture else None
                check(stack == 2, "the stack before a difference layer", stack, "2 pictures, and it is the first layer")
            output = layer.output_shape(shape)
            yield Placed("head" if is_head else name, layer, shape, output)
            shape = output

    @property
    def state_sizes(self) -> tuple[int, ...]:
        """Of the layers with memory, in order: a game's state is one row, their parts side by side."""
        return tuple(placed.state_size for placed in self.placed() if placed.state_size is not None)

    def tensors(self) -> dict[str, Shape]:
        """Every weight's neutral name and shape, in the order of the layers."""
        return {name: shape for placed in self.placed() for name, shape in placed.tensors().items()}
