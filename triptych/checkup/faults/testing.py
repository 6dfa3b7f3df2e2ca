"""Faults of test games: other weights than the run's, a memory that is not empty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from triptych.checkup.faults.base import fault
from triptych.training import agent
from triptych.training.agent import Agent
from triptych.training.callbacks.evaluation import Evaluation
from triptych.utils.patching import Patch, around

OTHER = "test games with other weights, or a memory"
Weights = dict[str, np.ndarray]


def tested_with(weights_of: Callable[[Any, Weights], Weights]) -> list[Patch]:
    """Test games are played with the weights that `weights_of` makes of the run and its own."""

    def make(keep: Any) -> Any:
        def play(self: Any, run: Any) -> Any:
            own = run.training.learner.get_weights()
            run.training.learner.set_weights(weights_of(run, own))
            score = keep(self, run)
            run.training.learner.set_weights(own)
            return score

        return play

    return [around(Evaluation, "play", make)]


@fault(OTHER, "cartpole", evaluate_every=1_950)  # the target is a copy of some steps ago then
def tests_with_the_target(framework: str) -> list[Patch]:
    """Test games are played with the target's weights."""

    def weights(run: Any, own: Weights) -> Weights:
        state = run.training.learner.get_state()
        return {name: state[f"target/{name}"] for name in own}

    return tested_with(weights)


@fault(OTHER, "cartpole-ppo")
def tests_without_one_layer(framework: str) -> list[Patch]:
    """In test games one layer has its first weights again."""
    first: Weights = {}

    def make(keep: Any) -> Any:
        def initial_weights(*given: Any) -> Weights:
            first.update(keep(*given))
            return dict(first)

        return initial_weights

    restored = tested_with(lambda run, own: own | {"dense_1/kernel": first["dense_1/kernel"]})
    return [around(agent, "initial_weights", make), *restored]


@fault(OTHER, "repeat-previous")
def tests_begin_with_a_state(framework: str) -> list[Patch]:
    """Test games begin with a memory that is not empty, and are never told where they begin."""

    def make(keep: Any) -> Any:
        def predict(self: Any, observation: Any, state: Any = None, starts: Any = None, *given: Any) -> Any:
            if state is None:
                state = np.full((len(observation), self.state_size), 0.5, self.learner.precision)
            return keep(self, observation, state, None, *given)

        return predict

    return [around(Agent, "predict", make)]


class Stale:
    """A learner that answers with weights of an earlier moment."""

    def __init__(self, own: Any):
        self.own, self.weights = own, own.get_weights()

    def act(self, *given: Any) -> Any:
        now = self.own.get_weights()
        self.own.set_weights(self.weights)
        try:
            return type(self.own).act(self.own, *given)
        finally:
            self.own.set_weights(now)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.own, name)


@fault(OTHER, "cartpole")
def tests_with_an_old_copy(framework: str) -> list[Patch]:
    """Test games are played by a copy of the network that was made at the first test."""
    copies: list[Stale] = []

    def make(keep: Any) -> Any:
        def drawing_from(self: Any, rng: Any) -> Any:
            other = keep(self, rng)
            copies[:] = copies or [Stale(self.learner)]
            other.learner = copies[0]
            return other

        return drawing_from

    return [around(Agent, "drawing_from", make)]
