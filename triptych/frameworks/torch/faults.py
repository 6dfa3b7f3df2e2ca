"""Mistakes that lie in a framework's own code, put into PyTorch's. See `triptych.checkup.faults`; no run uses them."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

from triptych.frameworks.torch import layers, learner, net
from triptych.spec import Conv
from triptych.utils.patching import Patch, around


def cut(x):
    """The same numbers, and a gradient of 0."""
    return x.detach() + 0 * x


def around_layer(name: str, before: Any = None, after: Any = None) -> list[Patch]:
    """A layer, by its neutral name, whose input or output is another one."""

    def make(keep):
        def builder(placed):
            def build(*given):
                module = keep(placed)(*given)
                if placed.name == name:
                    forward = module.forward
                    module.forward = lambda x, *more: (after or same)(forward((before or same)(x), *more))
                return module

            return build

        return builder

    return [around(net, "builder", make)]


def same(x):
    return x


def relu_head() -> list[Patch]:
    return around_layer("head", after=torch.relu)


def tanh_head() -> list[Patch]:
    return around_layer("head", after=torch.tanh)


def softmax_head() -> list[Patch]:
    return around_layer("head", after=lambda x: torch.softmax(x, dim=-1))


def gradient_cut() -> list[Patch]:
    return around_layer("head", before=cut)


def layer_frozen(name: str) -> list[Patch]:
    return around_layer(name, after=cut)


def pixels_not_scaled(name: str) -> list[Patch]:
    return around_layer(name, before=lambda x: 255 * x)


def pixels_scaled_twice(name: str) -> list[Patch]:
    return around_layer(name, before=lambda x: x / 255)


def padding_same() -> list[Patch]:
    """PyTorch refuses a strided SAME, so the picture is padded by hand."""

    def make(placed):
        module, layer = net.conv(placed), placed.layer
        forward = module.forward
        module.forward = lambda x: forward(F.pad(x, (*sides(x.shape[3], layer), *sides(x.shape[2], layer))))
        return module

    return [Patch(net, "LAYERS", net.LAYERS | {Conv: make})]


def sides(length: int, layer: Conv) -> tuple[int, int]:
    """What SAME puts before and behind a side."""
    missing = max(0, (-(-length // layer.stride) - 1) * layer.stride + layer.kernel - length)
    return missing // 2, missing - missing // 2


def flatten_in_another_order() -> list[Patch]:
    def forward(self, x):
        return x.flatten(1)

    return [Patch(net.FlattenChannelsLast, "forward", forward)]


def dueling_mean_over_the_batch() -> list[Patch]:
    def forward(self, x):
        value = self.dense("value", torch.relu(self.dense("value_hidden", x)))
        advantage = self.dense("advantage", torch.relu(self.dense("advantage_hidden", x)))
        return value + advantage - advantage.mean()

    return [Patch(layers.DuelingHead, "forward", forward)]


def optimiser_not_tied() -> list[Patch]:
    """The optimiser holds copies of the parameters."""

    def make(keep):
        return {kind: lambda given, spec, own=own: own(copies(given), spec) for kind, own in keep.items()}

    return [around(learner, "OPTIMISERS", make)]


def copies(parameters: Any) -> list[torch.Tensor]:
    return [parameter.detach().clone().requires_grad_() for parameter in parameters]


def target_is_online() -> list[Patch]:
    def sync_target(self):
        self.target, self.target_values = self.online, self.online_values

    return [Patch(learner.Learner, "sync_target", sync_target)]


def acting_with_the_target() -> list[Patch]:
    def make(keep):
        def act(self, *given):
            online, self.online_values = self.online_values, self.target_values
            answer = keep(self, *given)
            self.online_values = online
            return answer

        return act

    return [around(learner.Learner, "act", make)]


def slow_conversion() -> list[Patch]:
    """A tensor made of a list of arrays, number by number."""

    def make(keep):
        def to_device(self, array):
            many = getattr(array, "ndim", 0) > 1
            return keep(self, array) if not many else torch.tensor(array.tolist(), dtype=keep(self, array).dtype)

        return to_device

    return [around(learner.Learner, "to_device", make)]


def gradients_clipped_one_by_one() -> list[Patch]:
    def make(keep):
        def clip(gradients, max_norm):
            norm = keep(gradients, None)
            for gradient in gradients:
                keep([gradient], max_norm)
            return norm

        return clip

    return [around(learner, "clip_by_global_norm", make)]


def adam_epsilon_elsewhere() -> list[Patch]:
    """Epsilon beside the mean square, before the root."""

    def make(parameters, spec):
        betas = (spec.beta_1, spec.beta_2)
        return torch.optim.Adam(parameters, lr=spec.learning_rate, betas=betas, eps=spec.epsilon**0.5, fused=True)

    return [Patch(learner, "OPTIMISERS", learner.OPTIMISERS | {"adam": make})]


def gradients_add_up() -> list[Patch]:
    def make(keep):
        def init(self, *given):
            keep(self, *given)
            self.optimiser.zero_grad = lambda: None

        return init

    return [around(learner.Learner, "__init__", make)]
