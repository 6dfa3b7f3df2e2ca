"""One game as a Gymnasium environment, seen as an agent sees it: cropped, grey, stacked, in part."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from triptych.envs.games import Games
from triptych.spec import Observation, Part, each


class AsSeen(gymnasium.Env):
    """What `triptych.make_env` gives. Rewards are raw; the info tells of a number that was not finite (`not_finite`).

    Args:
        games: a set of one.
    """

    def __init__(self, games: Games):
        self.games = games
        self.observation_space = space_of(games.observation)
        self.action_space = spaces.Discrete(games.num_actions, start=games.first_action)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        own = self.np_random.integers(2**31 - 1) if seed is None else seed
        return each(first, self.games.reset(np.array([own]))), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.games.send(np.array([int(action) - self.games.first_action]))
        step = self.games.recv()
        info: dict[str, Any] = {} if step.lost_life is None else {"lost_life": bool(step.lost_life[0])}
        if step.trouble:
            info["not_finite"] = step.trouble[0]
        return each(first, step.obs), float(step.reward[0]), bool(step.terminated[0]), bool(step.truncated[0]), info

    def close(self) -> None:
        self.games.close()


def first(part: np.ndarray) -> np.ndarray:
    return part[0]


def space_of(observation: Observation) -> spaces.Space:
    """The Gymnasium space of an observation; of several parts a Dict."""
    if observation.is_several:
        return spaces.Dict({name: box(part) for name, part in observation.named})
    return box(observation.main)


def box(part: Part) -> spaces.Box:
    dtype = np.dtype(part.dtype)
    low, high = (0, 255) if dtype == np.uint8 else (-np.inf, np.inf)
    return spaces.Box(low, high, part.shape, dtype.type)
