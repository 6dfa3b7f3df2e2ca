"""What a game's observation space comes to: pictures, vectors, and the parts of Dict and Tuple spaces.

A part is a leaf of the space: of a Dict it has the name of its key, of a Tuple its number, of nested spaces both with a dot
between them ("hand.0"). A picture (see layout.py) is cropped, made grey and resized as the config says; anything else becomes
a vector (a Discrete one-hot). Where no leaf is a picture, the whole space is one vector, as Gymnasium flattens it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
from gymnasium import spaces, wrappers

from triptych.envs.layout import AXES, BEFORE, Layout, bounds, layout_of
from triptych.envs.places import POSITION, REST, Place
from triptych.spec import Observation, Part
from triptych.spec.observation import ONE
from triptych.utils.checks import InputError, check

if TYPE_CHECKING:
    from triptych.envs.gym import Gym


def children(space: spaces.Space) -> dict[str, spaces.Space] | None:
    """What a Dict or Tuple holds; None: it is neither."""
    if isinstance(space, spaces.Dict):
        return {str(key): child for key, child in space.spaces.items()}
    return {str(index): child for index, child in enumerate(space.spaces)} if isinstance(space, spaces.Tuple) else None


def leaves(space: spaces.Space, name: str = "") -> dict[str, spaces.Space]:
    """The parts of a space by name; what is neither Dict nor Tuple is one, whose name is empty."""
    held = children(space)
    if held is None:
        return {name: space}
    found: dict[str, spaces.Space] = {}
    for key, child in held.items():
        inside = leaves(child, f"{name}.{key}" if name else key)
        twice = sorted(found.keys() & inside.keys())
        check(not twice, "names in an observation space", twice, "each of them once")
        found |= inside
    return found


def values(space: spaces.Space, obs: Any) -> Iterator[Any]:
    """What an observation holds, in the order of `leaves`."""
    if isinstance(space, spaces.Dict):
        for key, child in space.spaces.items():
            yield from values(child, obs[key])
    elif isinstance(space, spaces.Tuple):
        for child, held in zip(space.spaces, obs, strict=True):
            yield from values(child, held)
    else:
        yield obs


class Still(gymnasium.Env):
    """A space without a game, for Gymnasium's wrappers to stand around."""

    def __init__(self, space: spaces.Space):
        self.observation_space = space


def through(env: gymnasium.Env, obs: Any) -> Any:
    """An observation as wrappers of observations show it."""
    return env.observation(through(env.env, obs)) if isinstance(env, gymnasium.ObservationWrapper) else obs


LEARNABLE = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)


class View:
    """What is learned from of a game's observations: one array, or a dict of one picture and vectors. Pictures are not stacked here.

    Args:
        space: the game's own.
        config: which parts are left out, how pictures are laid out, and what is made of them.

    Raises:
        InputError: a part cannot be learned from, there is more than one picture, or it takes a setting to tell what it is.
    """

    def __init__(self, space: spaces.Space, config: Gym):
        self.space, self.config = space, config
        found = kept_leaves(space, config)
        self.place = Place(found, config) if config.position else None
        if self.place is not None:
            found = {name: leaf for name, leaf in found.items() if name != self.place.name}
        laid = {name: layout_of(leaf, config.layout, where(name, config)) for name, leaf in found.items()}
        self.layouts = {name: layout for name, layout in laid.items() if layout is not None}
        hint = "one, beside vectors" + ("; leave others out with --env.drop NAME" if len(found) > 1 else "")
        check(len(self.layouts) < 2, f"pictures in an observation of {config.id}", sorted(self.layouts), hint)
        unsettled = config.layout not in AXES or self.layouts
        shapes = ", ".join(str(leaf.shape) for leaf in found.values())
        check(
            bool(unsettled), "env.layout", config.layout, f"one that fits the shape of what is seen ({shapes}), or auto"
        )
        self.names = list(leaves(space))
        self.whole: spaces.Space | None = None  # what is flattened to one vector, where nothing is a picture
        if self.layouts:
            self.shown = {
                name: picture(Still(leaf), config, self.layouts[name])
                if name in self.layouts
                else wrappers.FlattenObservation(Still(leaf))
                for name, leaf in found.items()
            }
        else:  # vectors alone are one vector, as Gymnasium flattens them
            self.whole = space if list(found) == self.names else spaces.Dict(found)
            self.shown = {ONE if self.place is None else REST: wrappers.FlattenObservation(Still(self.whole))}
        placed = {} if self.place is None else {POSITION: Part((2,), "float32", is_place=True)}
        self.observation = Observation.of({name: self.part(name) for name in self.shown} | placed)

    @property
    def is_stacked(self) -> bool:
        """Whether the game stacks its pictures itself, or shows planes: they are kept as they are."""
        return any(layout.is_stacked for layout in self.layouts.values())

    def part(self, name: str) -> Part:
        """A picture, stacked, or a vector, in the dtype that is kept of it."""
        space = self.shown[name].observation_space
        assert isinstance(space, spaces.Box)
        if name in self.layouts:
            return Part((1 if self.is_stacked else self.config.stack, *space.shape), "uint8")
        is_bytes = space.dtype == np.uint8 and (self.config.layout == BEFORE or bounds(space) == (0, 255))
        # Bytes are divided by 255 inside the network. Other small numbers are symbols: as they are, as floats would be.
        return Part(space.shape, "uint8" if is_bytes else "float64" if space.dtype == np.float64 else "float32")

    def __call__(self, obs: Any) -> Any:
        """Of an observation in the game's space: what is learned from, of pictures the newest."""
        if self.whole is self.space:  # nearly always
            return through(self.shown[ONE], obs)
        kept = dict(zip(self.names, values(self.space, obs), strict=True))
        if self.whole is not None:
            ((name, part),) = self.shown.items()
            seen = {name: through(part, {one: kept[one] for one in self.whole.spaces})}  # type: ignore[attr-defined]
        else:
            seen = {name: through(part, kept[name]) for name, part in self.shown.items()}
        if self.place is not None:
            seen[POSITION] = self.place(kept[self.place.name])
        return (
            {name: seen[name] for name, _ in self.observation.named}
            if self.observation.is_several
            else next(iter(seen.values()))
        )


