"""Optimisers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from triptych.utils.checks import at_least, positive, within


@dataclass(frozen=True)
class Optimiser:
    """What every optimiser has: a learning rate, its way over the run, and a limit to the gradient."""

    learning_rate: float = 2.5e-4  # how far an update moves a weight, at most about so much; too large: it diverges, too small: it learns slowly
    final_rate: float | None = None  # learning rate at the run's last step, reached in a straight line; None: constant
    max_norm: float | None = 1.0  # the gradient's norm over all tensors is cut to this; None: never

    kind: ClassVar[str]  # the name in config.json, and in front of its tensors in a checkpoint

    def __post_init__(self) -> None:
        positive(self, "learning_rate", "max_norm")
        at_least(self, 0, "final_rate")


@dataclass(frozen=True)
class Adam(Optimiser):
    """Adam (Kingma & Ba 2015, algorithm 1) after clipping the gradient's norm over all tensors."""

    beta_1: float = 0.9  # decay of the gradient's mean, per update
    beta_2: float = 0.999  # decay of the squared gradient's mean, per update
    epsilon: float = 1e-7  # added to the root of the bias-corrected second moment

    kind: ClassVar[str] = "adam"

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self, "epsilon")
        within(self, 0, 1 - 1e-12, "beta_1", "beta_2")


@dataclass(frozen=True)
class RMSprop(Optimiser):
    """RMSprop without momentum (Mnih et al. 2016, section 4, "Optimization") after clipping the gradient's norm over all tensors.

    v = decay v + (1 - decay) g^2, and a step of rate g / sqrt(v + epsilon); v begins at 0 and is not corrected for it.
    """

    decay: float = 0.99  # of the squared gradient's mean, per update
    epsilon: float = 1e-5  # added to that mean, inside the root

    kind: ClassVar[str] = "rmsprop"

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self, "epsilon")
        within(self, 0, 1 - 1e-12, "decay")


OPTIMISERS: dict[str, Any] = {optimiser.kind: optimiser for optimiser in (Adam, RMSprop)}  # by name
