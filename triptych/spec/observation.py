"""What one observation is: one array, or several named ones, such as a picture and numbers.

With one part, by far the usual case, an observation is that array. With several it is a dict of arrays by name, in the
order of the names: which is a tree to JAX and to `tf.function`, and to `each` here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from triptych.spec.layers import Shape
from triptych.utils.checks import check

ONE = ""  # what the part of an observation is called that has no other


@dataclass(frozen=True)
class Part:
    """One array of an observation: a vector `(n,)`, or pictures `(stack, H, W)` or `(stack, H, W, 3)`."""

    shape: Shape
    dtype: str  # NumPy's name; uint8 is divided by 255 inside the network, nothing else is scaled
    is_place: bool = False  # x and y of where the agent is, each from 0 to 1 between its bounds

    @property
    def is_picture(self) -> bool:
        return len(self.shape) in (3, 4)

    @property
    def picture_shape(self) -> Shape:
        """Of pictures: (H, W, C) as the network's first operation gives them."""
        stack, height, width, *colours = self.shape
        return (height, width, stack * prod(colours))

    @property
    def stack(self) -> int:
        """Pictures in one observation; 1 of vectors."""
        return self.shape[0] if self.is_picture else 1

    @property
    def frame_shape(self) -> Shape:
        """Of what one step adds: a single picture, or the vector."""
        return self.shape[1:] if self.is_picture else self.shape

    @property
    def itemsize(self) -> int:
        """Bytes of a number."""
        return np.dtype(self.dtype).itemsize

    def taken(self, precision: str) -> str:
        """The dtype in which a network of a precision takes it: bytes as they are, or its floats."""
        return "uint8" if self.dtype == "uint8" else precision


@dataclass(frozen=True, init=False)
class Observation:
    """What one observation looks like. `Observation((4,), "float32")` is one array, `Observation.of` several."""

    named: tuple[tuple[str, Part], ...]  # by name

    def __init__(self, shape: Shape, dtype: str):
        object.__setattr__(self, "named", ((ONE, Part(shape, dtype)),))

    @classmethod
    def of(cls, parts: Mapping[str, Part]) -> Observation:
        """An observation of parts by name; of a single one, whose name is dropped, it is one array.

        Raises:
            InputError: two of them are pictures, or there is none.
        """
        check(bool(parts), "parts of an observation", len(parts), "one at least")
        pictures = [name for name, part in parts.items() if part.is_picture]
        check(len(pictures) < 2, "pictures in one observation", sorted(pictures), "one, beside vectors")
        if len(parts) == 1:
            (part,) = parts.values()
            return cls(part.shape, part.dtype)
        found = object.__new__(cls)
        object.__setattr__(found, "named", tuple(sorted(parts.items())))
        return found

    @property
    def parts(self) -> dict[str, Part]:
        """By name; a single one's is empty."""
        return dict(self.named)

    @property
    def is_several(self) -> bool:
        """Whether an observation is a dict of arrays."""
        return len(self.named) > 1

    @property
    def main_name(self) -> str:
        """Of the part that enters a network at its front: the picture, or else the first one by name."""
        pictures = [name for name, part in self.named if part.is_picture]
        return [*pictures, self.named[0][0]][0]

    @property
    def main(self) -> Part:
        return self.parts[self.main_name]

    @property
    def others(self) -> tuple[str, ...]:
        """The names of the other parts, in order; they are vectors."""
        return tuple(name for name, _ in self.named if name != self.main_name)

    @property
    def is_picture(self) -> bool:
        """Whether it is a picture, or one of its parts is."""
        return self.main.is_picture

    @property
    def shape(self) -> Shape:
        """Of an observation that is one array."""
        return self.single.shape

    @property
    def dtype(self) -> str:
        """Of an observation that is one array."""
        return self.single.dtype

    @property
    def single(self) -> Part:
        """The only part.

        Raises:
            ValueError: there are several, which have no one shape.
        """
        if self.is_several:
            raise ValueError(f"an observation of several parts ({self}) has no shape or dtype of its own")
        return self.main

    def __str__(self) -> str:
        return ", ".join(f"{name} {part.shape}".strip() for name, part in self.named)

    def zeros(self, before: Shape, precision: str) -> Any:
        """Observations [*before, *observation] of zeros, as a network of a precision takes them."""
        return whole_of({name: np.zeros((*before, *part.shape), part.taken(precision)) for name, part in self.named})


def parts_of(obs: Any) -> dict[str, Any]:
    """The arrays of an observation (or of a batch of them) by name; one array's name is empty."""
    return obs if isinstance(obs, dict) else {ONE: obs}


def whole_of(parts: Mapping[str, Any]) -> Any:
    """The observation that these parts make: the opposite of `parts_of`."""
    return parts[ONE] if ONE in parts else dict(parts)


def each(function: Callable[..., Any], obs: Any, *others: Any) -> Any:
    """`function` of an observation's array, or of each of its parts; of further observations' same parts too."""
    if not isinstance(obs, dict):
        return function(obs, *others)
    return {name: function(part, *(other[name] for other in others)) for name, part in obs.items()}


def first_of(obs: Any) -> Any:
    """One array of an observation, for what all of them share: the number of games, or of steps."""
    return next(iter(obs.values())) if isinstance(obs, dict) else obs


def under(name: str, obs: Any) -> dict[str, Any]:
    """An observation as arrays of a file: `name`, or `name/part` of each part."""
    return {f"{name}/{part}" if part else name: array for part, array in parts_of(obs).items()}


def found_under(name: str, arrays: Mapping[str, Any], observation: Observation) -> Any:
    """The observation that `under` wrote."""
    return whole_of({part: arrays[f"{name}/{part}" if part else name] for part, _ in observation.named})
