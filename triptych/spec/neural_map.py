"""A memory with places: a map that the agent writes into where it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from triptych.spec.layers import Initialiser, Shape
from triptych.spec.memory import Memory
from triptych.spec.observation import Part
from triptych.utils.checks import InputError, check, positive

CONVOLUTIONS, FILTERS = 3, 16  # of the network that reads the whole map


class NoPlaceError(InputError):
    """A map's observation does not say where the agent is."""


@dataclass(frozen=True)
class NeuralMap(Memory):
    """A map of `size` x `size` places, C channels each; a step reads all of it and writes one place (Parisotto & Salakhutdinov 2018).

    Of the input s, the map M and the place m = M[y, x] where the agent is:
    read r: three convolutions of M (3 x 3, stride 2, zeros around it, 16 ReLUs), then a dense layer of C;
    context c: the mean of all places, weighed by softmax(q . M[y', x']) with q = [s, r] W;
    write w, gated: g, z = sigmoid([s, r, c] W + m U + b), h = tanh([s, r, c] W + (g * m) U + b), w = (1 - z) m + z h, in the
    order g z h; else tanh of a dense layer on 2 C ReLUs of [s, r, c, m].
    Then M[y, x] is w, and the output is [r, c, w], and where `skip` [r, c, w, s].

    `forget_bias` is taken from the bias of z at the start: a visit leaves sigmoid(forget_bias) of what a place holds, so that a place lasts
    about exp(forget_bias) steps that are spent there. At 0 two turns on the spot cover what was seen before them.

    Where the agent is, is told by the observation's part `position`: x and y, each from 0 to 1; x counts columns, y rows. Where
    `egocentric`, the map moves against the agent, which is always at its middle; what leaves the map is forgotten.

    State: the map, row by row, channels fastest; egocentric also the place of the step before (x, y), and 1 if there was one.
    """

    size: int = 15  # places of the map, each way
    channels: int = 32  # numbers at each place, and of what is read, of the context and of what is written
    context: bool = True  # each step also asks all places, and gets an answer
    gated: bool = True  # a place is changed through the gates of a GRU; else it is replaced
    egocentric: bool = False  # the map is centred on the agent; else it lies still
    skip: bool = False  # the layers above see the input too, so that what needs no memory need not pass through it
    forget_bias: float = 0.0  # of a gated map: 0: a place lasts two steps spent there; 3: twenty
    initialiser: Initialiser = "glorot_uniform"  # of kernels and biases; the gates' recurrent kernel is orthogonal

    kind: ClassVar[str] = "neural_map"
    part: ClassVar[str] = "position"

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self, "channels")
        check(
            self.gated or not self.forget_bias,
            "forget_bias",
            self.forget_bias,
            "0 without gates (--network.neural_map_1.forget-bias 0)",
        )
        check(self.size > 1, "size", self.size, "2 or more: a map of one place holds no place apart")

    @staticmethod
    def check_position(part: Part | None) -> None:
        """Refuses an observation that does not say where the agent is; `part` is its part `position`, if it has one."""
        told = "no part `position`" if part is None else f"a part `position` of {part.shape} that is in no known bounds"
        said = f"memory is 'neural_map', and the observation has {told}; allowed: an environment that says where the agent is"
        if part is None or not part.is_place:
            raise NoPlaceError(said)

    def output_shape(self, shape: Shape) -> Shape:
        return ((2 + self.context) * self.channels + self.vector(shape) * self.skip,)

    def state_size(self, shape: Shape) -> int:
        return self.size**2 * self.channels + 3 * self.egocentric

    def offsets(self) -> dict[str, tuple[slice, float]]:
        update = slice(self.channels, 2 * self.channels)  # the gate z
        return {"write_bias": (update, -self.forget_bias)} if self.gated else {}

    @property
    def read_sides(self) -> tuple[int, ...]:
        """Places each way that each of the reading convolutions gives."""
        sides = [self.size]
        for _ in range(CONVOLUTIONS):
            sides.append((sides[-1] + 1) // 2)
        return tuple(sides[1:])

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        channels = self.channels
        found: dict[str, Shape] = {}
        for index in range(1, CONVOLUTIONS + 1):
            before = channels if index == 1 else FILTERS
            found |= {f"read_{index}_kernel": (3, 3, before, FILTERS), f"read_{index}_bias": (FILTERS,)}
        found |= {"read_kernel": (self.read_sides[-1] ** 2 * FILTERS, channels), "read_bias": (channels,)}
        known = self.vector(shape) + channels  # [s, r]
        if self.context:
            found |= {"query_kernel": (known, channels)}
            known += channels  # [s, r, c]
        if self.gated:
            gates = 3 * channels
            found |= {
                "write_kernel": (known, gates),
                "write_recurrent_kernel": (channels, gates),
                "write_bias": (gates,),
            }
        else:
            hidden = 2 * channels
            found |= {"hidden_kernel": (known + channels, hidden), "hidden_bias": (hidden,)}
            found |= {"write_kernel": (hidden, channels), "write_bias": (channels,)}
        return found
