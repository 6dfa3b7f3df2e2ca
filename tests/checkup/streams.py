"""A run of hand: as much of one as monitors look at, and streams of steps to play to them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from triptych.checkup.monitors.base import Monitor
from triptych.envs import Step
from triptych.recipes import Recipe, load_recipe
from triptych.recipes.override import override
from triptych.spec import Observation
from triptych.spec.batches import Transition
from triptych.training.counting import Counters, Episode

QUICK: dict[str, Any] = {"steps": 50_000, "num_envs": 4, "warm_up": 0}
SHAPE = (3,)


class Learner:
    """Weights that a test moves, and a linear network."""

    precision = "float32"

    def __init__(self) -> None:
        self.online = {"dense_1/kernel": np.zeros((3, 8), np.float32), "dense_2/kernel": np.zeros((8, 2), np.float32)}
        self.target = {name: tensor.copy() for name, tensor in self.online.items()}

    def get_state(self) -> dict[str, np.ndarray]:
        parts = (("online", self.online), ("target", self.target))
        return {f"{part}/{name}": tensor.copy() for part, some in parts for name, tensor in some.items()}

    def act(self, obs: np.ndarray, state: Any = None, reset: Any = None) -> tuple[np.ndarray, Any]:
        return obs[:, :2].astype(np.float32), None

    def to_device(self, array: np.ndarray) -> np.ndarray:
        return array.copy()

    def to_numpy(self, array: np.ndarray) -> np.ndarray:
        return np.asarray(array)

    def move(self, by: float = 0.1) -> None:
        """An update: every weight changes."""
        for tensor in self.online.values():
            tensor += by


class Agent:
    """Gives observations to the learner as they are."""

    def __init__(self, learner: Learner):
        self.learner = learner

    def taken(self, obs: Any, state: Any, started: Any) -> tuple[Any, ...]:
        return (obs,)


class Made:
    """A run; `found` asks a monitor what looks wrong in it."""

    def __init__(self, recipe: str | Recipe = "cartpole", path: Path | None = None, **changes: Any):
        known = override(load_recipe(recipe), changes) if isinstance(recipe, str) else recipe
        self.recipe, self.counters, self.path = known, Counters(), path
        self.failure: Exception | None = None
        self.stopped_by = ""
        games = known.num_envs
        self.learner = Learner()
        self.agent = Agent(self.learner)
        observation = Observation(SHAPE, "float32")
        self.games = SimpleNamespace(num_actions=2, num_envs=games, typical_episode=500, observation=observation)
        self.player = SimpleNamespace(
            ended=np.zeros(games, bool), learner=self.learner, games=self.games, obs=np.eye(games, 3)
        )
        self.training: Any = SimpleNamespace(
            players=lambda: [self.player],
            games=self.games,
            learner=self.learner,
            frozen_now=lambda: (),
            replay=range(10_000),
        )

    def weights(self) -> dict[str, np.ndarray]:
        return {name: tensor.copy() for name, tensor in self.learner.online.items()}

    def found(self, monitor: Monitor) -> list[str]:
        """The names of the signals that a monitor has now."""
        return [finding.signal.name for finding in monitor.judge(self)]  # type: ignore[arg-type]

    def begun(self, monitor: Any) -> Any:
        """A monitor that this run has begun with."""
        monitor.begin(self)
        return monitor

    @property
    def size(self) -> int:
        return self.recipe.num_envs

    def step(self, monitor: Any, episodes: int = 0) -> None:
        """A step of every game has been counted."""
        self.counters.steps += self.size
        ended = [Episode(1, 1.0, 10, 1.0, 1.0)] * episodes
        monitor.step(self, SimpleNamespace(episodes=ended))


def answered(obs: Any, reward: float | np.ndarray = 0.0, ended: Any = False, games: int = 4) -> Step:
    """What games answer."""
    rewards = np.broadcast_to(np.asarray(reward, np.float64), games).copy()
    ends = np.broadcast_to(np.asarray(ended, bool), games).copy()
    return Step(obs, rewards, ends, np.zeros(games, bool))


def transitions(rng: np.random.Generator, count: int = 32, reward: float | None = None) -> Transition:
    obs, after = rng.standard_normal((2, count, *SHAPE)).astype(np.float32)
    rewards = rng.integers(0, 2, count).astype(np.float32) if reward is None else np.full(count, reward, np.float32)
    ones = np.ones(count, np.float32)
    return Transition(obs, rng.integers(0, 2, count).astype(np.int32), rewards, 0.99 * ones, after, ones)
