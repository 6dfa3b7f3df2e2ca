"""PPO (Schulman et al. 2017): several passes over a rollout, each kept near the policy that played it."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

from triptych.algorithms import a2c, base
from triptych.algorithms.a2c import network as network
from triptych.losses.policy import (
    clipped_surrogate,
    entropy,
    evaluate_actions,
    masked_mean,
    normalised,
    total_loss,
)
from triptych.losses.value import loss_of_error
from triptych.spec.batches import Array, LossFunction, Rollout
from triptych.utils.checks import at_least, positive


@dataclass(frozen=True)
class Config(a2c.Config):
    """PPO's settings. A rollout is `rollout_steps` steps of every game; an update is made of each minibatch of it."""

    rollout_steps: int = 128  # steps of each game between updates
    gae_lambda: float = 0.95  # 1: returns up to the rollout's end; less: nearer to one-step values
    normalise_advantages: bool = True  # to mean 0 and deviation 1 in each update
    epochs: int = 4  # passes over a rollout
    minibatches: int = 4  # that each pass is cut into: whole sequences of games with memory, else single steps
    clip: float = 0.1  # how far the policy may move for gain
    clip_end: float | None = None  # that at the run's last step, reached in a straight line; None: constant

    kind: ClassVar[str] = "ppo"
    metrics: ClassVar[tuple[str, ...]] = ("policy_loss", "value_loss", "entropy", "approx_kl", "clip_fraction")

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self, "epochs", "minibatches", "clip")
        at_least(self, 0, "clip_end")

    def ranges(self) -> dict[str, str]:
        return super().ranges() | {"clip": base.spread(self.clip, 0.05, 0.3), "epochs": f"1..{max(10, self.epochs)}"}

    def passes(self) -> tuple[int, int]:
        return self.epochs, self.minibatches

    def coefficients(self, step: int, steps: int) -> dict[str, float]:
        return super().coefficients(step, steps) | {"clip": self.at(step, steps, self.clip, self.clip_end)}


def make_loss(config: Config) -> LossFunction:
    """Closes over the settings; see `a2c.make_loss`."""

    def loss(xp: ModuleType, online: Any, target: Any, batch: Rollout) -> tuple[Array, tuple[Array, dict[str, Array]]]:
        log_probs, taken, error, advantage, mask = evaluate_actions(xp, online, batch, config.burn_in)
        if config.normalise_advantages:
            advantage = normalised(xp, advantage, mask)
        log_ratio = taken - batch.log_prob[config.burn_in :]  # [T, B]
        moved = xp.abs(xp.exp(log_ratio) - 1)
        parts = {
            "policy_loss": -masked_mean(xp, clipped_surrogate(xp, log_ratio, advantage, batch.clip), mask),
            "value_loss": masked_mean(xp, loss_of_error(xp, error, config.loss, config.delta), mask),
            "entropy": masked_mean(xp, entropy(xp, log_probs), mask),
            "approx_kl": masked_mean(xp, xp.exp(log_ratio) - 1 - log_ratio, mask),
            "clip_fraction": xp.sum(xp.where(moved > batch.clip, mask, 0 * mask)) / xp.sum(mask),
        }
        return total_loss(parts, config.value_weight, batch.entropy_weight), (error, parts)

    return loss


algorithm = base.Algorithm(Config, network, make_loss, Rollout)
