"""Where the agent is, as a part `position` of what is learned from: x and y, each from 0 to 1 between its bounds.

`env.position` names a part of the game's observation, or an entry of its info ("info.place").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
from gymnasium import spaces

from triptych.envs.members import leaves_of, wrong
from triptych.utils.checks import InputError, check

if TYPE_CHECKING:
    from triptych.envs.gym import Gym

POSITION = "position"  # what the part is called
REST = "features"  # what the other numbers are called, where none is a picture
INFO = "info."


class InfoPosition(gymnasium.Wrapper):
    """An environment whose observations hold a position too: an entry of its info.

    Args:
        name: of the entry: two numbers, x and y.
    """

    def __init__(self, env: gymnasium.Env, name: str):
        super().__init__(env)
        self.name, space = name, env.observation_space
        self.is_dict = isinstance(space, spaces.Dict)
        held = dict(space.spaces) if isinstance(space, spaces.Dict) else {"observation": space}
        allowed = f"{POSITION}, as its observation has such a part"
        check(POSITION not in held, "env.position", f"{INFO}{name}", allowed)
        self.observation_space = spaces.Dict({**held, POSITION: spaces.Box(-np.inf, np.inf, (2,), np.float64)})

    def reset(self, **options: Any) -> tuple[Any, dict[str, Any]]:
        obs, info = self.env.reset(**options)
        return self.beside(obs, info), info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        obs, reward, terminated, truncated, info = self.env.step(action)
        return self.beside(obs, info), reward, terminated, truncated, info

    def beside(self, obs: Any, info: dict[str, Any]) -> dict[str, Any]:
        try:
            position = np.asarray(info.get(self.name), np.float64)
        except (TypeError, ValueError):
            position = np.empty(0)
        if position.shape != (2,):
            raise wrong(f"info[{self.name!r}]", info.get(self.name), "x and y, two numbers")
        held = obs if self.is_dict else {"observation": obs}
        return {**held, POSITION: position}


class Place:
    """Reads the part that says where the agent is.

    Args:
        leaves: the parts of the observation's space, by name.
        config: which of them it is, and what its bounds are where its space has none.

    Raises:
        InputError: there is no such part, it is not x and y, or nothing says its bounds.
    """

    def __init__(self, leaves: dict[str, spaces.Space], config: Gym):
        wanted = config.position
        self.name = POSITION if wanted.startswith(INFO) else wanted
        named = ", ".join(filter(None, leaves))
        check(self.name in leaves, "env.position", wanted, f"{named + ', or ' if named else ''}info.NAME")
        space = leaves[self.name]
        if not isinstance(space, spaces.Box | spaces.MultiDiscrete) or space.shape != (2,):
            raise InputError(f"env.position is {wanted!r}, which is {space}; allowed: x and y, two numbers")
        others = len(leaves) > 1 and (self.name == POSITION or POSITION not in leaves)
        check(others, "env.position", wanted, f"a part beside others, none of which is called {POSITION}")
        if config.position_bounds:
            x_low, x_high, y_low, y_high = config.position_bounds
            self.low, self.high = np.array([x_low, y_low], float), np.array([x_high, y_high], float)
        elif isinstance(space, spaces.Box):
            self.low, self.high = space.low.astype(float), space.high.astype(float)
        else:
            self.low, self.high = space.start.astype(float), space.start + space.nvec - 1.0
        # What float32 makes of the bounds is within them: of a part its own numbers, in info often those of an array.
        narrow = space.dtype if isinstance(space, spaces.Box) and space.dtype.kind == "f" else np.dtype(float)  # type: ignore[union-attr]
        narrow = np.dtype("float32") if wanted.startswith(INFO) else narrow
        self.least = np.minimum(self.low, self.low.astype(narrow))
        self.most = np.maximum(self.high, self.high.astype(narrow))
        bounds = (float(self.low[0]), float(self.high[0]), float(self.low[1]), float(self.high[1]))
        bounded = np.isfinite(bounds).all() and np.abs(bounds).max() < 1e30 and (self.low < self.high).all()
        hint = "x from, x to, y from, y to, set by --env.position-bounds"
        check(bool(bounded), f"the bounds of {wanted} in {config.id}", bounds, hint)
        self.told = f"{bounds[0]:g} to {bounds[1]:g} and {bounds[2]:g} to {bounds[3]:g}"

    def check(self, space: spaces.Space, obs: Any) -> None:
        """Refuses a position outside its bounds.

        Raises:
            WrongError: says which, and what they are.
        """
        value = next(found for name, _, found in leaves_of(space, obs) if name == self.name)
        if not self.inside(value).all():
            raise wrong("its position", f"({value[0]:g}, {value[1]:g})", f"{self.told}, its bounds")

    def inside(self, value: Any) -> np.ndarray:
        """[2] whether x and y are within their bounds, but for rounding."""
        return np.asarray((value >= self.least) & (value <= self.most))

    def __call__(self, value: Any) -> np.ndarray:
        """x and y [2] from 0 to 1."""
        value = np.where(self.inside(value), np.clip(value, self.low, self.high), value)
        return np.asarray((value - self.low) / (self.high - self.low), np.float32)
