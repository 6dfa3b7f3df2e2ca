"""Faults of what is learned: updates that are not made, weights that do not move, targets, numbers that explode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from triptych.checkup.faults.base import Maker, fault, learner, native
from triptych.recipes import Recipe
from triptych.training import agent
from triptych.training.off_policy import OffPolicy
from triptych.training.on_policy import OnPolicy
from triptych.utils.patching import Patch, around

NEVER = "replay never trains"
STILL = "weights do not move"
UNSET = "target never initialised"
TARGET = "target is the online network, or is never or always copied"
COLLAPSE = "action or entropy collapse; KL jump"
INFINITE = "not a number, exploding gradient"


@fault(NEVER, "cartpole", warm_up=1_000_000)
def warm_up_beyond_the_run(framework: str) -> list[Patch]:
    """The warm-up is longer than the run."""
    return []


@fault(NEVER, "cartpole-cut", algorithm__learn_from=500)
def learning_waits_for_more_than_is_kept(framework: str) -> list[Patch]:
    """Updates wait for more transitions than the replay ever holds, counted one too few."""
    return [around(OffPolicy, "config", lambda keep: property(lambda self: Waiting(keep.fget(self))))]


class Waiting:
    """Settings whose updates never begin."""

    def __init__(self, config: Any):
        self.__dict__.update(vars(config))
        self.own = config

    def learns(self, step: int, stored: int) -> bool:
        return stored > self.own.replay_size

    def __getattr__(self, name: str) -> Any:
        return getattr(self.own, name)


@fault(NEVER, "cartpole")
def updates_never_reached(framework: str) -> list[Patch]:
    """The code of the update is never reached."""
    return [Patch(OffPolicy, "update_while_playing", lambda self: [])]


@fault(NEVER, "cartpole")
def updates_too_rare(framework: str) -> list[Patch]:
    """One update of ten is made."""

    def make(keep: Any) -> Any:
        def observe(self: Any, choice: Any, step: Any, mask: np.ndarray) -> None:
            before = self.counters.credit
            keep(self, choice, step, mask)
            self.counters.credit = before + 0.1 * (self.counters.credit - before)

        return observe

    return [around(OffPolicy, "observe", make)]


@fault(NEVER, "cartpole-ppo")
def rollouts_never_learned_from(framework: str) -> list[Patch]:
    """Each rollout is thrown away when it is full."""

    def update_after_step(self: Any) -> list[Any]:
        if self.rollout.full:
            self.rollout.filled = 0
        return []

    return [Patch(OnPolicy, "update_after_step", update_after_step)]


@fault(STILL, "cartpole")
def optimiser_not_tied(framework: str) -> list[Patch]:
    """The optimiser does not move the network's own weights."""
    return native(framework).optimiser_not_tied()


@fault(STILL, "cartpole")
def gradient_cut(framework: str) -> list[Patch]:
    """No gradient passes below the head."""
    return native(framework).gradient_cut()


@fault(STILL, "cartpole")
def layer_frozen(framework: str) -> list[Patch]:
    """The first layer has no gradient."""
    return native(framework).layer_frozen("dense_1")


@fault(STILL, "cartpole-ppo")
def layer_frozen_in_ppo(framework: str) -> list[Patch]:
    """The second layer has no gradient."""
    return native(framework).layer_frozen("dense_2")


@fault(STILL, "cartpole")
def learning_rate_zero(framework: str) -> list[Patch]:
    """The rate that reaches the optimiser is 0."""
    return [Patch(Recipe, "learning_rate", lambda self, step: 0.0)]


@fault(STILL, "cartpole-a2c")
def learning_rate_zero_in_a2c(framework: str) -> list[Patch]:
    """The rate that reaches the optimiser is 0."""
    return [Patch(Recipe, "learning_rate", lambda self, step: 0.0)]


def state_changed(change: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]) -> Maker:
    """`make_learner` whose learner begins in another state."""

    def make(keep: Any) -> Any:
        def make_learner(*given: Any, **named: Any) -> Any:
            made = keep(*given, **named)
            made.set_state(change(made.get_state()))
            return made

        return make_learner

    return make


