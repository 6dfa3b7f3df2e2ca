"""What a network is, said once: an observation and the layers that it goes through.

Shapes here are of one sample, without the batch. Pictures are channels-last (H, W, C) inside the
network; they arrive as (stack, H, W), or (stack, H, W, 3) in colour, and the network's first operation
transposes them: C is the stack, in colour 3 * stack with the frames in order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Annotated, Any, ClassVar, Literal

from tyro.conf import arg

from triptych.spec import (
    GRU,
    LSTM,
    RNN,
    ActorCritic,
    Attention,
    Conv,
    Dense,
    Dueling,
    Flatten,
    FrameDifference,
    Memory,
    Shape,
    Stack,
    VisualAttention,
)
from triptych.spec import LAYERS as LAYERS  # one door for whoever writes a network
from triptych.utils.checks import at_least, check, positive, within

Precision = Literal["float32", "float64", "bfloat16"]
PRECISIONS: tuple[Precision, ...] = ("float32", "float64", "bfloat16")


def dtypes(precision: str) -> tuple[str, str]:
    """NumPy's names for what is stored, and for what the layers without memory below the head multiply.

    bfloat16 has 8 bits of mantissa: enough for a layer's products, too few for Q values, sums, small steps and states.
    """
    return ("float32", "bfloat16") if precision == "bfloat16" else (precision, precision)


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
        counts: dict[str, int] = {}
        for index, layer in enumerate(self.layers):
            counts[layer.kind] = counts.get(layer.kind, 0) + 1
            is_head = index == len(self.layers) - 1
            if isinstance(layer, FrameDifference):
                stack = self.observation.shape[0] if index == 0 and self.observation.is_picture else None
                check(stack == 2, "the stack before a difference layer", stack, "2 pictures, and it is the first layer")
            name = "head" if is_head else f"{layer.kind}_{counts[layer.kind]}"
            output = layer.output_shape(shape)
            yield Placed(name, layer, shape, output)
            shape = output

    @property
    def state_sizes(self) -> tuple[int, ...]:
        """Of the layers with memory, in order: a game's state is one row, their parts side by side."""
        return tuple(placed.state_size for placed in self.placed() if placed.state_size is not None)

    def tensors(self) -> dict[str, Shape]:
        """Every weight's neutral name and shape, in the order of the layers."""
        return {name: shape for placed in self.placed() for name, shape in placed.tensors().items()}


@dataclass(frozen=True)
class Optimiser:
    """What every optimiser has: a learning rate, its way over the run, and a limit to the gradient."""

    learning_rate: Annotated[float, arg(prefix_name=False)] = 2.5e-4  # a step's size, about, in weight units
    final_rate: float | None = None  # learning rate at the run's last step, reached in a straight line; None: constant
    max_norm: float | None = 1.0  # the gradient's norm over all tensors is cut to this; None: never

    kind: ClassVar[str]  # the name in config.json, and in front of its tensors in a checkpoint

    def __post_init__(self) -> None:
        positive(self, "learning_rate", "max_norm")
        at_least(self, 0, "final_rate")


@dataclass(frozen=True)
class Adam(Optimiser):
    """Adam (Kingma & Ba 2015, algorithm 1) after clipping the gradient's norm over all tensors."""

    beta_1: float = 0.9  # decay of the gradient's mean, per update
    beta_2: float = 0.999  # decay of the squared gradient's mean, per update
    epsilon: float = 1e-7  # added to the root of the bias-corrected second moment

    kind: ClassVar[str] = "adam"

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self, "epsilon")
        within(self, 0, 1 - 1e-12, "beta_1", "beta_2")


@dataclass(frozen=True)
class RMSprop(Optimiser):
    """RMSprop without momentum (Mnih et al. 2016, section 4, "Optimization") after clipping the gradient's norm over all tensors.

    v = decay v + (1 - decay) g^2, and a step of rate g / sqrt(v + epsilon); v begins at 0 and is not corrected for it.
    """

    decay: float = 0.99  # of the squared gradient's mean, per update
    epsilon: float = 1e-5  # added to that mean, inside the root

    kind: ClassVar[str] = "rmsprop"

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self, "epsilon")
        within(self, 0, 1 - 1e-12, "decay")


OPTIMISERS: dict[str, Any] = {optimiser.kind: optimiser for optimiser in (Adam, RMSprop)}  # by name
