"""A game of one's own: a walk through a room of 5 x 5 fields to its goal, learned with DQN.

    triptych train own_environment.py

Anything that Gymnasium can register is a game. Observations are vectors or pictures, actions numbers from 0.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

import triptych

SIDE, LONGEST = 5, 50
MOVES = np.array([(0, 1), (1, 0), (0, -1), (-1, 0)])


class Room(gymnasium.Env):
    """The walker starts anywhere but at the goal. A step costs 0.1, the goal brings 1 and ends the episode."""

    observation_space = gymnasium.spaces.Box(-1.0, 1.0, (4,), np.float32)
    action_space = gymnasium.spaces.Discrete(len(MOVES))

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)  # makes self.np_random of it: draw from nothing else, and runs can be repeated
        walker, goal = self.np_random.choice(SIDE * SIDE, 2, replace=False)
        self.walker, self.goal = (np.array(divmod(place, SIDE)) for place in (walker, goal))
        return self.seen(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.walker = np.clip(self.walker + MOVES[action], 0, SIDE - 1)
        there = bool((self.walker == self.goal).all())
        return self.seen(), 1.0 if there else -0.1, there, False, {}

    def seen(self) -> np.ndarray:
        """Both places, from -1 to 1."""
        return (np.concatenate([self.walker, self.goal]) / (SIDE - 1) * 2 - 1).astype(np.float32)


gymnasium.register("mine/Room-v0", Room, max_episode_steps=LONGEST)

# The settings of the recipe `cartpole` on the new game: what DQN wants here is much the same.
changes = {"env": "mine/Room-v0", "steps": 20_000, "algorithm.delta": 1.0, "algorithm.gamma": 0.95}
recipe = triptych.override(triptych.load_recipe("cartpole"), changes)
