"""Faults of what is kept and drawn: stacks, rings, returns, priorities, settings that are not the recipe's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from triptych.algorithms import a2c, dqn
from triptych.buffers import rollout
from triptych.buffers.outcomes import Outcomes
from triptych.buffers.store import Store
from triptych.checkup.faults.base import Maker, fault, rolled
from triptych.recipes.override import override
from triptych.training.off_policy import OffPolicy
from triptych.utils.patching import Patch, around

STACK = "frame stack crosses an episode; replay wraps at the write head"
SETTINGS = "what is learned from is not what the recipe says"
PRIORITIES = "priorities constant, importance weights 1"
HANDED = "priorities never handed over; beta left at its start"
RETURNS = "n-step returns wrong"


@fault(STACK, "space-invaders")
def stack_crosses_episodes(framework: str) -> list[Patch]:
    """A stack at an episode's start holds pictures of the one before."""

    def make(keep: Any) -> Any:
        def stack_of(self: Any, rows: np.ndarray, games: np.ndarray) -> Any:
            wanted = rows[:, None] - np.arange(self.stack - 1, -1, -1)
            return wanted, np.zeros(wanted.shape, bool)

        return stack_of

    return [around(Store, "stack_of", make)]


@fault(STACK, "cartpole-cut")
def replay_wraps_at_the_write_head(framework: str) -> list[Patch]:
    """What follows the newest row is the oldest one."""

    def startable(self: Any, rows: np.ndarray, games: np.ndarray, before: int = 0) -> np.ndarray:
        return self.mask[rows % self.rows, games]

    return [Patch(Store, "startable", startable)]


@fault(STACK, "cartpole")
def next_observation_is_the_same(framework: str) -> list[Patch]:
    """A sample's next observation is the one that it begins with."""

    def make(keep: Any) -> Any:
        return lambda self, rows, games, *ahead: keep(self, rows, games, *(0 * far for far in ahead))

    return [around(Store, "observations", make)]


def told(method: str, kind: Any = OffPolicy, **changes: Any) -> list[Patch]:
    """A method of a training that reads another recipe."""

    def make(keep: Any) -> Any:
        def method(self: Any, *given: Any) -> Any:
            own = self.recipe
            self.recipe = override(own, {f"algorithm.{name}": value for name, value in changes.items()})
            found = keep(self, *given)
            self.recipe = own
            return found

        return method

    return [around(kind, method, make)]


@fault(SETTINGS, "space-invaders")
def rewards_raw(framework: str) -> list[Patch]:
    """Raw rewards are learned from where the recipe wants their signs."""
    return told("make_buffer", reward="raw")


@fault(SETTINGS, "repeat-previous")
def rewards_clipped(framework: str) -> list[Patch]:
    """Signs are learned from where the recipe wants raw rewards."""
    return told("make_buffer", reward="sign")


@fault(SETTINGS, "cartpole")
def gamma_not_the_recipes(framework: str) -> list[Patch]:
    """Rewards are discounted by 0.9 where the recipe says 0.99."""
    return told("make_buffer", gamma=0.9)


@fault(SETTINGS, "cartpole-ppo")
def gamma_not_the_recipes_in_ppo(framework: str) -> list[Patch]:
    """Rewards are discounted by 0.9 where the recipe says more."""

    def make(keep: Any) -> Any:
        return lambda self, value, gamma, gae_lambda: keep(self, value, 0.9, gae_lambda)

    return [around(rollout.RolloutBuffer, "close", make)]


@fault(SETTINGS, "cartpole-switches")
def n_step_not_the_recipes(framework: str) -> list[Patch]:
    """Returns are of one step where the recipe says three."""
    return told("make_buffer", n_step=1)


@fault(SETTINGS, "repeat-previous")
def stored_state_ignored(framework: str) -> list[Patch]:
    """Sequences begin with zeros where the recipe wants the actor's state."""
    return told("make_buffer", stored_state=False)


@fault(SETTINGS, "cartpole-ppo")
def rewards_not_scaled(framework: str) -> list[Patch]:
    """Rewards are learned from as they are where the recipe scales them."""
    return [Patch(a2c.Config, "learned_reward", lambda self, reward: reward)]


