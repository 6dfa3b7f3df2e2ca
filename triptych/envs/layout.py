"""Which observations are pictures, and how they are laid out. The one place that decides it.

A layout is a letter an axis: H rows, W columns, C colours (1 grey, 3, or 4 with an alpha that is dropped), S pictures that the
environment has stacked itself (or any planes of one size), which are kept as they are and not stacked again. Numbers become
bytes by the bounds of their space: the lowest is 0, the highest 255.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from gymnasium import spaces

from triptych.utils.checks import InputError, check

SMALLEST = 32  # pixels a side; smaller grids are symbols, and are flattened
GREY = np.array([0.2125, 0.7154, 0.0721])  # of red, green and blue, as Gymnasium weighs them
AXES = ("hw", "hwc", "chw", "shw", "hws", "shwc", "schw")
VECTOR = "vector"  # nothing is a picture
BEFORE = "before"  # as versions took it that knew neither layouts nor bounds: for their runs
LAYOUTS = ("auto", *AXES, VECTOR, BEFORE)


@dataclass(frozen=True)
class Layout:
    """How one picture of an observation lies in its array, and what its numbers mean."""

    axes: str  # one of AXES
    shape: tuple[int, ...]
    low: float  # of its numbers: what becomes 0
    high: float  # what becomes 255

    def __post_init__(self) -> None:
        fits = len(self.shape) == len(self.axes)
        check(fits, "env.layout", self.axes, f"as many letters as {self.shape} has axes: {', '.join(LAYOUTS[:-1])}")
        check(self.length("c") in (1, 3, 4), "env.layout", self.axes, f"1, 3 or 4 colours ('c'), and {self.shape} has {self.length('c')}")  # fmt: skip
        check(-np.inf < self.low < self.high < np.inf, "env.layout", self.axes, f"pictures with finite bounds, alike for all pixels, not {self.low} to {self.high}")  # fmt: skip

    def length(self, axis: str) -> int:
        return self.shape[self.axes.index(axis)] if axis in self.axes else 1

    @property
    def is_stacked(self) -> bool:
        """Whether the environment stacks its pictures itself."""
        return "s" in self.axes

    @property
    def colours(self) -> int:
        """Of one picture as the network may see it: 1 or 3."""
        return 1 if self.length("c") == 1 else 3

    @property
    def is_bytes(self) -> bool:
        """Whether its numbers are bytes already."""
        return (self.low, self.high) == (0, 255)

    def space(self, colour: bool) -> spaces.Box:
        """Of what `pictures` gives."""
        height, width, colours = (
            self.length("h"),
            self.length("w"),
            self.colours if colour or not self.is_stacked else 1,
        )
        planes = (self.length("s") * colours,) if self.is_stacked else (colours,) if "c" in self.axes else ()
        return spaces.Box(0, 255, (height, width, *planes), np.uint8)

    def pictures(self, array: np.ndarray, colour: bool) -> np.ndarray:
        """Bytes (H, W), (H, W, C), or of stacked pictures (H, W, S * C): grey unless `colour`, as nothing after this can tell them apart."""
        found = self.as_bytes(array)
        if self.axes in ("hw", "hwc", "chw"):
            found = np.moveaxis(found, 0, -1) if self.axes == "chw" else found
            return np.ascontiguousarray(found[..., : self.colours] if "c" in self.axes else found)
        order = [self.axes.index(axis) for axis in "hws"]
        if "c" not in self.axes:
            return np.ascontiguousarray(found.transpose(order))
        found = found.transpose([*order, self.axes.index("c")])[..., : self.colours]
        if not colour and self.colours == 3:
            return np.sum(found * GREY, axis=-1).astype(np.uint8)
        return np.ascontiguousarray(found.reshape(*found.shape[:2], -1))

    def as_bytes(self, array: np.ndarray) -> np.ndarray:
        if self.is_bytes and array.dtype == np.uint8:
            return array
        shares = (array.astype(np.float64) - self.low) / (self.high - self.low)
        return np.clip(np.rint(255 * shares), 0, 255).astype(np.uint8)


def bounds(space: spaces.Space) -> tuple[float, float]:
    """The bounds that all numbers of a Box share; NaN where they have different ones."""
    if isinstance(space, spaces.MultiBinary):
        return 0.0, 1.0
    assert isinstance(space, spaces.Box)
    low, high = float(space.low.flat[0]), float(space.high.flat[0])
    alike = bool((space.low == low).all() and (space.high == high).all())
    return (low, high) if alike else (np.nan, np.nan)


def may_be(space: spaces.Space) -> bool:
    """Whether an array may be a picture at all: it has two long sides."""
    is_array = isinstance(space, spaces.Box | spaces.MultiBinary) and space.shape is not None
    return is_array and sum(side >= SMALLEST for side in space.shape or ()) >= 2


def looks_like(space: spaces.Space) -> bool:
    """Whether it is most likely one: it has the numbers of pixels, or more than two axes."""
    if not may_be(space):
        return False
    pixels = space.dtype == np.uint8 or bounds(space) in ((0, 1), (0, 255))
    return pixels or len(space.shape or ()) > 2


def layout_of(space: spaces.Space, wanted: str, where: str) -> Layout | None:
    """The layout of a part of an observation; None: it is no picture.

    Args:
        wanted: `env.layout`, one of LAYOUTS.
        where: what part of which environment it is, in words.

    Raises:
        InputError: it may be a picture, and it takes the setting to say which.
    """
    if wanted == BEFORE:
        return layout_before(space)
    if wanted == VECTOR:
        return None
    if wanted != "auto":
        fits = isinstance(space, spaces.Box | spaces.MultiBinary) and len(space.shape) == len(wanted)
        return Layout(wanted, space.shape, *bounds(space)) if fits else None  # type: ignore[arg-type]
    if not may_be(space):
        return None
    assert space.shape is not None
    axes, likely = guess(space)
    if not axes:
        fitting = [axes for axes in AXES if len(axes) == len(space.shape)]
        raise InputError(f"{where} has the shape {space.shape}, which may be {likely}; allowed: --env.layout {', '.join([*fitting, VECTOR])}")  # fmt: skip
    low, high = bounds(space)
    if not -np.inf < low < high < np.inf:
        raise InputError(f"{where} looks like a picture of shape {space.shape} without finite bounds; allowed: bounds such as 0 to 255 or 0 to 1, or --env.layout {VECTOR} to learn from plain numbers")  # fmt: skip
    return Layout(axes, space.shape, low, high)


def guess(space: spaces.Space) -> tuple[str, str]:
    """The axes of what looks like a picture, or none and what it may be in words."""
    shape = space.shape or ()
    long = "".join("x" if side >= SMALLEST else "." for side in shape)
    if long == "xx":
        return ("hw", "") if space.dtype == np.uint8 else ("", "a grey picture (hw) or a table of numbers (vector)")
    if long == "xx.":
        if shape[2] == 4:
            return "", "colours with an alpha (hwc) or four stacked pictures (hws)"
        return ("hwc" if shape[2] in (1, 3) else "hws"), ""
    if long == ".xx":
        return ("chw" if shape[0] in (1, 3) else "shw"), ""
    if long == ".xx." and shape[3] in (1, 3, 4):
        return "shwc", ""
    if long == "..xx" and shape[1] in (1, 3, 4):
        return "schw", ""
    return "", "a picture"


def layout_before(space: spaces.Space) -> Layout | None:
    """What earlier versions took for a picture: uint8, (H, W) or (H, W, 1 or 3), both sides long."""
    if not isinstance(space, spaces.Box) or space.dtype != np.uint8 or len(space.shape) not in (2, 3):
        return None
    known = min(space.shape[:2]) >= SMALLEST and (len(space.shape) == 2 or space.shape[2] in (1, 3))
    return Layout("hwc"[: len(space.shape)], space.shape, 0, 255) if known else None
