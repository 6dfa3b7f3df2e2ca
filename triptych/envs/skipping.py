"""An environment that is given each action several times, as one step: frame skip."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

from triptych.envs.members import flag_of, joined, leaves_of, number_of, taken


class FrameSkip(gymnasium.Wrapper):
    """Steps of several frames: the action is repeated, rewards are summed, and an episode's end ends the step.

    Args:
        env: the environment, a frame a step.
        frames: in a step.
        picture: the name of the part that becomes the larger of the step's last two frames, pixel by pixel; None: no part,
            all is as in the step's last frame.
    """

    def __init__(self, env: gymnasium.Env, frames: int, picture: str | None = None):
        super().__init__(env)
        self.frames, self.picture = frames, picture

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Takes the action in each frame.

        Raises:
            WrongError: a frame's reward, end or picture is not what it may be.
        """
        total, before = 0.0, None
        for left in reversed(range(self.frames)):
            obs, reward, terminated, truncated, info = self.env.step(action)
            total += number_of(reward)
            ends = flag_of(terminated, "terminated"), flag_of(truncated, "truncated")
            obs = obs if self.picture is None else taken(self.observation_space, obs)
            if left == 0 or any(ends):
                break
            if self.picture is not None:
                before = self.picture_of(obs)
        return obs if before is None else self.larger(before, obs), total, *ends, info

    def picture_of(self, obs: Any) -> np.ndarray:
        """A copy, as a game may draw each frame into the same array."""
        found = {name: array for name, _, array in leaves_of(self.observation_space, obs)}
        return np.array(found[self.picture or ""])

    def larger(self, before: np.ndarray, obs: Any, name: str = "") -> Any:
        """The observation with its picture made the larger of two frames."""
        if isinstance(obs, dict):
            return {key: self.larger(before, held, joined(name, key)) for key, held in obs.items()}
        if isinstance(obs, tuple):
            return tuple(self.larger(before, held, joined(name, index)) for index, held in enumerate(obs))
        return np.maximum(before, obs) if name == self.picture else obs
