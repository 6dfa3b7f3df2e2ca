"""The layers without memory: what they are, and the shape each gives. Shapes are of one sample."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar, Literal

from triptych.utils.checks import InputError, check, one_of, positive

Shape = tuple[int, ...]
Activation = Literal["relu", "tanh", "linear"]
Initialiser = Literal["glorot_uniform", "fan_in_uniform", "orthogonal"]
INITIALISERS: tuple[Initialiser, ...] = ("glorot_uniform", "fan_in_uniform", "orthogonal")
ACTIVATIONS: tuple[Activation, ...] = ("relu", "tanh", "linear")
HIDDEN: tuple[Activation, ...] = ("tanh", "relu")


@dataclass(frozen=True)
class LayerSpec(ABC):
    """What every layer answers. A layer of one's own inherits from it and is made known by `register_layer`."""

    kind: ClassVar[str] = ""

    @property
    def activation(self) -> Activation:
        """Put on what the layer gives; a layer of one's own puts its own within."""
        return "linear"

    @property
    def initialiser(self) -> Initialiser:
        """Of its kernels and the biases behind them."""
        return "glorot_uniform"

    @abstractmethod
    def output_shape(self, shape: Shape) -> Shape:
        """Of inputs of `shape`.

        Raises:
            InputError: it cannot take that shape.
        """

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        """Neutral names and shapes, for inputs of `shape`. A name that ends in `kernel` is drawn as a kernel, in `scale` as ones,
        all else as a bias."""
        return {}

    def factors(self) -> dict[str, float]:
        """What the drawn tensors are multiplied by, by name."""
        return {}

    def offsets(self) -> dict[str, tuple[slice, float]]:
        """What is added to a part of a tensor after it was drawn, by name."""
        return {}


@dataclass(frozen=True)
class Conv(LayerSpec):
    """Two-dimensional convolution, VALID padding: output = (input - kernel) // stride + 1."""

    filters: int  # output channels
    kernel: int  # pixels, both ways
    stride: int = 1  # pixels, both ways
    activation: Activation = "relu"  # applied to its outputs
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
class Flatten(LayerSpec):
    """(H, W, C) to a vector, channels fastest."""

    kind: ClassVar[str] = "flatten"

    def output_shape(self, shape: Shape) -> Shape:
        return (prod(shape),)

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        return {}


@dataclass(frozen=True)
class Dense(LayerSpec):
    """Fully connected layer."""

    units: int  # outputs
    activation: Activation = "relu"  # applied to its outputs
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
class FrameDifference(LayerSpec):
    """The newer of two pictures minus the older one: what moved. The first layer, on a stack of 2."""

    kind: ClassVar[str] = "difference"

    def output_shape(self, shape: Shape) -> Shape:
        allowed = "two pictures (H, W, 2 C)"
        check(len(shape) == 3 and shape[-1] % 2 == 0, "the input of a difference layer", shape, allowed)
        return (*shape[:2], shape[-1] // 2)

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        return {}


MOST_GAIN = 1_000  # of a picture: beyond it every network diverges


@dataclass(frozen=True)
class FrameAndDifference(FrameDifference):
    """Where things are beside what moved: the newer picture, light and dark swapped, and its difference. A drawing on white is
    so mostly zeros: ones wherever nothing is would drown the rest."""

    picture_gain: float = 1.0  # what the swapped picture is multiplied by
    difference_gain: float = 1.0  # and the difference; small inputs are learned from late

    kind: ClassVar[str] = "frame_and_difference"

    def __post_init__(self) -> None:
        for name in ("picture_gain", "difference_gain"):
            gain = getattr(self, name)
            check(0 < gain < MOST_GAIN, name, gain, f"above 0 and below {MOST_GAIN:,}")

    def output_shape(self, shape: Shape) -> Shape:
        height, width, channels = super().output_shape(shape)
        return (height, width, 2 * channels)


@dataclass(frozen=True)
class Dueling(LayerSpec):
    """The head of a dueling network (Wang et al. 2016, equation 9): Q = V + A - mean A, from two streams.

    Each stream has a layer of `units` ReLUs of its own, then V is one number and A one an action.
    """

    actions: int
    units: int  # hidden, in each stream
    initialiser: Initialiser = "glorot_uniform"  # of kernels and biases

    kind: ClassVar[str] = "dueling"

    def __post_init__(self) -> None:
        positive(self, "actions", "units")
        one_of(self, "initialiser", INITIALISERS)

    def output_shape(self, shape: Shape) -> Shape:
        check(len(shape) == 1, "the input of a dueling head", shape, "a vector; put a flatten layer before it")
        return (self.actions,)

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        """Neutral names and shapes: kernels are (in, out)."""
        sizes = {"value_hidden": (shape[0], self.units), "value": (self.units, 1)}
        sizes |= {"advantage_hidden": (shape[0], self.units), "advantage": (self.units, self.actions)}
        return {
            f"{name}_{part}": size[index:]
            for name, size in sizes.items()
            for index, part in enumerate(("kernel", "bias"))
        }


@dataclass(frozen=True)
class ActorCritic(LayerSpec):
    """The head of an actor-critic: A logits of a policy and, in the last place, the state's value: A + 1 numbers.

    Drawn orthogonal whatever the body is: the policy a hundredth of unit size, so that it begins almost uniform, the value
    at unit size (Andrychowicz et al. 2021).
    """

    actions: int
    policy_units: tuple[int, ...] = ()  # layers of the policy alone, on what the body gives
    value_units: tuple[int, ...] = ()  # and of the value alone
    hidden_activation: Activation = "tanh"  # of those layers

    kind: ClassVar[str] = "actor_critic"
    initialiser: ClassVar[Initialiser] = "orthogonal"

    def __post_init__(self) -> None:
        positive(self, "actions")
        one_of(self, "hidden_activation", HIDDEN)
        for name in ("policy_units", "value_units"):
            units = getattr(self, name)
            check(all(size > 0 for size in units), name, units, "above 0, each of them")

    @property
    def streams(self) -> dict[str, tuple[tuple[int, ...], int]]:
        """Of the policy and of the value: the sizes of its own layers, and how many numbers it gives."""
        return {"policy": (self.policy_units, self.actions), "value": (self.value_units, 1)}

    def output_shape(self, shape: Shape) -> Shape:
        check(len(shape) == 1, "the input of an actor-critic head", shape, "a vector; put a flatten layer before it")
        return (self.actions + 1,)

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        """Neutral names and shapes: kernels are (in, out)."""
        found: dict[str, Shape] = {}
        for name, (units, outputs) in self.streams.items():
            (size,) = shape
            for index, after in enumerate(units, start=1):
                found |= {f"{name}_hidden_{index}_kernel": (size, after), f"{name}_hidden_{index}_bias": (after,)}
                size = after
            found |= {f"{name}_kernel": (size, outputs), f"{name}_bias": (outputs,)}
        return found

    def factors(self) -> dict[str, float]:
        """What the drawn tensors are multiplied by."""
        return {"policy_kernel": 0.01 / 2**0.5, "value_kernel": 1 / 2**0.5}


LAYERS: dict[str, Any] = {
    layer.kind: layer for layer in (Conv, Flatten, Dense, FrameDifference, FrameAndDifference, Dueling, ActorCritic)
}
