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
from triptych.training.on_policy import OnPolicy
from triptych.utils.patching import Patch, around

EPSILON = "epsilon wrong"
MODES = "evaluation explores, or training is greedy"
WORST = "the worst action taken"
CHANCE = "chance that is not drawn for each game and action"
ELSEWHERE = "acting on another observation"


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


class Otherwise:
    """A generator some of whose methods draw otherwise."""

    def __init__(self, rng: np.random.Generator, **methods: Any):
        self.rng = rng
        vars(self).update(methods)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rng, name)


def exploring_with(change: Callable[[np.random.Generator], Otherwise]) -> list[Patch]:
    """Actions are chosen with another generator."""

    def make(keep: Any) -> Any:
        def select_actions(self: Any) -> Any:
            own = self.rngs["explore"]
            self.rngs["explore"] = change(own)
            choice = keep(self)
            self.rngs["explore"] = own
            return choice

        return select_actions

    return [around(OffPolicy, "select_actions", make)]


@fault(CHANCE, "cartpole")
def chance_shared_by_all_games(framework: str) -> list[Patch]:
    """Whether chance acts is drawn once for all games."""
    return exploring_with(lambda rng: Otherwise(rng, random=lambda size: np.full(size, rng.random())))


@fault(CHANCE, "cartpole")
def chance_never_takes_the_last_action(framework: str) -> list[Patch]:
    """Random actions are drawn from all but the last one."""
    return exploring_with(lambda rng: Otherwise(rng, integers=lambda count, size: rng.integers(count - 1, size=size)))


def on_the_observation_before(kind: Any) -> list[Patch]:
    """The network is asked about what was shown one step before."""

    def make(keep: Any) -> Any:
        def select_actions(self: Any) -> Any:
            now = self.obs
            self.obs = getattr(self, "obs_before", now)
            choice = keep(self)
            self.obs, self.obs_before = now, np.array(now)
            return choice

        return select_actions

    return [around(kind, "select_actions", make)]


@fault(ELSEWHERE, "cartpole")
def acting_on_the_observation_before(framework: str) -> list[Patch]:
    """The network is asked about what was shown one step before."""
    return on_the_observation_before(OffPolicy)


@fault(ELSEWHERE, "cartpole-a2c")
def acting_on_the_observation_before_in_a2c(framework: str) -> list[Patch]:
    """The network is asked about what was shown one step before."""
    return on_the_observation_before(OnPolicy)


@fault(ELSEWHERE, "cartpole")
def acting_on_normalised_observations(framework: str) -> list[Patch]:
    """The network acts on observations less their running mean, and learns from them as they are."""
    mean, count = 0.0, 0

    def make(keep: Any) -> Any:
        def act(self: Any, obs: Any, *given: Any) -> Any:
            nonlocal mean, count
            count += 1
            mean = mean + (obs.mean(axis=0) - mean) / count
            return keep(self, (obs - mean).astype(obs.dtype), *given)

        return act

    return [around(Agent, "act", make)]
