"""A small game that shows a picture and numbers, and can be solved only with both."""

from __future__ import annotations

import dataclasses
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from triptych.algorithms import ALGORITHMS
from triptych.envs import EnvConfig
from triptych.recipes import Recipe
from triptych.spec import LSTM, Adam, Conv, Dense, Flatten

SIDE, STEPS = 36, 8  # pixels a side; steps of an episode
ID = "tests.picture_and_numbers:test/PictureAndNumbers-v0"


class PictureAndNumbers(gymnasium.Env):
    """A patch of light stands on the left or the right, the first of three numbers is -1 or 1; the action that earns 1, where
    the other loses 1, is 1 where the two agree (right, 1; or left, -1). New ones are drawn at each step.

    Args:
        form: what holds them: "dict" (`picture`, `numbers`), "tuple", or "nested" (a Dict of a Dict, a Tuple and a choice).
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 8}  # noqa: RUF012

    def __init__(self, form: str = "dict", render_mode: str | None = None):
        self.form, self.render_mode = form, render_mode
        picture = spaces.Box(0, 255, (SIDE, SIDE), np.uint8)
        numbers = spaces.Box(-2, 2, (3,), np.float32)
        self.observation_space: Any = {
            "dict": spaces.Dict({"picture": picture, "numbers": numbers}),
            "tuple": spaces.Tuple((numbers, picture)),
            "nested": spaces.Dict(
                {"seen": spaces.Dict({"screen": picture}), "felt": spaces.Tuple((numbers, spaces.Discrete(2)))}
            ),
        }[form]
        self.action_space = spaces.Discrete(2)

    def draw(self) -> Any:
        rng = self.np_random
        self.right, self.sign = int(rng.integers(2)), int(rng.integers(2))
        self.picture = rng.integers(40, size=(SIDE, SIDE), dtype=np.uint8)
        top = int(rng.integers(SIDE - 8))
        self.picture[top : top + 8, (26 if self.right else 2) :][:, :8] = 220
        numbers = np.array([2 * self.sign - 1, *rng.normal(scale=0.3, size=2)], np.float32)
        if self.form == "tuple":
            return numbers, self.picture
        if self.form == "nested":
            return {"seen": {"screen": self.picture}, "felt": (numbers, self.time % 2)}
        return {"picture": self.picture, "numbers": numbers}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict]:
        super().reset(seed=seed)
        self.time = 0
        return self.draw(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict]:
        reward = 1.0 if int(action) == (self.right == self.sign) else -1.0
        self.time += 1
        return self.draw(), reward, self.time == STEPS, False, {}

    def render(self) -> np.ndarray:
        return np.repeat(self.picture[..., None], 3, axis=2)


gymnasium.register(ID.partition(":")[2], entry_point=PictureAndNumbers)

BODY = (Conv(8, 8, 4, initialiser="orthogonal"), Flatten(), Dense(32, initialiser="orthogonal"))
SETTINGS: dict[str, dict[str, Any]] = {
    "dqn": {"batch_size": 16, "warm_up": 100, "update_every": 2, "replay_size": 2_000, "epsilon_steps": 300}
    | {"epsilon_end": 0.05, "target_every": (100, "steps"), "gamma": 0.0},
    "drqn": {"batch_size": 4, "warm_up": 100, "update_every": 4, "replay_size": 2_000, "epsilon_steps": 300}
    | {"epsilon_end": 0.05, "target_every": (100, "steps"), "gamma": 0.0, "sequence_length": 6, "burn_in": 2},
    "a2c": {"rollout_steps": 8, "gamma": 0.0},
    "ppo": {"rollout_steps": 16, "minibatches": 2, "gamma": 0.0},
    "a3c": {"rollout_steps": 8, "gamma": 0.0},
}


def make_recipe(algorithm: str, steps: int = 400, form: str = "dict", **changes: Any) -> Recipe:
    """A recipe of the game: PPO and DRQN with a memory."""
    memory = (LSTM(16),) if algorithm in ("drqn", "ppo") else ()
    env = EnvConfig(ID, size=None, stack=1, kwargs=f'{{"form": "{form}"}}')
    config = ALGORITHMS[algorithm].config(**SETTINGS[algorithm])
    recipe = Recipe(env, (*BODY, *memory), config, Adam(learning_rate=3e-3), steps, num_envs=4, threads=1)
    return dataclasses.replace(recipe, log_every=100, checkpoint_every=160, best_window=3, **changes)
