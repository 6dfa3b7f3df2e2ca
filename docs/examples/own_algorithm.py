"""An algorithm of one's own: DQN that also holds down the values of actions it did not take (Kumar et al. 2020).

    triptych train own_algorithm.py --algorithm.conservatism 0.5
    triptych lockstep own_algorithm.py

An algorithm is its settings, a dataclass that inherits from one of ours, and its loss, written once for all frameworks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import triptych
from triptych.algorithms import dqn
from triptych.losses.value import loss_of_error, temporal_difference
from triptych.utils.checks import at_least


@dataclass(frozen=True)
class Conservative(dqn.Config):
    """DQN's settings and one more. What the class is called by in files and in flags is its `kind`."""

    conservatism: float = 0.1  # weight of the penalty beside the TD error; 0: DQN

    kind: ClassVar[str] = "conservative"
    metrics: ClassVar[tuple[str, ...]] = (*dqn.Config.metrics, "penalty")  # columns of metrics.csv

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, 0, "conservatism")


def penalty(xp, values, taken):
    """log sum exp Q - Q(taken): [B, A] and [B] to [B]. None is left where the action taken is surely the largest."""
    return -xp.select(xp.log_softmax(values), taken)


def make_loss(config):
    """Closes over the settings; the loss is called at each update with a batch of transitions.

    `xp` has NumPy's names (docs/extend.md lists them) and is the framework's own.
    `online` and `target` are networks: [B, *observation] to [B, A].
    """

    def loss(xp, online, target, batch):
        values = online(batch.obs)  # [B, A]
        ahead = target(batch.next_obs)  # [B, A]
        chosen = xp.stop_gradient(online(batch.next_obs)) if config.double else None  # [B, A]
        error = temporal_difference(xp, values, batch.action, batch.reward, batch.discount, ahead, chosen)  # [B]
        held = penalty(xp, values, batch.action)  # [B]
        each = loss_of_error(xp, error, config.loss, config.delta) + config.conservatism * held  # [B]
        told = {"q_mean": xp.mean(xp.max(values, axis=1)), "td_error_mean": xp.mean(xp.abs(error))}
        return xp.mean(batch.weight * each), (error, told | {"penalty": xp.mean(held)})

    return loss


triptych.register_algorithm(Conservative, make_loss=make_loss)

# The recipe `cartpole` with all of its settings, and the new algorithm in place of DQN.
recipe = triptych.override(triptych.load_recipe("cartpole"), {"algorithm": "conservative"})
