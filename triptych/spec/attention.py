"""The memory kinds that attend: to the last steps, or to places of a map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from triptych.spec.layers import Initialiser, Shape
from triptych.spec.memory import Memory
from triptych.utils.checks import check, positive


@dataclass(frozen=True)
class Attention(Memory):
    """A transformer block over the last `length` steps of the episode; each step asks, all of the window answer.

    The input is brought to `units`, normalised, and attended to by `heads` heads with a learned bias for each distance
    (Vaswani et al. 2017; Raffel et al. 2020); then a layer of 2 `units` ReLUs. Both parts stand on residual paths, or, where
    `gated`, behind the GRU gates of GTrXL (Parisotto et al. 2020). State: the `length` - 1 inputs before this one (brought
    to `units`), oldest first, then for each of them 1 where it is of this episode.
    """

    units: int = 64  # numbers for each step, and its outputs
    length: int = 16  # steps, this one included
    heads: int = 4  # that attend beside each other; units is a multiple of them
    gated: bool = False  # gates in place of the residual paths (GTrXL)
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

    units: int = 256  # numbers that it remembers, and its outputs
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
