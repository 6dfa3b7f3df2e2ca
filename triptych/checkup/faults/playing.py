"""Faults of the loop: how actions are chosen, and what is handed over of a step."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from triptych.checkup.faults.base import Maker, fault, rolled
from triptych.training import off_policy, on_policy
from triptych.training.agent import Agent
from triptych.training.off_policy import OffPolicy
from triptych.training.on_policy import OnPolicy
from triptych.training.playing import Playing
from triptych.utils.patching import Patch, around

EPSILON = "epsilon wrong"
MODES = "evaluation explores, or training is greedy"
ENDS = "truncation taken for termination; next observation from the next episode"
REWARD = "reward handed to the store one step off"
ACTION = "actions permuted between acting and learning"
STATE = "states permuted across games, late, or a start not told"
RECURRENT = "recurrent state wrong"
RESTART = "a restart counted as an action; a lost life not handed over"
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


def keeping(change: Callable[[Any, Any, np.ndarray], tuple[Any, Any, np.ndarray]]) -> Maker:
    """`observe` of another choice, step and mask."""

    def make(keep: Any) -> Any:
        return lambda self, choice, step, mask: keep(self, *change(choice, step, mask))

    return make


def looking(name: str, change: Callable[[Any, Any, Any], Any]) -> Maker:
    """`observe` while an attribute of the training is another one, worked out from training, choice and step."""

    def make(keep: Any) -> Any:
        def observe(self: Any, choice: Any, step: Any, mask: np.ndarray) -> None:
            before = getattr(self, name)
            setattr(self, name, change(self, choice, step))
            keep(self, choice, step, mask)
            setattr(self, name, before)

        return observe

    return make


def observing(kind: Any, change: Callable[[Any, Any, np.ndarray], tuple[Any, Any, np.ndarray]]) -> list[Patch]:
    return [around(kind, "observe", keeping(change))]


def cut_is_end(choice: Any, step: Any, mask: np.ndarray) -> tuple[Any, Any, np.ndarray]:
    return choice, step._replace(terminated=step.terminated | step.truncated), mask


def end_is_cut(choice: Any, step: Any, mask: np.ndarray) -> tuple[Any, Any, np.ndarray]:
    return choice, step._replace(terminated=step.terminated & False, truncated=step.terminated | step.truncated), mask


def reset_for_last(self: Any, choice: Any, step: Any) -> Any:
    """Where an episode has ended, the observation after it."""
    return np.where(self.ended.reshape(-1, *[1] * (self.obs.ndim - 1)), step.obs, self.obs)


@fault(ENDS, "cartpole-cut")
def truncation_is_termination(framework: str) -> list[Patch]:
    """An episode that was cut counts as one that ended."""
    return observing(OffPolicy, cut_is_end)


@fault(ENDS, "cartpole-ppo")
def truncation_is_termination_in_rollouts(framework: str) -> list[Patch]:
    """An episode that was cut counts as one that ended."""
    return observing(OnPolicy, cut_is_end)


@fault(ENDS, "cartpole")
def termination_is_truncation(framework: str) -> list[Patch]:
    """An episode that ended counts as one that was cut."""
    return observing(OffPolicy, end_is_cut)


@fault(ENDS, "cartpole")
def next_observation_of_the_next_episode(framework: str) -> list[Patch]:
    """The last observation of an episode is the first of the next one."""
    return [around(OffPolicy, "observe", looking("obs", reset_for_last))]


@fault(ENDS, "cartpole-a2c")
def next_observation_of_the_next_episode_in_rollouts(framework: str) -> list[Patch]:
    """The last observation of an episode is the first of the next one."""
    return [around(OnPolicy, "observe", looking("obs", reset_for_last))]


def late(keep: Any) -> Any:
    """`observe` with the reward of the step before."""
    last: list[np.ndarray] = []

    def observe(self: Any, choice: Any, step: Any, mask: np.ndarray) -> None:
        last.append(step.reward)
        keep(self, choice, step._replace(reward=last[max(0, len(last) - 2)]), mask)
        del last[:-1]

    return observe


@fault(REWARD, "cartpole-cut")
def reward_one_step_late(framework: str) -> list[Patch]:
    """A step is stored with the reward of the one before."""
    return [around(OffPolicy, "observe", late)]


@fault(REWARD, "repeat-previous")
def reward_one_step_late_in_sequences(framework: str) -> list[Patch]:
    """A step is stored with the reward of the one before."""
    return [around(OffPolicy, "observe", late)]


@fault(REWARD, "memory-chain-ppo")
def reward_one_step_late_in_rollouts(framework: str) -> list[Patch]:
    """A step is kept with the reward of the one before."""
    return [around(OnPolicy, "observe", late)]


@fault(REWARD, "repeat-previous")
def reward_of_the_neighbour(framework: str) -> list[Patch]:
    """A game's step is stored with the reward of another game."""
    return observing(OffPolicy, lambda choice, step, mask: (choice, step._replace(reward=rolled(step.reward)), mask))


