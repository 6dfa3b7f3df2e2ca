"""Stacks of pictures that games make themselves, begun anew where the games know nothing of a new beginning."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from triptych.spec import Observation, parts_of, whole_of


class Stacks:
    """How many pictures of each game's stack belong to what is seen now; the older ones are replaced by what fills a stack.

    Behind a broken step learning begins anew, and a store puts the stack together from there on. What is acted on must be
    the same.

    Args:
        observation: of the games; without a picture in it nothing is changed.
        num_envs: N.
        fill: what stands in a stack before its first picture (`Screen.fill`).
    """

    def __init__(self, observation: Observation, num_envs: int, fill: Literal["zeros", "first"]):
        self.observation, self.fill = observation, fill
        self.height = observation.main.stack
        self.seen = np.full(num_envs, self.height)  # [N] pictures since the new beginning, at most the whole stack

    def reset(self) -> None:
        """All games begin, and fill their stacks themselves."""
        self.seen[:] = self.height

    def step(self, restarted: np.ndarray, anew: np.ndarray) -> None:
        """Counts the picture of a step.

        Args:
            restarted: [N] bool, the game began an episode, and has filled its stack itself.
            anew: [N] bool, the stack begins with this picture, which the game does not know.
        """
        self.seen = np.minimum(self.seen + 1, self.height)
        self.seen[restarted] = self.height
        self.seen[anew] = 1

    def shown(self, obs: Any) -> Any:
        """The observations [N, ...] with nothing from before the new beginnings; those given stay as they are."""
        if (self.seen == self.height).all():
            return obs
        parts = dict(parts_of(obs))
        name = self.observation.main_name
        parts[name] = parts[name].copy()
        for game, seen in enumerate(self.seen):
            pictures, older = parts[name][game], self.height - seen
            pictures[:older] = pictures[older] if self.fill == "first" else 0
        return whole_of(parts)
