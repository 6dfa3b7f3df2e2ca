"""Faults of a network: its head, its pixels, its layers, its optimiser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from triptych.checkup.faults.base import fault, learner, native
from triptych.training import agent
from triptych.utils.patching import Patch, around

HEAD = "ReLU, softmax or tanh on the head"
FIRST = "the first weights not those of the layers"
PIXELS = "pixels not scaled, or twice; acting and learning scale differently"


@fault(HEAD, "cartpole")
def relu_head(framework: str) -> list[Patch]:
    """A ReLU behind the Q values."""
    return native(framework).relu_head()


@fault(HEAD, "cartpole")
def softmax_head(framework: str) -> list[Patch]:
    """A softmax over the Q values."""
    return native(framework).softmax_head()


@fault(HEAD, "cartpole")
def tanh_head(framework: str) -> list[Patch]:
    """A tanh behind the Q values."""
    return native(framework).tanh_head()


@fault(HEAD, "space-invaders")
def relu_head_on_pictures(framework: str) -> list[Patch]:
    """A ReLU behind the Q values of a picture."""
    return native(framework).relu_head()


@fault(PIXELS, "space-invaders")
def pixels_not_scaled(framework: str) -> list[Patch]:
    """Pixels enter as 0 to 255."""
    return native(framework).pixels_not_scaled("conv_1")


@fault(PIXELS, "space-invaders")
def pixels_scaled_twice(framework: str) -> list[Patch]:
    """Pixels are divided by 255 twice."""
    return native(framework).pixels_scaled_twice("conv_1")


@fault(PIXELS, "space-invaders")
def acting_scales_differently(framework: str) -> list[Patch]:
    """The network acts on a darker picture than it learns from."""

    def make(keep: Any) -> Any:
        return lambda self, obs, *given: keep(self, obs // 16, *given)

    return [around(learner(framework), "act", make)]


@fault("other padding", "space-invaders")
def padding_same(framework: str) -> list[Patch]:
    """Convolutions pad their pictures: SAME where VALID was meant, and the layers behind them are larger."""
    from triptych.spec import Conv

    def output_shape(self: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*(-(-side // self.stride) for side in shape[:2]), self.filters)

    return [Patch(Conv, "output_shape", output_shape), *native(framework).padding_same()]


@fault("slow conversion", "space-invaders")
def slow_conversion(framework: str) -> list[Patch]:
    """Arrays become tensors number by number."""
    return native(framework).slow_conversion()


@fault("frameworks drift apart", "cartpole", optimiser__max_norm=0.1)  # the recipe's own limit is hardly ever reached
def gradients_clipped_one_by_one(framework: str) -> list[Patch]:
    """Each tensor's gradient is cut by its own norm."""
    return native(framework).gradients_clipped_one_by_one()


@fault("frameworks drift apart", "cartpole")
def adam_epsilon_elsewhere(framework: str) -> list[Patch]:
    """Adam adds its epsilon at another place."""
    return native(framework).adam_epsilon_elsewhere()


@fault("frameworks drift apart", "space-invaders")
def flatten_in_another_order(framework: str) -> list[Patch]:
    """Pictures are flattened channel by channel."""
    return native(framework).flatten_in_another_order()


def first(change: Callable[[str, np.ndarray], np.ndarray]) -> list[Patch]:
    """The first weights are others than the layers say."""
    made = lambda keep: lambda *given: {name: change(name, tensor) for name, tensor in keep(*given).items()}  # noqa: E731
    return [around(agent, "initial_weights", made)]


@fault(FIRST, "cartpole")
def first_weights_too_large(framework: str) -> list[Patch]:
    """The first weights are three times as large as the layers say."""
    return first(lambda name, tensor: 3 * tensor)


@fault(FIRST, "cartpole")
def first_weights_alike(framework: str) -> list[Patch]:
    """All units of a layer begin with the same weights."""
    return first(lambda name, tensor: np.broadcast_to(tensor[..., :1], tensor.shape).copy())


@fault(FIRST, "cartpole-ppo")
def first_policy_not_small(framework: str) -> list[Patch]:
    """The policy's head begins at the gain of the other layers, so that the first policy is no even one."""
    return first(lambda name, tensor: 100 * tensor if name.endswith("policy_kernel") else tensor)