@fault(ACTION, "cartpole")
def actions_of_the_neighbour(framework: str) -> list[Patch]:
    """A game's step is stored with the action of another game."""
    return observing(
        OffPolicy, lambda choice, step, mask: (choice._replace(actions=rolled(choice.actions)), step, mask)
    )


@fault(ACTION, "cartpole-ppo")
def actions_of_the_neighbour_in_rollouts(framework: str) -> list[Patch]:
    """A game's step is kept with the action of another game."""
    return observing(OnPolicy, lambda choice, step, mask: (choice._replace(actions=rolled(choice.actions)), step, mask))


@fault(ACTION, "cartpole")
def actions_turned_round(framework: str) -> list[Patch]:
    """Actions are numbered otherwise when they are stored."""
    return observing(OffPolicy, lambda choice, step, mask: (choice._replace(actions=1 - choice.actions), step, mask))


@fault(ACTION, "cartpole")
def actions_sent_to_the_neighbour(framework: str) -> list[Patch]:
    """What was chosen for one game is played in another."""
    return [around(OffPolicy, "select_actions", choosing(lambda choice: {"actions": rolled(choice.actions)}))]


@fault(ACTION, "cartpole-a2c")
def values_of_the_neighbour(framework: str) -> list[Patch]:
    """A game's action is kept with the value of another game."""
    return [around(OnPolicy, "select_actions", choosing(lambda choice: {"value": rolled(choice.value)}))]


@fault(STATE, "repeat-previous")
def states_of_the_neighbour_stored(framework: str) -> list[Patch]:
    """A game's state is stored as another game's."""
    return [around(OffPolicy, "observe", looking("state", lambda self, choice, step: rolled(self.state)))]


@fault(STATE, "repeat-previous")
def states_stored_one_step_late(framework: str) -> list[Patch]:
    """The state after a step is stored as the one before it."""
    return [around(OffPolicy, "observe", looking("state", lambda self, choice, step: choice.state))]


def acting(change: Callable[[Any, Any], tuple[Any, Any]]) -> list[Patch]:
    """`Agent.act` with another state and other starts."""

    def make(keep: Any) -> Any:
        def act(self: Any, obs: Any, state: Any = None, started: Any = None) -> Any:
            return keep(self, obs, *change(state, started))

        return act

    return [around(Agent, "act", make)]


def never_started(state: Any, started: Any) -> tuple[Any, Any]:
    return state, None


def always_started(state: Any, started: Any) -> tuple[Any, Any]:
    return state, None if started is None else np.ones_like(started)


def neighbours_state(state: Any, started: Any) -> tuple[Any, Any]:
    return None if state is None else rolled(state), started


@fault(RECURRENT, "repeat-previous")
def state_never_reset(framework: str) -> list[Patch]:
    """The memory goes on where an episode begins."""
    return acting(never_started)


@fault(RECURRENT, "memory-chain-ppo")
def state_never_reset_in_ppo(framework: str) -> list[Patch]:
    """The memory goes on where an episode begins."""
    return acting(never_started)


@fault(RECURRENT, "repeat-previous")
def state_reset_each_step(framework: str) -> list[Patch]:
    """The memory is empty at each step that is played."""
    return acting(always_started)


@fault(RECURRENT, "memory-chain-ppo")
def state_reset_each_step_in_ppo(framework: str) -> list[Patch]:
    """The memory is empty at each step that is played."""
    return acting(always_started)


@fault(RECURRENT, "repeat-previous")
def state_leaks_between_games(framework: str) -> list[Patch]:
    """A game is played with the memory of another game."""
    return acting(neighbours_state)


@fault(STATE, "memory-chain-ppo")
def no_rollout_begins(framework: str) -> list[Patch]:
    """The rollout is never told where an episode begins."""
    return [around(OnPolicy, "observe", looking("started", lambda self, choice, step: 0 * self.started))]


@fault(RESTART, "cartpole")
def restart_is_an_action(framework: str) -> list[Patch]:
    """The step in which a game restarts is stored as an action."""
    return observing(OffPolicy, lambda choice, step, mask: (choice, step, np.ones_like(mask)))


@fault(RESTART, "cartpole-a2c")
def restart_is_an_action_in_rollouts(framework: str) -> list[Patch]:
    """The step in which a game restarts is kept as an action."""
    return observing(OnPolicy, lambda choice, step, mask: (choice, step, np.ones_like(mask)))


@fault(RESTART, "breakout-short")
def lost_life_not_handed_over(framework: str) -> list[Patch]:
    """Lives fall, and the store is not told."""
    return observing(OffPolicy, lambda choice, step, mask: (choice, step._replace(lost_life=None), mask))


@fault(RESTART, "cartpole")
def restarts_count_in_the_length(framework: str) -> list[Patch]:
    """The step in which a game restarts counts in its episode's length."""

    def make(keep: Any) -> Any:
        return lambda self, rewards, mask: keep(self, rewards, np.ones_like(mask))

    return [around(Playing, "count_episodes", make)]
