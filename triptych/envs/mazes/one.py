"""A maze as a Gymnasium environment, for other libraries."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from triptych.envs.mazes.games import GoalSearch, GoalSearchGames, space_of
from triptych.spec import each


class OneMaze(gymnasium.Env):
    """One game. The info tells whether the right goal was found (`solved`).

    Args:
        game: which maze.
        config: its settings' type.
        render_mode: "rgb_array" draws the whole maze beside what the agent sees.
        settings: of the config.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 8}  # noqa: RUF012

    def __init__(
        self, game: type[GoalSearchGames], config: type[GoalSearch], render_mode: str | None = None, **settings: Any
    ):
        pairs = {name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()}
        self.games = game(config("", **pairs), None, 1, 1)  # type: ignore[call-arg, arg-type]
        self.render_mode = render_mode
        self.observation_space = space_of(self.games)
        self.action_space = spaces.Discrete(self.games.num_actions)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return self.seen(self.games.reset(self.np_random.integers(2**31, size=1))), {"solved": False}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.games.send(np.array([action]))
        step = self.games.recv()
        reward = float(step.reward[0])
        return self.seen(step.obs), reward, bool(step.terminated[0]), bool(step.truncated[0]), {"solved": reward > 0}

    def seen(self, obs: Any) -> Any:
        """The observation of the one game; its picture is no stack."""
        return each(lambda part: part[0, 0] if part.ndim > 2 else part[0], obs)

    def render(self) -> np.ndarray:
        return np.asarray(self.games.screens()[0])
