"""The memory kinds: layers that carry a state from step to step, as frozen dataclasses.

All take a vector (D,) a step. A game's state is a row of `state_size` numbers, all zero where an episode starts;
what the numbers mean is said with each kind. Each framework's `layers.py` has a class for each of them.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from triptych.checks import InputError, check, one_of, positive
from triptych.layers import INITIALISERS, LAYERS, Activation, Initialiser, Shape

Builder = Callable[..., Any] | str


@dataclass(frozen=True)
class Memory(ABC):
    """What the memory kinds share; a kind of one's own inherits from it and is registered with `register_memory`."""

    kind: ClassVar[str] = ""
    activation: ClassVar[Activation] = "linear"

    def __post_init__(self) -> None:
        names = [name for name in ("units", "length", "heads") if hasattr(self, name)]
        positive(self, *names)
        if hasattr(self, "initialiser"):
            one_of(self, "initialiser", INITIALISERS)

    @abstractmethod
    def output_shape(self, shape: Shape) -> Shape:
        """Of inputs of `shape`."""

    @abstractmethod
    def state_size(self, shape: Shape) -> int:
        """Numbers carried for each game, for inputs of `shape`."""

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        """Neutral names and shapes. A name that ends in `kernel` is drawn as a kernel, all else as a bias."""
        return {}

    def offsets(self) -> dict[str, tuple[slice, float]]:
        """What is added to a part of a tensor after it was drawn."""
        return {}

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

    units: int = 64
    skip: bool = False  # the layers above see the input too, so that what needs no memory need not pass through it
    initialiser: Initialiser = (
        "glorot_uniform"  # of the input's kernel and the bias; the recurrent kernel is orthogonal
    )

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


@dataclass(frozen=True)
class Attention(Memory):
    """A transformer block over the last `length` steps of the episode; each step asks, all of the window answer.

    The input is brought to `units`, normalised, and attended to by `heads` heads with a learned bias for each distance
    (Vaswani et al. 2017; Raffel et al. 2020); then a layer of 2 `units` ReLUs. Both parts stand on residual paths, or, where
    `gated`, behind the GRU gates of GTrXL (Parisotto et al. 2020). State: the `length` - 1 inputs before this one (brought
    to `units`), oldest first, then for each of them 1 where it is of this episode.
    """

    units: int = 64
    length: int = 16  # steps, this one included
    heads: int = 4
    gated: bool = False
    initialiser: Initialiser = "glorot_uniform"  # of kernels and their biases; gates' recurrent kernels are orthogonal

    kind: ClassVar[str] = "attention"

    def __post_init__(self) -> None:
        super().__post_init__()
        check(self.units % self.heads == 0, "units", self.units, f"a multiple of heads ({self.heads})")

    def output_shape(self, shape: Shape) -> Shape:
        self.vector(shape)
        return (self.units,)

    def state_size(self, shape: Shape) -> int:
        return (self.length - 1) * (self.units + 1)

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        d = self.units
        found: dict[str, Shape] = {"embed_kernel": (self.vector(shape), d), "embed_bias": (d,)}
        for part in ("query", "key", "value", "out"):
            found |= {f"{part}_kernel": (d, d)}
            # A bias of the keys would add the same to all scores of a softmax: its gradient is rounding noise alone.
            found |= {f"{part}_bias": (d,)} if part != "key" else {}
        found |= {"distance_bias": (self.heads, self.length)}
        found |= {"hidden_kernel": (d, 2 * d), "hidden_bias": (2 * d,), "down_kernel": (2 * d, d), "down_bias": (d,)}
        found |= {f"norm_{index}_{part}": (d,) for index in (1, 2) for part in ("scale", "bias")}
        if self.gated:
            for index in (1, 2):
                found |= {f"gate_{index}_kernel": (d, 3 * d), f"gate_{index}_recurrent_kernel": (d, 3 * d)}
                found |= {f"gate_{index}_bias": (d,)}
        return found

    def offsets(self) -> dict[str, tuple[slice, float]]:
        """The gates start nearly closed, so that the block starts as the identity (Parisotto et al. 2020, section 3.2)."""
        return {f"gate_{index}_bias": (slice(None), 2.0) for index in (1, 2) if self.gated}


