"""A2C (Mnih et al. 2016, its workers in step): a policy and its value, learned from what was just played."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar, Literal

from triptych.algorithms.dqn import LOSSES, Loss
from triptych.losses.policy import entropy, evaluate_actions, masked_mean, normalised, total_loss
from triptych.losses.value import loss_of_error
from triptych.spec import ActorCritic, Layer, Network, Observation
from triptych.spec.batches import Array, Rollout
from triptych.utils.checks import at_least, check, one_of, positive, within

REWARDS = ("raw", "sign", "clip")


@dataclass(frozen=True)
class Config:
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

    kind: ClassVar[str] = "a2c"
    policy: ClassVar[str] = "sample"  # how its agent plays: by drawing from the policy
    metrics: ClassVar[tuple[str, ...]] = ("policy_loss", "value_loss", "entropy")  # what an update reports

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


def network(config: Any, observation: Observation, body: tuple[Layer, ...], num_actions: int) -> Network:
    """The body with a head of logits and a value. It unrolls, whether there is a memory or not."""
    return Network(observation, (*body, ActorCritic(num_actions)), unrolls=True)


Batch = Rollout  # what the loss wants


def make_loss(config: Config) -> Callable[..., tuple[Array, tuple[Array, dict[str, Array]]]]:
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
