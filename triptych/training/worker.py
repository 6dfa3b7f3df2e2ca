"""One of A3C's workers: it plays a rollout and takes the gradient of the loss on the weights that it has."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from triptych.envs import Games
from triptych.frameworks import Learner
from triptych.recipes import Recipe
from triptych.spec.weights import Weights
from triptych.training.base import Choice
from triptych.training.on_policy import OnPolicy
from triptych.utils.state import State


class Gradient(NamedTuple):
    """What a worker's rollout came to."""

    version: int  # updates behind the weights that played it, at which it was taken
    started: int  # steps of the run when these were handed out: where the schedules are read
    tensors: Weights  # by neutral name
    scalars: dict[str, Any]  # what the loss reports


class Worker(OnPolicy):
    """Games, a memory's state, a rollout and random numbers of its own. Who applies its gradients hands weights out to it.

    The first one draws what a run of A2C draws.

    Args:
        learner: plays and takes the gradient; it takes no step of its own. Workers that take turns may share one, since the
            weights that a worker has are loaded when its rollout begins.
        number: from 0.
        life: names one that takes the place of another, and draws otherwise.
    """

    def __init__(self, recipe: Recipe, games: Games, learner: Learner, number: int, life: str = ""):
        self.number, self.life = number, life
        self.weights: Weights | None = None  # those that it has; None: those of the learner, as they are
        self.version, self.handed_at = 0, 0  # updates behind them, and steps of the run when they were handed out
        super().__init__(recipe, games, learner)

    def stream(self, name: str) -> str:
        if not (self.number or self.life):
            return name
        return "/".join(filter(None, (f"worker-{self.number}", self.life, name)))

    def take(self, weights: Weights | None, version: int, steps: int) -> None:
        """Weights for the rollouts from now on, the updates behind them, and the run's steps."""
        self.weights, self.version, self.handed_at = weights, version, steps

    def load(self) -> None:
        """Makes its weights those of its learner."""
        if self.weights is not None:
            self.learner.set_weights(self.weights)

    def select_actions(self) -> Choice:
        if not self.rollout.filled:
            self.load()
        return super().select_actions()

    def frozen_now(self) -> tuple[str, ...]:
        """As they are: the run's learner says when frozen layers thaw."""
        return self.learner.frozen

    @property
    def steps_of_run(self) -> int:
        return self.handed_at

    def update_after_step(self) -> list[dict[str, Any]]:
        """Nothing: a full rollout waits for `gradient`."""
        return []

    def gradient(self) -> Gradient | None:
        """Of the full rollout, which is empty then; None: it was of episodes' last observations alone."""
        for batch in self.batches():
            tensors, scalars = self.learner.gradients(batch)
            return Gradient(self.version, self.rollout_start, tensors, scalars)
        return None

    def try_gradient(self) -> Weights:
        """Calls once, on zeros, what a rollout calls: a framework compiles it then. Nothing that is kept of it changes."""
        self.agent.act(self.obs, self.state, self.started)
        tensors, _ = self.learner.gradients(self.taught(self.example()))
        return tensors

    def learner_state(self) -> dict[str, np.ndarray]:
        return {f"online/{name}": tensor for name, tensor in (self.weights or {}).items()}

    def set_learner(self, arrays: dict[str, np.ndarray]) -> None:
        self.weights = {name.removeprefix("online/"): tensor for name, tensor in arrays.items()} or None

    def get_state(self, here: bool = False, torn: bool = False) -> State:
        own = {"version": self.version, "handed_at": self.handed_at, "rollout_start": self.rollout_start}
        state = super().get_state(here, torn)
        return state._replace(json=state.json | own)

    def set_state(self, state: State) -> None:
        super().set_state(state)
        for name in ("version", "handed_at", "rollout_start"):
            setattr(self, name, state.json[name])