@dataclass(frozen=True)
class VisualAttention(Memory):
    """An LSTM that looks at the places of a convolution's map one step at a time (Sorokin et al. 2015, soft DARQN).

    Takes a map (H, W, C). Each place v is weighed by softmax(tanh(v W + b + h U) w); the weighted mean of the places goes into
    the LSTM. State: h, then c.
    """

    units: int = 256
    hidden: int = 128  # of the weighing
    initialiser: Initialiser = "glorot_uniform"  # of kernels and biases; the recurrent kernel is orthogonal

    kind: ClassVar[str] = "visual_attention"

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self, "hidden")

    def output_shape(self, shape: Shape) -> Shape:
        check(len(shape) == 3, "the input of visual_attention", shape, "a map (H, W, C), so no flatten before it")
        return (self.units,)

    def state_size(self, shape: Shape) -> int:
        return 2 * self.units

    def offsets(self) -> dict[str, tuple[slice, float]]:
        return {"bias": (slice(self.units, 2 * self.units), 1.0)}

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        channels, size = shape[-1], 4 * self.units
        return {
            "place_kernel": (channels, self.hidden), "place_bias": (self.hidden,), "state_kernel": (self.units, self.hidden),
            "weight_kernel": (self.hidden, 1),
            "kernel": (channels, size), "recurrent_kernel": (self.units, size), "bias": (size,),
        }  # fmt: skip


BUILDERS: dict[str, dict[type[Memory], Any]] = {"torch": {}, "jax": {}, "keras": {}}  # of kinds registered from outside


def register_memory(
    spec: type[Memory], *, torch: Builder | None = None, jax: Builder | None = None, keras: Builder | None = None
) -> None:
    """Makes a memory kind of one's own known: its spec, and one function a framework that builds it.

    What is built is called with (x [T, B, *input], state [B, S], reset [T, B]) and returns (y [T, B, *output], state [B, S]). Its parameters have the
    names of `spec.tensors`; a PyTorch module keeps those with two axes transposed, (out, in). To be known to the processes that compare, prove or
    resume, call this from the recipe's file.

    Args:
        spec: a frozen dataclass that inherits from `Memory`, with a `kind` of its own. It trains in the frameworks that
            have a function.
        torch: `(placed) -> torch.nn.Module`. Each may be "module:function" too, which loads no framework before it is used.
        jax: `(placed, stored, compute) -> flax.linen.Module` named `placed.name`; `stored` is the dtype of its parameters.
        keras: `(placed, policy) -> keras.layers.Layer` named `placed.name`; `policy` is its dtype.

    Raises:
        InputError: another class or a layer has that kind.
    """
    check(issubclass(spec, Memory) and bool(spec.kind), "memory", spec.__name__, "a subclass of Memory with a kind")
    check(
        spec.kind not in LAYERS and spec.kind != "none", "memory kind", spec.kind, "one that no layer has, and not none"
    )
    known = KINDS.setdefault(spec.kind, spec)
    check(known.__qualname__ == spec.__qualname__, "memory kind", spec.kind, "one that no other class has")
    KINDS[spec.kind] = spec
    for framework, builder in (("torch", torch), ("jax", jax), ("keras", keras)):
        if builder is not None:
            BUILDERS[framework][spec] = builder


def builder_of(framework: str, spec: type[Memory]) -> Callable[..., Any] | None:
    """What builds a registered kind in a framework; None: it is not one of them.

    Raises:
        InputError: it was registered for other frameworks only, or what it names cannot be imported.
    """
    found = BUILDERS[framework].get(spec)
    others = [name for name, builders in BUILDERS.items() if spec in builders]
    check(found is not None or not others, f"a {spec.kind} memory's framework", framework, ", ".join(others))
    if not isinstance(found, str):
        return found
    module, _, name = found.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"{framework} of {spec.kind} memory is {found!r}: {error}; allowed: module:function that can be imported"
        ) from None


KINDS: dict[str, type[Memory]] = {kind.kind: kind for kind in (Stack, RNN, GRU, LSTM, Attention, VisualAttention)}
