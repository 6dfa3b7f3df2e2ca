"""What a network is, said once: frozen dataclasses and the shape each layer gives.

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

from triptych.checks import InputError, at_least, check, one_of, positive, within

Shape = tuple[int, ...]
Activation = Literal["relu", "linear"]
Initialiser = Literal["glorot_uniform", "fan_in_uniform"]
Precision = Literal["float32", "float64", "bfloat16"]
PRECISIONS: tuple[Precision, ...] = ("float32", "float64", "bfloat16")
INITIALISERS: tuple[Initialiser, ...] = ("glorot_uniform", "fan_in_uniform")
ACTIVATIONS: tuple[Activation, ...] = ("relu", "linear")


def dtypes(precision: str) -> tuple[str, str]:
    """NumPy's names for what is stored (weights, head, losses, gradients), and for what the layers below the head multiply.

    bfloat16 has 8 bits of mantissa: enough for a layer's products, too few for Q values, sums and small steps.
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


@dataclass(frozen=True)
class Conv:
    """Two-dimensional convolution, VALID padding: output = (input - kernel) // stride + 1."""

    filters: int  # output channels
    kernel: int  # pixels, both ways
    stride: int = 1  # pixels, both ways
    activation: Activation = "relu"
    initialiser: Initialiser = "glorot_uniform"  # of kernel and bias

    kind: ClassVar[str] = "conv"

    def __post_init__(self) -> None:
        positive(self, "filters", "kernel", "stride")
        one_of(self, "activation", ACTIVATIONS)
        one_of(self, "initialiser", INITIALISERS)

    def output_shape(self, shape: Shape) -> Shape:
        check(len(shape) == 3, "the input of a conv layer", shape, "a picture (H, W, C)")
        sides = tuple((side - self.kernel) // self.stride + 1 for side in shape[:2])
        if min(sides) < 1:
            raise InputError(f"conv kernel is {self.kernel}; allowed: at most {min(shape[:2])}, its input's side")
        return (*sides, self.filters)

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        """Neutral names and shapes: the kernel is HWIO."""
        return {"kernel": (self.kernel, self.kernel, shape[-1], self.filters), "bias": (self.filters,)}


@dataclass(frozen=True)
class Flatten:
    """(H, W, C) to a vector, channels fastest."""

    kind: ClassVar[str] = "flatten"
    activation: ClassVar[Activation] = "linear"

    def output_shape(self, shape: Shape) -> Shape:
        return (prod(shape),)

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        return {}


@dataclass(frozen=True)
class Dense:
    """Fully connected layer."""

    units: int  # outputs
    activation: Activation = "relu"
    initialiser: Initialiser = "glorot_uniform"  # of kernel and bias

    kind: ClassVar[str] = "dense"

    def __post_init__(self) -> None:
        positive(self, "units")
        one_of(self, "activation", ACTIVATIONS)
        one_of(self, "initialiser", INITIALISERS)

    def output_shape(self, shape: Shape) -> Shape:
        check(len(shape) == 1, "the input of a dense layer", shape, "a vector; put a flatten layer before it")
        return (self.units,)

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        """Neutral names and shapes: the kernel is (in, out)."""
        return {"kernel": (shape[0], self.units), "bias": (self.units,)}


@dataclass(frozen=True)
class FrameDifference:
    """The newer of two pictures minus the older one: what moved. The first layer, on a stack of 2."""

    kind: ClassVar[str] = "difference"
    activation: ClassVar[Activation] = "linear"

    def output_shape(self, shape: Shape) -> Shape:
        allowed = "two pictures (H, W, 2 C)"
        check(len(shape) == 3 and shape[-1] % 2 == 0, "the input of a difference layer", shape, allowed)
        return (*shape[:2], shape[-1] // 2)

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        return {}


Layer = Conv | Flatten | Dense | FrameDifference
LAYERS: dict[str, type[Layer]] = {layer.kind: layer for layer in (Conv, Flatten, Dense, FrameDifference)}


@dataclass(frozen=True)
class Placed:
    """A layer in its place: its name in the weights file, what goes in and what comes out."""

    name: str
    layer: Any  # one of LAYERS; each framework's builder reads the fields of its kind
    input_shape: Shape
    output_shape: Shape

    def tensors(self) -> dict[str, Shape]:
        return {f"{self.name}/{key}": shape for key, shape in self.layer.tensors(self.input_shape).items()}


@dataclass(frozen=True)
class Network:
    """An observation and the layers it goes through, in order; the last one is the head."""

    observation: Observation
    layers: tuple[Layer, ...]

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

    def tensors(self) -> dict[str, Shape]:
        """Every weight's neutral name and shape, in the order of the layers."""
        return {name: shape for placed in self.placed() for name, shape in placed.tensors().items()}


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma & Ba 2015, algorithm 1) after clipping the gradient's norm over all tensors."""

    learning_rate: Annotated[float, arg(prefix_name=False)] = 2.5e-4  # a step's size, about, in weight units
    final_rate: float | None = None  # learning rate at the run's last step, reached in a straight line; None: constant
    beta_1: float = 0.9  # decay of the gradient's mean, per update
    beta_2: float = 0.999  # decay of the squared gradient's mean, per update
    epsilon: float = 1e-7  # added to the root of the bias-corrected second moment
    max_norm: float | None = 1.0  # the gradient's norm over all tensors is cut to this; None: never

    def __post_init__(self) -> None:
        positive(self, "learning_rate", "epsilon", "max_norm")
        at_least(self, 0, "final_rate")
        within(self, 0, 1 - 1e-12, "beta_1", "beta_2")
