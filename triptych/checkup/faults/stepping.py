"""Faults of an optimiser's steps: their direction, their moments, gradients that are not those of the batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from triptych.checkup.faults.base import fault, learner, native
from triptych.training.asynchronous import Asynchronous
from triptych.utils.patching import Patch, around

STEPS = "the optimiser's steps wrong"


@fault(STEPS, "cartpole")
def loss_climbed(framework: str) -> list[Patch]:
    """An update goes up the gradient."""
    return [around(learner(framework), "update", lambda keep: lambda self, batch, rate: keep(self, batch, -rate))]


@fault(STEPS, "cartpole")
def moments_forgotten_at_each_copy(framework: str) -> list[Patch]:
    """The optimiser begins anew whenever the target is copied."""

    def make(keep: Any) -> Any:
        def sync_target(self: Any) -> None:
            keep(self)
            if hasattr(self, "was_copied"):
                state = self.get_state()
                zeros = {key: np.zeros_like(a) for key, a in state.items() if key.startswith(("adam/m/", "adam/v/"))}
                self.set_state(state | zeros)
            self.was_copied = True

        return sync_target

    return [around(learner(framework), "sync_target", make)]


@fault(STEPS, "cartpole")
def moments_forgotten_now_and_then(framework: str) -> list[Patch]:
    """The optimiser begins anew after every 60 updates."""

    def make(keep: Any) -> Any:
        def update(self: Any, batch: Any, rate: float) -> Any:
            self.made = getattr(self, "made", 0) + 1
            if self.made % 60 == 0:
                state = self.get_state()
                zeros = {key: np.zeros_like(a) for key, a in state.items() if key.startswith(("adam/m/", "adam/v/"))}
                self.set_state(state | zeros)
            return keep(self, batch, rate)

        return update

    return [around(learner(framework), "update", make)]


@fault(STEPS, "cartpole")
def gradients_add_up(framework: str) -> list[Patch]:
    """Gradients of earlier batches are never cleared."""
    return native(framework).gradients_add_up()


@fault(STEPS, "cartpole-a3c")
def gradients_doubled_on_the_way(framework: str) -> list[Patch]:
    """A worker's gradient is applied at twice its size."""

    def make(keep: Any) -> Any:
        def apply(self: Any, gradient: Any) -> Any:
            twice = {name: 2 * tensor for name, tensor in gradient.tensors.items()}
            return keep(self, gradient._replace(tensors=twice))

        return apply

    return [around(Asynchronous, "apply", make)]
