"""A2C (Mnih et al. 2016, its workers in step): a policy and its value, learned from what was just played."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar, Literal

import numpy as np

from triptych.algorithms import base
from triptych.algorithms.schedules import linear_schedule
from triptych.losses.policy import entropy, evaluate_actions, masked_mean, normalised, total_loss
from triptych.losses.value import LOSSES, Loss, loss_of_error
from triptych.spec import ActorCritic, Layer, Network, Observation
from triptych.spec.batches import Array, LossFunction, Rollout
from triptych.utils.checks import at_least, check, one_of, positive, within

REWARDS = ("raw", "sign", "clip")


@dataclass(frozen=True)
class Config(base.Config):
    """A2C's settings. A rollout is `rollout_steps` steps of every game; it is learned from once, before the next one."""

    rollout_steps: int = 5  # steps of each game between updates
    gamma: float = 0.99  # discount of a reward one step later
    gae_lambda: float = 1.0  # 1: returns up to the rollout's end; less: nearer to one-step values
    loss: Loss = "squared"  # of the value's error
    delta: float = 1.0  # where the Huber loss turns from squared to linear, in units of reward
    value_weight: float = 0.5  # of the value's loss beside the policy's
    entropy_weight: float = 0.01  # of the bonus for a policy that is not sure
    entropy_end: float | None = None  # that weight at the run's last step, reached in a straight line; None: constant
    normalise_advantages: bool = False  # to mean 0 and deviation 1 in each update
    reward: Literal["raw", "sign", "clip"] = "raw"  # what is learned from (clip: to -1 to 1); logs show the raw reward
    reward_scale: float = 1.0  # multiplies the reward before that
    burn_in: int = 0  # a rollout's first steps, which only bring a memory's state up to date; no gradient
    # sizes of layers that the policy alone has, between the body and its logits
    policy_units: tuple[int, ...] = ()
    value_units: tuple[int, ...] = ()  # and of those that the value alone has
    hidden_activation: Literal["tanh", "relu"] = "tanh"  # of both

    kind: ClassVar[str] = "a2c"
    family: ClassVar[base.Family] = "on-policy"
    policy: ClassVar[base.Policy] = "sample"
    metrics: ClassVar[tuple[str, ...]] = ("policy_loss", "value_loss", "entropy")
    may_remember: ClassVar[bool] = True
    has_target: ClassVar[bool] = False

    def __post_init__(self) -> None:
        positive(self, "rollout_steps", "delta", "reward_scale")
        at_least(self, 0, "value_weight", "entropy_weight", "entropy_end", "burn_in")
        within(self, 0, 1, "gamma", "gae_lambda")
        one_of(self, "loss", LOSSES)
        one_of(self, "reward", REWARDS)
        check(
            self.burn_in < self.rollout_steps,
            "burn_in",
            self.burn_in,
            f"less than rollout_steps ({self.rollout_steps})",
        )

    def check(self, num_envs: int, has_memory: bool) -> None:
        """Refuses minibatches that a rollout cannot be cut into, and a burn-in of nothing."""
        check(has_memory or not self.burn_in, "burn_in", self.burn_in, "0, as this network has no memory")
        steps, what = (1, "games") if has_memory else (self.rollout_steps, "steps of a rollout")
        _, parts = self.passes()
        check(steps * num_envs % parts == 0, "minibatches", parts, f"a divisor of {steps * num_envs}, the {what}")

    def warnings(self, steps: int, num_envs: int) -> list[str]:
        return [line] if (line := self.unreached(steps, num_envs)) else []

    def unreached(self, steps: int, num_envs: int) -> str:
        needed, long = self.rollout_steps * num_envs, f"{self.rollout_steps} steps x {num_envs} games"
        if self.rollout_steps > -(-steps // num_envs):  # all games take their last step
            ends = f"the run's {steps:,} steps end before the first update, which needs {needed:,}"
            return f"a rollout is {needed:,} steps ({long}): {ends}"
        return ""

    def steps_before_updates(self, num_envs: int) -> int:
        return self.rollout_steps * num_envs

    def ranges(self) -> dict[str, str]:
        weights = sorted({0.0, 0.001, 0.003, 0.01, 0.03, self.entropy_weight})
        return {
            "gamma": base.spread(self.gamma, 0.95, 0.999),
            "rollout_steps": ",".join(map(str, base.around(self.rollout_steps, 2))),  # so they still fit minibatches
            "gae_lambda": base.spread(self.gae_lambda, 0.9, 1),
            "entropy_weight": ",".join(f"{weight:g}" for weight in weights),
        }

    @property
    def unlearned_steps(self) -> int:
        return self.burn_in

    def passes(self) -> tuple[int, int]:
        """How often a rollout is learned from, and into how many minibatches it is cut each time."""
        return 1, 1

    def coefficients(self, step: int, steps: int) -> dict[str, float]:
        """The scalars of a batch that schedules move, at `step` of a run of `steps`: `entropy_weight` and `clip`."""
        return {"entropy_weight": self.at(step, steps, self.entropy_weight, self.entropy_end), "clip": 0.0}

    @staticmethod
    def at(step: int, steps: int, first: float, last: float | None) -> float:
        """A setting that may change in a straight line to the run's last step."""
        return first if last is None else linear_schedule(step, first, last, steps)

    def learned_reward(self, reward: np.ndarray) -> np.ndarray:
        """What is learned from, of raw rewards [N]: scaled, then as it is, its sign, or cut to -1 to 1."""
        reward = self.reward_scale * reward
        if self.reward == "sign":
            return np.sign(reward)
        return np.clip(reward, -1, 1) if self.reward == "clip" else reward


def network(config: Any, observation: Observation, body: tuple[Layer, ...], num_actions: int) -> Network:
    """The body with a head of logits and a value. It unrolls, whether there is a memory or not."""
    return Network(observation, (*body, head_of(config, num_actions)), unrolls=True)


def head_of(config: Any, num_actions: int) -> ActorCritic:
    return ActorCritic(num_actions, config.policy_units, config.value_units, config.hidden_activation)


def make_loss(config: Config) -> LossFunction:
    """Closes over the settings and returns `loss(xp, online, target, batch) -> (scalar, (value error [T, B], scalars))`.

    There is no target network in it.
    """

    def loss(xp: ModuleType, online: Any, target: Any, batch: Rollout) -> tuple[Array, tuple[Array, dict[str, Array]]]:
        log_probs, taken, error, advantage, mask = evaluate_actions(xp, online, batch, config.burn_in)
        if config.normalise_advantages:
            advantage = normalised(xp, advantage, mask)
        parts = {
            "policy_loss": -masked_mean(xp, advantage * taken, mask),
            "value_loss": masked_mean(xp, loss_of_error(xp, error, config.loss, config.delta), mask),
            "entropy": masked_mean(xp, entropy(xp, log_probs), mask),
        }
        return total_loss(parts, config.value_weight, batch.entropy_weight), (error, parts)

    return loss


algorithm = base.Algorithm(Config, network, make_loss, Rollout)