@fault(UNSET, "cartpole")
def target_never_initialised(framework: str) -> list[Patch]:
    """The target begins with weights of its own."""
    rng = np.random.default_rng(5)

    def other(state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        drawn = {k: a.std() * rng.standard_normal(a.shape).astype(a.dtype) for k, a in state.items()}
        return state | {key: drawn[key] for key in state if key.startswith("target/")}

    from triptych.training import build

    return [around(build, "make_learner", state_changed(other))]


@fault(TARGET, "cartpole")
def target_never_copied(framework: str) -> list[Patch]:
    """After the first copy the target stays as it is."""

    def make(keep: Any) -> Any:
        def sync_target(self: Any) -> None:
            if not hasattr(self, "copied"):
                self.copied = True
                keep(self)

        return sync_target

    return [around(learner(framework), "sync_target", make)]


@fault(TARGET, "cartpole")
def target_always_copied(framework: str) -> list[Patch]:
    """The target follows each update."""

    def make(keep: Any) -> Any:
        def update(self: Any, *given: Any) -> Any:
            answer = keep(self, *given)
            self.sync_target()
            return answer

        return update

    return [around(learner(framework), "update", make)]


@fault(TARGET, "cartpole")
def target_is_online(framework: str) -> list[Patch]:
    """Target and online network are one."""
    return native(framework).target_is_online()


@fault(TARGET, "cartpole")
def target_copied_too_rarely(framework: str) -> list[Patch]:
    """The target is copied at every fifth period."""

    def make(keep: Any) -> Any:
        def update_after_step(self: Any) -> Any:
            periods = self.counters.target_periods
            own = type(self.learner).sync_target
            if (periods + 1) % 5:
                self.learner.sync_target = lambda: None
            answer = keep(self)
            vars(self.learner).pop("sync_target", None)
            assert type(self.learner).sync_target is own
            return answer

        return update_after_step

    return [around(OffPolicy, "update_after_step", make)]


@fault(COLLAPSE, "cartpole-ppo", optimiser__learning_rate=0.3)
def learning_rate_too_large(framework: str) -> list[Patch]:
    """Three hundred times the learning rate: the policy jumps."""
    return []


@fault("Q over its bound", "cartpole", optimiser__learning_rate=0.1)
def learning_rate_too_large_for_q(framework: str) -> list[Patch]:
    """Two hundred times the learning rate: values run away."""
    return []


def fed_otherwise(change: Callable[[Any, int], Any]) -> Maker:
    """`update` of another batch: `change(batch, updates so far)`."""

    def make(keep: Any) -> Any:
        def update(self: Any, batch: Any, rate: float) -> Any:
            self.updates_seen = getattr(self, "updates_seen", -1) + 1
            return keep(self, change(batch, self.updates_seen), rate)

        return update

    return make


@fault(INFINITE, "cartpole")
def not_a_number(framework: str) -> list[Patch]:
    """After 400 updates a reward is not a number any more."""
    spoil = fed_otherwise(lambda batch, count: batch._replace(reward=batch.reward * (np.nan if count > 400 else 1)))
    return [around(learner(framework), "update", spoil)]


@fault(INFINITE, "cartpole")
def exploding_gradient(framework: str) -> list[Patch]:
    """From the 300th update on gradients are a million times as large."""
    spoil = fed_otherwise(lambda batch, count: batch._replace(weight=batch.weight * (1e6 if count > 300 else 1)))
    return [around(learner(framework), "update", spoil)]


@fault("dead or dormant units", "cartpole")
def dead_units(framework: str) -> list[Patch]:
    """The first layer's biases begin far below 0, so that no unit is ever alive."""

    def make(keep: Any) -> Any:
        def initial_weights(*given: Any) -> Any:
            weights = keep(*given)
            return weights | {"dense_1/bias": weights["dense_1/bias"] - 10}

        return initial_weights

    return [around(agent, "initial_weights", make)]


@fault("acting with the target", "cartpole")
def acting_with_the_target(framework: str) -> list[Patch]:
    """The target network chooses the actions."""
    return native(framework).acting_with_the_target()
