"""What a game's observation space comes to: pictures, vectors, and the parts of Dict and Tuple spaces.

A part is a leaf of the space: of a Dict it has the name of its key, of a Tuple its number, of nested spaces both with a dot
between them ("hand.0"). A picture is cropped, made grey and resized as the config says; anything else becomes a vector
(a Discrete one-hot). Where no leaf is a picture, the whole space is one vector, as Gymnasium flattens it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces, wrappers

from triptych.envs.config import Screen
from triptych.utils.checks import InputError, check

SMALLEST_PICTURE = 32  # pixels a side; smaller uint8 grids are symbols, and are flattened


def is_picture(space: spaces.Space) -> bool:
    """Grey or colour screens: uint8, (H, W) or (H, W, 1 or 3)."""
    if not isinstance(space, spaces.Box) or space.dtype != np.uint8 or len(space.shape) not in (2, 3):
        return False
    return min(space.shape[:2]) >= SMALLEST_PICTURE and (len(space.shape) == 2 or space.shape[2] in (1, 3))


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


class Parts(gymnasium.ObservationWrapper):
    """Observations as a dict of one picture and vectors.

    Raises:
        InputError: there is more than one picture.
    """

    def __init__(self, env: gymnasium.Env, config: Screen):
        super().__init__(env)
        self.inner = env.observation_space
        found = leaves(self.inner)
        pictures = sorted(name for name, space in found.items() if is_picture(space))
        check(len(pictures) == 1, f"pictures in an observation of {config.id}", pictures, "one, beside vectors")
        self.shown: dict[str, gymnasium.Env] = {
            name: picture(Still(space), config) if is_picture(space) else wrappers.FlattenObservation(Still(space))
            for name, space in found.items()
        }
        spaces_shown = {name: part.observation_space for name, part in self.shown.items()}
        alone = len(spaces_shown) == 1
        self.observation_space = next(iter(spaces_shown.values())) if alone else spaces.Dict(spaces_shown)

    def observation(self, observation: Any) -> Any:
        held = zip(self.shown.items(), values(self.inner, observation), strict=True)
        found = {name: through(part, value) for (name, part), value in held}
        return found if len(found) > 1 else next(iter(found.values()))


def picture(env: gymnasium.Env, config: Screen) -> gymnasium.Env:
    """Crops, takes the colours away unless they are wanted, and resizes."""
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
    elif colours and not config.colour:
        env = wrappers.GrayscaleObservation(env)
    elif not colours and config.colour:
        raise InputError(f"colour is True, but the screen of {config.id!r} has none; allowed: False")
    return env if config.sides is None else wrappers.ResizeObservation(env, config.sides)
