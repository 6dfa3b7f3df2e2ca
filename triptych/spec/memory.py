"""The memory kinds: layers that carry a state from step to step, as frozen dataclasses.

All take a vector (D,) a step. A game's state is a row of `state_size` numbers, all zero where an episode starts;
what the numbers mean is said with each kind. Each framework's `layers.py` has a class for each of them.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from triptych.spec.layers import INITIALISERS, Initialiser, LayerSpec, Shape
from triptych.utils.checks import check, one_of, positive


@dataclass(frozen=True)
class Memory(LayerSpec):
    """What the memory kinds share; a kind of one's own inherits from it and is registered with `register_memory`."""

    def __post_init__(self) -> None:
        names = [name for name in ("units", "length", "heads") if hasattr(self, name)]
        positive(self, *names)
        if hasattr(self, "initialiser"):
            one_of(self, "initialiser", INITIALISERS)

    @abstractmethod
    def state_size(self, shape: Shape) -> int:
        """Numbers carried for each game, for inputs of `shape`."""

    def vector(self, shape: Shape) -> int:
        """The length of the input, refused where it is none."""
        check(len(shape) == 1, f"the input of {self.kind} memory", shape, "a vector; put a flatten layer before it")
        return shape[0]


@dataclass(frozen=True)
class Stack(Memory):
    """The last `length` inputs side by side, oldest first, zeros before the episode's start: a frame stack inside the network.

    State: the `length` - 1 inputs before this one, oldest first.
    """

    length: int = 4  # steps, this one included

    kind: ClassVar[str] = "stack"

    def output_shape(self, shape: Shape) -> Shape:
        return (self.length * self.vector(shape),)

    def state_size(self, shape: Shape) -> int:
        return (self.length - 1) * self.vector(shape)


@dataclass(frozen=True)
class Recurrent(Memory):
    """A recurrent layer of `units`, and beside its output, where `skip`, its input."""

    units: int = 64  # numbers that it remembers, and its outputs
    skip: bool = False  # the layers above see the input too, so that what needs no memory need not pass through it
    # of the input's kernel and the bias; the recurrent kernel is orthogonal
    initialiser: Initialiser = "glorot_uniform"

    gates: ClassVar[int] = 1

    def output_shape(self, shape: Shape) -> Shape:
        return (self.units + self.vector(shape) * self.skip,)

    def state_size(self, shape: Shape) -> int:
        return self.units

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        size = self.gates * self.units
        return {"kernel": (self.vector(shape), size), "recurrent_kernel": (self.units, size), "bias": (size,)}


@dataclass(frozen=True)
class RNN(Recurrent):
    """h = tanh(x W + h U + b) (Elman 1990). State: h."""

    kind: ClassVar[str] = "rnn"


@dataclass(frozen=True)
class Gated(Recurrent):
    """A recurrent layer of which one gate says how much of the state is kept; it is the second one.

    `forget_bias` is added to that gate's bias at the start: a step keeps sigmoid(forget_bias) of the state, so a memory
    lasts about exp(forget_bias) steps (Gers et al. 2000; Tallec & Ollivier 2018), and so far back a gradient reaches.
    """

    forget_bias: float = 1.0  # 1: four steps (Jozefowicz et al. 2015); 4: fifty

    def offsets(self) -> dict[str, tuple[slice, float]]:
        return {"bias": (slice(self.units, 2 * self.units), self.forget_bias)}


@dataclass(frozen=True)
class GRU(Gated):
    """Gated recurrent unit (Cho et al. 2014), its reset gate applied after the product, as cuDNN has it. State: h.

    Gates in the order r z n: n = tanh(x W_n + b_n + r (h U_n + recurrent_bias)), h = (1 - z) n + z h.
    """

    forget_bias: float = 0.0  # 0: two steps, as usual
    kind: ClassVar[str] = "gru"
    gates: ClassVar[int] = 3

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        return super().tensors(shape) | {"recurrent_bias": (self.units,)}


@dataclass(frozen=True)
class LSTM(Gated):
    """Long short-term memory (Hochreiter & Schmidhuber 1997; Gers et al. 2000). State: h, then c. Gates in the order i f g o."""

    kind: ClassVar[str] = "lstm"
    gates: ClassVar[int] = 4

    def state_size(self, shape: Shape) -> int:
        return 2 * self.units
