"""Faults of how actions are chosen: epsilon, the policy, tests."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from triptych.checkup.faults.base import Maker, fault
from triptych.training import off_policy, on_policy
from triptych.training.agent import Agent
from triptych.training.off_policy import OffPolicy
from triptych.utils.patching import Patch, around

EPSILON = "epsilon wrong"
MODES = "evaluation explores, or training is greedy"
WORST = "the worst action taken"


def at_step(other: Callable[[Any], int]) -> list[Patch]:
    """Epsilon is read at another step than the run's: `other(training)`."""

    def make(keep: Any) -> Any:
        def select_actions(self: Any) -> Any:
            steps = self.counters.steps
            self.counters.steps = other(self)
            choice = keep(self)
            self.counters.steps = steps
            return choice

        return select_actions

    return [around(OffPolicy, "select_actions", make)]


@fault(EPSILON, "cartpole")
def epsilon_never_falls(framework: str) -> list[Patch]:
    """Epsilon stays where it begins."""
    return at_step(lambda training: 0)


@fault(EPSILON, "cartpole")
def epsilon_rises(framework: str) -> list[Patch]:
    """Epsilon rises where it should fall."""
    return at_step(lambda training: max(500, 2_500 - training.counters.steps))


@fault(EPSILON, "cartpole")
def epsilon_restarts_with_each_episode(framework: str) -> list[Patch]:
    """Epsilon is read at the step of the episode, not of the run."""
    return at_step(lambda training: min(training.counters.steps, 500 + int(training.episode_length[0])))


@fault(EPSILON, "cartpole")
def epsilon_at_its_floor(framework: str) -> list[Patch]:
    """Epsilon is at its floor from the first step on."""
    return at_step(lambda training: 10**9)


@fault(EPSILON, "cartpole", warm_up=0, algorithm__learn_from=500, algorithm__epsilon_steps=40)
def epsilon_falls_at_once(framework: str) -> list[Patch]:
    """The schedule reaches its floor within 40 steps, before anything is learned."""
    return []


@fault(EPSILON, "cartpole")
def schedule_of_epsilon_constant(framework: str) -> list[Patch]:
    """The schedule itself never falls."""
    from triptych.algorithms import dqn

    return [Patch(dqn, "linear_schedule", lambda step, start, end, steps: start)]


@fault(MODES, "cartpole")
def training_is_greedy(framework: str) -> list[Patch]:
    """No action of the training is drawn by chance."""

    def make(keep: Any) -> Any:
        def select_actions(self: Any) -> Any:
            choice = keep(self)
            values, _ = self.agent.act(self.obs, self.state, self.started)
            return choice._replace(actions=np.argmax(values, axis=1))

        return select_actions

    return [around(OffPolicy, "select_actions", make)]


@fault(MODES, "cartpole-ppo")
def policy_not_drawn_from(framework: str) -> list[Patch]:
    """The most likely action is taken each time."""

    def make(keep: Any) -> Any:
        def draw(logits: Any, rng: Any) -> Any:
            _, log_prob = keep(logits, rng)
            return np.argmax(logits, axis=1), log_prob

        return draw

    return [around(on_policy, "draw", make)]


@fault(MODES, "cartpole")
def evaluation_explores(framework: str) -> list[Patch]:
    """Half of the actions of test games are drawn by chance."""

    def make(keep: Any) -> Any:
        def drawing_from(self: Any, rng: Any) -> Any:
            other = keep(self, rng)
            other.epsilon = 0.5
            return other

        return drawing_from

    return [around(Agent, "drawing_from", make)]


class Least(SimpleNamespace):
    """NumPy whose largest is the smallest."""


@fault(WORST, "cartpole")
def worst_action_taken(framework: str) -> list[Patch]:
    """The greedy action is the one of the least value."""
    return [Patch(off_policy, "np", Least(**{**vars(np), "argmax": np.argmin}))]


def choosing(change: Callable[[Any], dict[str, Any]]) -> Maker:
    """`select_actions` whose choice has other fields."""

    def make(keep: Any) -> Any:
        def select_actions(self: Any) -> Any:
            choice = keep(self)
            return choice._replace(**change(choice))

        return select_actions

    return make


@fault("action or entropy collapse; KL jump", "cartpole")
def always_the_same_action(framework: str) -> list[Patch]:
    """Whatever the values are, the first action is taken."""
    return [around(OffPolicy, "select_actions", choosing(lambda choice: {"actions": 0 * choice.actions}))]
