"""Optimisers: what they are, not how they run."""

from __future__ import annotations

from dataclasses import dataclass

from triptych.spec.layers import LAYERS as LAYERS  # one door for whoever writes a network
from triptych.utils.checks import at_least, positive, within


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma & Ba 2015, algorithm 1) after clipping the gradient's norm over all tensors."""

    learning_rate: float = 2.5e-4  # a step's size, about, in weight units
    final_rate: float | None = None  # learning rate at the run's last step, reached in a straight line; None: constant
    beta_1: float = 0.9  # decay of the gradient's mean, per update
    beta_2: float = 0.999  # decay of the squared gradient's mean, per update
    epsilon: float = 1e-7  # added to the root of the bias-corrected second moment
    max_norm: float | None = 1.0  # the gradient's norm over all tensors is cut to this; None: never

    def __post_init__(self) -> None:
        positive(self, "learning_rate", "epsilon", "max_norm")
        at_least(self, 0, "final_rate")
        within(self, 0, 1 - 1e-12, "beta_1", "beta_2")
