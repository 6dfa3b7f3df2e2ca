"""Faults of the loop: what is handed over of a step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from triptych.checkup.faults.base import Maker, fault, rolled
from triptych.checkup.faults.exploring import choosing
from triptych.training.off_policy import OffPolicy
from triptych.training.on_policy import OnPolicy
from triptych.training.playing import Playing
from triptych.utils.patching import Patch, around

ENDS = "truncation taken for termination; next observation from the next episode"
REWARD = "reward handed to the store one step off"
ACTION = "actions permuted between acting and learning"
RESTART = "a restart counted as an action; a lost life not handed over"


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


@fault("an episode's score is another game's", "repeat-previous")
def scores_of_the_neighbour(framework: str) -> list[Patch]:
    """An episode is logged with the rewards of another game."""

    def make(keep: Any) -> Any:
        return lambda self, rewards, mask: keep(self, rolled(rewards), mask)

    return [around(Playing, "count_episodes", make)]
