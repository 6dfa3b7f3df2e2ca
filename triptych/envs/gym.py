"""Any Gymnasium id with a discrete action space: N games one after the other, in NEXT_STEP order.

Observations are a picture, a vector, or (of Dict and Tuple spaces that show a picture) one picture beside vectors: see parts.py.
"""

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
from triptych.envs.parts import Parts, is_picture, leaves, picture
from triptych.spec import Observation, Part, each, parts_of, whole_of
from triptych.utils.checks import InputError, at_least, check
from triptych.utils.install import install_hint


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


def make_one(config: Gym, spec: Any) -> gymnasium.Env:
    """One game whose observations are a picture, as the config says, a flat vector, or a dict of one picture and vectors.

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
        return shown(env, config)
    except InputError:
        raise
    except gymnasium.error.DependencyNotInstalled as error:
        told = str(error).splitlines()[0]
        raise InputError(f"env is {config.id!r}: its pictures need {install_hint('pixels')} ({told})") from None
    except (NotImplementedError, ValueError, TypeError, AssertionError):
        space = env.observation_space
        raise InputError(
            f"env is {config.id!r} with observations {space}; allowed: pictures, vectors, choices, and Dict or Tuple of them"
        ) from None


def shown(env: gymnasium.Env, config: Gym) -> gymnasium.Env:
    """A game whose observations are what is learned from."""
    space = env.observation_space
    found = leaves(space)
    if not any(map(is_picture, found.values())):
        return wrappers.FlattenObservation(env)  # vectors alone are one vector
    return Parts(env, config) if list(found) != [""] else picture(env, config)


def part_of(space: spaces.Space, stack: int) -> Part:
    """A picture, stacked, or a vector, in the dtype that is kept of it."""
    assert space.shape is not None
    dtype = "uint8" if space.dtype == np.uint8 else "float64" if space.dtype == np.float64 else "float32"
    return Part((stack, *space.shape) if len(space.shape) >= 2 else space.shape, dtype)


class GymGames:
    """N games of one Gymnasium id. Pictures are stacked here."""

    saves = False
    frames_per_step = 1

    def __init__(self, config: Gym, spec: Any, num_envs: int, threads: int):
        self.envs = [make_one(config, spec) for _ in range(num_envs)]
        self.num_envs = num_envs
        parts = {name: part_of(space, config.stack) for name, space in leaves(self.envs[0].observation_space).items()}
        self.observation = Observation.of(parts)
        self.stacked, self.fill = self.observation.is_picture, config.fill
        action_space = self.envs[0].action_space
        assert isinstance(action_space, spaces.Discrete)
        self.num_actions = int(action_space.n)
        self.first_action = int(action_space.start)
        self.typical_episode = config.time_limit or spec.max_episode_steps or 500
        self.obs: Any = whole_of(
            {name: np.zeros((num_envs, *part.shape), part.dtype) for name, part in self.observation.named}
        )
        self.ended = np.zeros(num_envs, bool)
        self.actions = np.zeros(num_envs, np.int64)

    def see(self, index: int, obs: Any, first: bool) -> None:
        kept, new = parts_of(self.obs), parts_of(obs)
        for name, part in self.observation.named:
            if part.is_picture:
                self.stack(kept[name][index], new[name], first)
            else:
                kept[name][index] = new[name]

    def stack(self, pictures: np.ndarray, newest: np.ndarray, first: bool) -> None:
        """Moves the pictures [stack, ...] one on."""
        before = newest if self.fill == "first" else np.zeros_like(newest)
        pictures[:-1] = before if first else pictures[1:]
        pictures[-1] = newest

    def reset(self, seeds: np.ndarray) -> Any:
        for index, (env, seed) in enumerate(zip(self.envs, seeds, strict=True)):
            self.see(index, env.reset(seed=int(seed))[0], first=True)
        self.ended[:] = False
        return each(np.copy, self.obs)

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
        return Step(each(np.copy, self.obs), reward, terminated, truncated)

    def get_state(self) -> dict[str, Any]:
        raise RuntimeError("this game cannot be saved; a checkpoint cuts it")

    def set_state(self, state: dict[str, Any]) -> None:
        raise RuntimeError("this game cannot be saved; a checkpoint cuts it")

    def close(self) -> None:
        for env in self.envs:
            env.close()


KIND = Kind(Gym, plays, GymGames)