def kept_leaves(space: spaces.Space, config: Gym) -> dict[str, spaces.Space]:
    """The parts that are learned from, by name."""
    found = leaves(space)
    kept = {name: leaf for name, leaf in found.items() if not any(name == one or name.startswith(f"{one}.") for one in config.drop)}  # fmt: skip
    unknown = [one for one in config.drop if not any(name == one or name.startswith(f"{one}.") for name in found)]
    names = ", ".join(found) if list(found) != [ONE] else "nothing, as its observation has no parts"
    check(not unknown, "env.drop", tuple(unknown), f"parts of an observation of {config.id}: {names}")
    check(bool(kept), "env.drop", config.drop, f"not all parts of an observation of {config.id}")
    for name, leaf in kept.items():
        if config.layout != BEFORE and not isinstance(leaf, LEARNABLE):
            hint = f"; leave it out with --env.drop {name}" if name and len(found) > 1 else ""
            raise InputError(f"{where(name, config)} is {type(leaf).__name__}, which cannot be learned from; allowed: pictures, vectors and choices{hint}")  # fmt: skip
    return kept


def where(name: str, config: Gym) -> str:
    return f"observation {name!r} of {config.id!r}" if name else f"the observation of {config.id!r}"


def picture(env: gymnasium.Env, config: Gym, layout: Layout) -> gymnasium.Env:
    """Lays a picture out as bytes (H, W) or (H, W, C), crops, takes the colours away unless they are wanted, and resizes."""
    if config.colour and layout.colours == 1:
        raise InputError(f"colour is True, but the screen of {config.id!r} has none; allowed: False")
    env = wrappers.TransformObservation(
        env, lambda found: layout.pictures(found, config.colour), layout.space(config.colour)
    )
    height, width, *colours = env.observation_space.shape or ()
    top, bottom, left, right = config.crop
    rows, columns = slice(int(height * top), int(height * bottom)), slice(int(width * left), int(width * right))
    empty = rows.start >= rows.stop or columns.start >= columns.stop
    if empty:
        raise InputError(
            f"crop is {config.crop}: it leaves nothing of {height} x {width} pixels; allowed: a larger part"
        )
    if config.crop != (0, 1, 0, 1):
        space = spaces.Box(0, 255, (rows.stop - rows.start, columns.stop - columns.start, *colours), np.uint8)
        env = wrappers.TransformObservation(env, lambda screen: screen[rows, columns], space)
    height, width, *colours = env.observation_space.shape or ()
    if colours == [1]:
        env = wrappers.ReshapeObservation(env, (height, width))
    elif colours and not config.colour and not layout.is_stacked:
        env = wrappers.TransformObservation(env, grey, spaces.Box(0, 255, (height, width), np.uint8))
    return env if config.sides is None else wrappers.ResizeObservation(env, config.sides)


RED, GREEN, BLUE = 0.2125, 0.7154, 0.0721


def grey(screen: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3) without its colours, (H, W): byte for byte what Gymnasium's GrayscaleObservation makes of it.

    Written out because the sum over an axis of three took longer than drawing the screen: CartPole's 1.6 ms, this 0.2.
    """
    bright = screen[..., 0] * RED + screen[..., 1] * GREEN + screen[..., 2] * BLUE
    return np.asarray(bright.astype(np.uint8))
