"""Faults of the losses: what is learned from a batch that is right."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

from triptych import algorithms
from triptych.algorithms import a2c, ppo
from triptych.checkup.faults.base import Maker, fault, native
from triptych.losses import value
from triptych.losses.value import loss_of_error
from triptych.utils.patching import Patch, around

SHAPES = "[B] against [B, 1] in the loss"
TD = "TD target wrong"
TERMS = "entropy or value term not in the gradient"
STRAY = "a gradient where none belongs"


def with_stops_open(xp: Any) -> Any:
    """Operations whose `stop_gradient` stops nothing."""
    return SimpleNamespace(**{**{name: getattr(xp, name) for name in xp.__all__}, "stop_gradient": lambda x: x})


@fault(SHAPES, "cartpole")
def td_error_broadcast(framework: str) -> list[Patch]:
    """Each target is held against each value of the batch: [B, B] errors."""

    def make_loss(config: Any) -> Any:
        def loss(xp: Any, online: Any, target: Any, batch: Any) -> Any:
            q = online(batch.obs)
            bootstrapped = xp.max(target(batch.next_obs), axis=1)
            aim = xp.stop_gradient(batch.reward + batch.discount * bootstrapped)
            error = aim[:, None] - xp.select(q, batch.action)[None, :]  # [B, B]
            td_error = xp.mean(error, axis=1)
            scalars = {"q_mean": xp.mean(xp.max(q, axis=1)), "td_error_mean": xp.mean(xp.abs(td_error))}
            return xp.mean(loss_of_error(xp, error, config.loss, config.delta)), (td_error, scalars)

        return loss

    return replaced_loss("dqn", lambda keep: make_loss)


@fault(SHAPES, "cartpole-a2c")
def advantage_broadcast(framework: str) -> list[Patch]:
    """Each advantage is held against each action of the rollout: the mean over [B, B] knows the mean advantage alone."""

    def make(keep: Any) -> Any:
        def evaluated(xp: Any, *given: Any) -> Any:
            found = keep(xp, *given)
            return found._replace(advantage=0 * found.advantage + xp.mean(found.advantage))

        return evaluated

    return [around(a2c, "evaluate_actions", make)]


def replaced_loss(kind: str, make: Maker) -> list[Patch]:
    """Another loss of an algorithm."""
    shipped = algorithms.ALGORITHMS[kind]
    changed = dataclasses.replace(shipped, make_loss=make(shipped.make_loss))
    return [Patch(algorithms, "ALGORITHMS", algorithms.ALGORITHMS | {kind: changed})]


def targets(change: Any) -> list[Patch]:
    """Other rewards, discounts or next values for both kinds of Q-learning: change(r, discount, q_t) gives them."""

    def make(keep: Any) -> Any:
        def learning(xp: Any, q: Any, action: Any, reward: Any, discount: Any, *after: Any) -> Any:
            reward, discount = change(reward, discount)
            return keep(xp, q, action, reward, discount, *after)

        return learning

    return [around(value, name, make) for name in ("q_learning", "double_q_learning")]


@fault(TD, "cartpole")
def td_target_of_the_wrong_sign(framework: str) -> list[Patch]:
    """What comes after is subtracted."""
    return targets(lambda reward, discount: (reward, -discount))


@fault(TD, "cartpole")
def td_target_without_mask(framework: str) -> list[Patch]:
    """What comes after an episode's end counts too."""
    return targets(lambda reward, discount: (reward, 0 * discount + 0.99))


@fault(TD, "cartpole")
def td_target_without_discount(framework: str) -> list[Patch]:
    """Nothing that comes after counts."""
    return targets(lambda reward, discount: (reward, 0 * discount))


@fault("Q over its bound", "cartpole")
def discount_above_one(framework: str) -> list[Patch]:
    """What comes after counts more than what comes now."""
    return targets(lambda reward, discount: (reward, 1.2 * discount))


@fault("double Q-learning with one network", "cartpole")
def double_q_with_one_network(framework: str) -> list[Patch]:
    """The same network chooses the next action and values it."""

    def make(keep: Any) -> Any:
        return lambda xp, *given: keep(xp, *given[:-1], given[-2])

    return [around(value, "double_q_learning", make)]


@fault("frameworks drift apart", "cartpole")
def huber_turns_early(framework: str) -> list[Patch]:
    """The Huber loss turns at a fiftieth of its delta."""
    return [around(value, "huber", lambda keep: lambda xp, error, delta: keep(xp, error, 0.02 * delta))]


