"""Any Gymnasium id with a discrete action space: N games one after the other, in NEXT_STEP order."""

from __future__ import annotations

import json
import os
import warnings
from dataclasses import dataclass
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces, wrappers

from triptych.envs.config import Kind, Screen
from triptych.envs.games import Step
from triptych.spec import Observation
from triptych.utils.checks import InputError, at_least, check

SMALLEST_PICTURE = 32  # pixels a side; smaller uint8 grids are symbols, and are flattened


@dataclass(frozen=True)
class Gym(Screen):
    """Any Gymnasium id that no other kind plays."""

    kind: ClassVar[str] = "gym"

    time_limit: int | None = None  # steps after which an episode is cut; None: what the id says, 0: never
    render: bool = False  # observe the rendered screen instead of what the environment gives
    kwargs: str = "{}"  # what else the id's maker takes, as JSON: '{"memory_length": 50}'

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, 0, "time_limit")
        self.arguments()

    def arguments(self) -> dict[str, Any]:
        """`kwargs` as Python has them."""
        try:
            found = json.loads(self.kwargs)
        except (TypeError, ValueError):
            found = None
        check(isinstance(found, dict), "kwargs", self.kwargs, """names and values as JSON, such as '{"length": 50}'""")
        return found


def plays(spec: Any) -> bool:
    return True


def is_picture(space: spaces.Space) -> bool:
    """Grey or colour screens: uint8, (H, W) or (H, W, 1 or 3)."""
    if not isinstance(space, spaces.Box) or space.dtype != np.uint8 or len(space.shape) not in (2, 3):
        return False
    return min(space.shape[:2]) >= SMALLEST_PICTURE and (len(space.shape) == 2 or space.shape[2] in (1, 3))


def make_one(config: Gym, spec: Any) -> gymnasium.Env:
    """One game whose observations are a picture, as the config says, or a flat vector.

    Raises:
        InputError: it cannot be made, or its spaces do not fit.
    """
    options = config.arguments()
    if config.render:
        options["render_mode"] = "rgb_array"
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")  # pygame draws into memory and looks for no display
    if config.time_limit is not None:
        options["max_episode_steps"] = config.time_limit or -1  # Gymnasium's way to say never
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            env = gymnasium.make(spec, disable_env_checker=True, **options)
        if config.render:
            if "rgb_array" not in env.metadata.get("render_modes", []):
                raise gymnasium.error.Error("it does not draw itself (no render mode rgb_array)")
            env = wrappers.AddRenderObservation(env, render_only=True)
    except Exception as error:  # whatever its maker raises at arguments that it does not like
        told = [*str(error).splitlines(), ""][0]
        raise InputError(f"env is {config.id!r}, which cannot be made: {type(error).__name__} {told}") from None
    if not isinstance(env.action_space, spaces.Discrete):
        raise InputError(f"env is {config.id!r} with action space {env.action_space}; allowed: a Discrete one")
    try:
        return picture(env, config) if is_picture(env.observation_space) else wrappers.FlattenObservation(env)
    except InputError:
        raise
    except gymnasium.error.DependencyNotInstalled as error:
        hint = "pip install 'triptych[pixels]'"
        raise InputError(f"env is {config.id!r}: its pictures need {hint} ({str(error).splitlines()[0]})") from None
    except (NotImplementedError, ValueError, TypeError, AssertionError):
        space = env.observation_space
        raise InputError(
            f"env is {config.id!r} with observations {space}; allowed: pictures, vectors, choices"
        ) from None


def picture(env: gymnasium.Env, config: Gym) -> gymnasium.Env:
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


class GymGames:
    """N games of one Gymnasium id. Pictures are stacked here."""

    saves = False
    frames_per_step = 1

    def __init__(self, config: Gym, spec: Any, num_envs: int, threads: int):
        self.envs = [make_one(config, spec) for _ in range(num_envs)]
        self.num_envs = num_envs
        space = self.envs[0].observation_space
        assert space.shape is not None
        self.stacked, self.fill = len(space.shape) >= 2, config.fill
        dtype = "uint8" if space.dtype == np.uint8 else "float64" if space.dtype == np.float64 else "float32"
        self.observation = Observation((config.stack, *space.shape) if self.stacked else space.shape, dtype)
        action_space = self.envs[0].action_space
        assert isinstance(action_space, spaces.Discrete)
        self.num_actions = int(action_space.n)
        self.first_action = int(action_space.start)
        self.typical_episode = config.time_limit or spec.max_episode_steps or 500
        self.obs = np.zeros((num_envs, *self.observation.shape), dtype)
        self.ended = np.zeros(num_envs, bool)
        self.actions = np.zeros(num_envs, np.int64)

    def see(self, index: int, obs: np.ndarray, first: bool) -> None:
        if not self.stacked:
            self.obs[index] = obs
            return
        before = obs if self.fill == "first" else np.zeros_like(obs)
        self.obs[index, :-1] = before if first else self.obs[index, 1:]
        self.obs[index, -1] = obs

    def reset(self, seeds: np.ndarray) -> np.ndarray:
        for index, (env, seed) in enumerate(zip(self.envs, seeds, strict=True)):
            self.see(index, env.reset(seed=int(seed))[0], first=True)
        self.ended[:] = False
        return self.obs.copy()

    def send(self, actions: np.ndarray) -> None:
        self.actions = np.asarray(actions) + self.first_action

    def recv(self) -> Step:
        reward = np.zeros(self.num_envs)
        terminated, truncated = np.zeros((2, self.num_envs), bool)
        for index, env in enumerate(self.envs):
            if self.ended[index]:
                self.see(index, env.reset()[0], first=True)
            else:
                obs, reward[index], terminated[index], truncated[index], _ = env.step(int(self.actions[index]))
                self.see(index, obs, first=False)
        self.ended = terminated | truncated
        return Step(self.obs.copy(), reward, terminated, truncated)

    def get_state(self) -> dict[str, Any]:
        raise RuntimeError("this game cannot be saved; a checkpoint cuts it")

    def set_state(self, state: dict[str, Any]) -> None:
        raise RuntimeError("this game cannot be saved; a checkpoint cuts it")

    def close(self) -> None:
        for env in self.envs:
            env.close()


KIND = Kind(Gym, plays, GymGames)
