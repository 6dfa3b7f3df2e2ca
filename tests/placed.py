"""A small world with places: what was shown at a corner must be remembered at the middle."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from triptych.algorithms import ALGORITHMS
from triptych.envs import EnvConfig
from triptych.recipes import Recipe
from triptych.spec import Adam, Conv, Dense, Flatten, NeuralMap

SIDE, STEPS, PIXELS = 5, 12, 40  # places each way; steps of an episode; pixels of the picture, each way
ID = "tests.placed:test/Placed-v0"
MOVES = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))  # x, y


class Placed(gymnasium.Env):
    """An agent walks over SIDE x SIDE places; the picture shows it and, at the first step, a goal, which pays 1 at each visit.

    Args:
        told: where x and y are told: "part" (`position`), "gps" (`gps`, of whole numbers), "numbers" (beside a vector, without a picture),
            "info" (`info["place"]`) or "nowhere".
        strays: the step of each episode at which the position told is outside the bounds; None: never.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 8}  # noqa: RUF012

    def __init__(self, told: str = "part", strays: int | None = None, render_mode: str | None = None):
        self.told, self.strays, self.render_mode = told, strays, render_mode
        picture = spaces.Box(0, 255, (PIXELS, PIXELS), np.uint8)
        position = spaces.Box(0, SIDE - 1, (2,), np.float32)
        self.observation_space = {
            "part": spaces.Dict({"image": picture, "position": position}),
            "gps": spaces.Dict({"image": picture, "gps": spaces.MultiDiscrete([SIDE, SIDE])}),
            "numbers": spaces.Dict({"goal": spaces.Box(0, SIDE, (2,), np.float32), "position": position}),
        }.get(told, picture)
        self.action_space = spaces.Discrete(len(MOVES))

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict]:
        super().reset(seed=seed)
        self.time = 0
        self.at, self.goal = self.np_random.integers(SIDE, size=2), self.np_random.integers(SIDE, size=2)
        return self.seen()

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict]:
        self.at = np.clip(self.at + MOVES[int(action)], 0, SIDE - 1)
        self.time += 1
        obs, info = self.seen()
        return obs, float((self.at == self.goal).all()), False, self.time == STEPS, info

    def seen(self) -> tuple[Any, dict[str, Any]]:
        picture = np.zeros((PIXELS, PIXELS), np.uint8)
        for (x, y), light in ((self.goal, 120 * (self.time == 0)), (self.at, 250)):
            picture[8 * y : 8 * y + 8, 8 * x : 8 * x + 8] = light
        where = self.at + SIDE * (self.time == self.strays)
        beside: dict[str, Any] = {
            "part": {"image": picture, "position": where.astype(np.float32)},
            "gps": {"image": picture, "gps": where},
            "numbers": {"goal": np.float32(self.goal * (self.time == 0)), "position": np.float32(where)},
        }
        return beside.get(self.told, picture), {"place": where} if self.told == "info" else {}

    def render(self) -> np.ndarray:
        picture = self.seen()[0]
        return np.repeat((picture["image"] if isinstance(picture, dict) else picture)[..., None], 3, axis=2)


gymnasium.register(ID.partition(":")[2], entry_point=Placed)

SETTINGS: dict[str, dict[str, Any]] = {
    "drqn": {"batch_size": 4, "warm_up": 60, "update_every": 4, "replay_size": 1_000, "epsilon_steps": 300}
    | {"target_every": (100, "steps"), "sequence_length": 6, "burn_in": 2, "stored_state": True},
    "a2c": {"rollout_steps": 5},
    "ppo": {"rollout_steps": 8, "minibatches": 2, "epochs": 2},
}


def make_recipe(algorithm: str, steps: int = 200, told: str = "part", **settings: Any) -> Recipe:
    """A recipe of the world, its network a convolution, a layer and a map."""
    env = EnvConfig(ID, size=None, stack=1, position="position", kwargs=f'{{"told": "{told}"}}')
    body = (Conv(4, 8, 8), Flatten(), Dense(16), NeuralMap(**{"size": 5, "channels": 6} | settings))
    config = ALGORITHMS[algorithm].config(**SETTINGS[algorithm])
    return Recipe(env, body, config, Adam(learning_rate=1e-3), steps, num_envs=4, threads=1, log_every=100)