@fault(SETTINGS, "breakout-short")
def life_loss_ignored(framework: str) -> list[Patch]:
    """A lost life is no loss where the recipe makes it one."""
    return told("make_buffer", life_loss_reward=None)


@fault(RETURNS, "cartpole-switches")
def gamma_not_raised(framework: str) -> list[Patch]:
    """What three steps later is worth is discounted by one step."""

    def make(keep: Any) -> Any:
        def returns(self: Any, *given: Any) -> Any:
            total, discount, ahead = keep(self, *given)
            return total, np.where(discount > 0, self.gamma, 0), ahead

        return returns

    return [around(Outcomes, "returns", make)]


@fault(RETURNS, "cartpole-cut")
def rewards_not_discounted(framework: str) -> list[Patch]:
    """The rewards of three steps are summed up undiscounted, past the episode's end."""

    def make(keep: Any) -> Any:
        def returns(self: Any, store: Any, rows: np.ndarray, games: np.ndarray) -> Any:
            _, discount, ahead = keep(self, store, rows, games)
            rewards = (self.reward_of(store, (rows + k) % store.rows, games) for k in range(self.n_step))
            return sum(rewards), discount, ahead

        return returns

    return [around(Outcomes, "returns", make)]


@fault(RETURNS, "repeat-previous")
def returns_begin_one_step_late(framework: str) -> list[Patch]:
    """A return begins with the reward after the one that followed the action."""

    def make(keep: Any) -> Any:
        return lambda self, store, slots, games: keep(self, store, (slots + 1) % store.rows, games)

    return [around(Outcomes, "reward_of", make)]


@fault(RETURNS, "cartpole-a2c")
def advantages_cross_episodes(framework: str) -> list[Patch]:
    """Advantages go on behind an episode's end."""

    def make(keep: Any) -> Any:
        return lambda reward, discount, last, value, decay: keep(
            reward, 0 * discount + decay, np.zeros_like(last), value, decay
        )

    return [around(rollout, "generalised_advantages", make)]


def replaying(method: str, change: Maker) -> list[Patch]:
    """A replay with another method."""

    def make(keep: Any) -> Any:
        def make_buffer(self: Any) -> None:
            keep(self)
            setattr(self.replay, method, change(getattr(self.replay, method)))

        return make_buffer

    return [around(OffPolicy, "make_buffer", make)]


@fault(PRIORITIES, "cartpole-switches")
def all_priorities_alike(framework: str) -> list[Patch]:
    """Samples are drawn with equal chance where the recipe wants priorities."""
    return told("make_buffer", alpha=0.0)


@fault(PRIORITIES, "cartpole-switches")
def importance_weights_one(framework: str) -> list[Patch]:
    """No sample's weight makes up for its chance."""

    def make(sample: Any) -> Any:
        def sampled(*given: Any) -> Any:
            batch = sample(*given)
            return batch._replace(weight=np.ones_like(batch.weight))

        return sampled

    return replaying("sample", make)


@fault(HANDED, "cartpole-switches")
def errors_never_handed_over(framework: str) -> list[Patch]:
    """The replay never hears of TD errors."""
    return replaying("learned", lambda learned: lambda td_error: None)


@fault(HANDED, "cartpole-switches")
def errors_of_the_neighbour(framework: str) -> list[Patch]:
    """A sample has the priority of another sample's error."""
    return replaying("learned", lambda learned: lambda td_error: learned(lambda: rolled(td_error())))


@fault(HANDED, "cartpole-switches")
def beta_left_at_its_start(framework: str) -> list[Patch]:
    """The correction of priorities never grows."""
    return [Patch(dqn.Config, "beta", lambda self, step: self.beta_start)]


def sampled_otherwise(change: Callable[[Any], Any]) -> list[Patch]:
    return replaying("sample", lambda sample: lambda *given: change(sample(*given)))


@fault("states permuted across games, late, or a start not told", "repeat-previous")
def no_sequence_begins(framework: str) -> list[Patch]:
    """A sequence is never told where its episode begins."""
    return sampled_otherwise(lambda batch: batch._replace(reset=np.zeros_like(batch.reset)))