@fault("dueling mean over the batch", "cartpole-switches")
def dueling_mean_over_the_batch(framework: str) -> list[Patch]:
    """The advantages' mean is taken over batch and actions."""
    return native(framework).dueling_mean_over_the_batch()


def stopped(keep: Any) -> Any:
    """The same number, and no gradient."""
    return lambda xp, *given: xp.stop_gradient(keep(xp, *given))


@fault(TERMS, "cartpole-a2c")
def entropy_not_in_the_gradient(framework: str) -> list[Patch]:
    """The entropy's weight has no effect."""
    return [around(a2c, "entropy", stopped)]


@fault(TERMS, "cartpole-ppo")
def entropy_not_in_the_gradient_of_ppo(framework: str) -> list[Patch]:
    """The entropy's weight has no effect."""
    return [around(ppo, "entropy", stopped)]


@fault(TERMS, "cartpole-a2c")
def value_not_in_the_gradient(framework: str) -> list[Patch]:
    """The value's loss is reported and not descended."""
    return [around(a2c, "loss_of_error", stopped)]


@fault(TERMS, "cartpole-ppo")
def value_not_in_the_gradient_of_ppo(framework: str) -> list[Patch]:
    """The value's loss is reported and not descended."""
    return [around(ppo, "loss_of_error", stopped)]


@fault(TERMS, "cartpole-a2c")
def policy_not_in_the_gradient(framework: str) -> list[Patch]:
    """The policy's loss is reported and not descended."""

    def make(keep: Any) -> Any:
        def evaluated(xp: Any, *given: Any) -> Any:
            found = keep(xp, *given)
            return found._replace(taken=xp.stop_gradient(found.taken))

        return evaluated

    return [around(a2c, "evaluate_actions", make)]


@fault("action or entropy collapse; KL jump", "cartpole-a2c")
def entropy_punished(framework: str) -> list[Patch]:
    """The entropy's bonus has the wrong sign, and weighs more."""

    def make(keep: Any) -> Any:
        return lambda parts, value_weight, entropy_weight: keep(parts, value_weight, -30 * entropy_weight)

    return [around(a2c, "total_loss", make)]


@fault("action or entropy collapse; KL jump", "cartpole-ppo")
def entropy_punished_in_ppo(framework: str) -> list[Patch]:
    """The entropy's bonus has the wrong sign, and weighs more."""

    def make(keep: Any) -> Any:
        return lambda parts, value_weight, entropy_weight: keep(parts, value_weight, -30 * entropy_weight)

    return [around(ppo, "total_loss", make)]


@fault(STRAY, "cartpole-a2c")
def critic_moved_by_the_policy(framework: str) -> list[Patch]:
    """The advantage is worked out in the loss, and its gradient moves the value."""

    def make(keep: Any) -> Any:
        def evaluated(*given: Any) -> Any:
            found = keep(*given)
            return found._replace(advantage=found.error)

        return evaluated

    return [around(a2c, "evaluate_actions", make)]


@fault(STRAY, "cartpole")
def target_moved_by_the_loss(framework: str) -> list[Patch]:
    """The online network bootstraps from itself, and the gradient passes through its target."""

    def make(keep: Any) -> Any:
        def make_loss(config: Any) -> Any:
            loss = keep(config)
            return lambda xp, online, target, batch: loss(with_stops_open(xp), online, online, batch)

        return make_loss

    return replaced_loss("dqn", make)


@fault("recurrent state wrong", "repeat-previous")
def gradient_through_the_burn_in(framework: str) -> list[Patch]:
    """The burn-in is learned from."""

    def make(keep: Any) -> Any:
        def make_loss(config: Any) -> Any:
            loss = keep(config)
            return lambda xp, online, target, batch: loss(with_stops_open(xp), online, target, batch)

        return make_loss

    return replaced_loss("drqn", make)


@fault("priorities constant, importance weights 1", "cartpole-switches")
def importance_weights_left_out(framework: str) -> list[Patch]:
    """The loss does not weigh its samples."""

    def make(keep: Any) -> Any:
        def make_loss(config: Any) -> Any:
            loss = keep(config)
            return lambda xp, online, target, batch: loss(
                xp, online, target, batch._replace(weight=0 * batch.weight + 1)
            )

        return make_loss

    return replaced_loss("dqn", make)
