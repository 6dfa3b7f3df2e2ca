"""Mistakes that lie in a framework's own code, put into JAX's. See `triptych.checkup.faults`; no run uses them."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import optax
from flax import linen as nn
from jax import numpy as jnp

from triptych.frameworks.jax import layers, learner, net
from triptych.spec import Conv, Flatten
from triptych.utils.patching import NotApplicable, Patch, around


def cut(x):
    """The same numbers, and a gradient of 0."""
    return jax.lax.stop_gradient(x) + 0 * x


def around_layer(name: str, before: Any = None, after: Any = None) -> list[Patch]:
    """A layer, by its neutral name, whose input or output is another one."""

    def make(keep):
        def builder(placed):
            def build(*given):
                layer = keep(placed)(*given)
                if placed.name != name:
                    return layer
                return lambda x, *more: (after or same)(layer((before or same)(x), *more))

            return build

        return builder

    return [around(net, "builder", make)]


def same(x):
    return x


def relu_head() -> list[Patch]:
    return around_layer("head", after=jax.nn.relu)


def tanh_head() -> list[Patch]:
    return around_layer("head", after=jnp.tanh)


def softmax_head() -> list[Patch]:
    return around_layer("head", after=jax.nn.softmax)


def gradient_cut() -> list[Patch]:
    return around_layer("head", before=cut)


def layer_frozen(name: str) -> list[Patch]:
    return around_layer(name, after=cut)


def pixels_not_scaled(name: str) -> list[Patch]:
    return around_layer(name, before=lambda x: 255 * x)


def pixels_scaled_twice(name: str) -> list[Patch]:
    return around_layer(name, before=lambda x: x / 255)


def padding_same() -> list[Patch]:
    """What Flax does unless it is told otherwise."""

    def make(placed, stored, compute):
        layer = placed.layer
        size = (layer.kernel, layer.kernel), (layer.stride, layer.stride)
        return nn.Conv(layer.filters, *size, dtype=compute, param_dtype=stored, name=placed.name)

    return [Patch(net, "LAYERS", net.LAYERS | {Conv: make})]


def flatten_in_another_order() -> list[Patch]:
    def make(placed, stored, compute):
        channels_first = len(placed.input_shape) == 3
        return lambda x: (x.transpose(0, 3, 1, 2) if channels_first else x).reshape(x.shape[0], -1)

    return [Patch(net, "LAYERS", net.LAYERS | {Flatten: make})]


def dueling_mean_over_the_batch() -> list[Patch]:
    def call(self, x):
        value = self.dense("value", jax.nn.relu(self.dense("value_hidden", x)))
        advantage = self.dense("advantage", jax.nn.relu(self.dense("advantage_hidden", x)))
        return value + advantage - jnp.mean(advantage)

    return [Patch(layers.DuelingHead, "__call__", call)]


def optimiser_not_tied() -> list[Patch]:
    """The optimiser's step is worked out, and what comes of it is not kept."""

    def make(keep):
        def descend(self, trained, moments, gradients, learning_rate):
            _, after, norm = keep(self, trained, moments, gradients, learning_rate)
            return trained, after, norm

        return descend

    return [around(learner.Learner, "descend", make)]


def target_is_online() -> list[Patch]:
    raise NotApplicable("JAX's arrays never change, and a shared one would be refused as a donated buffer")


def acting_with_the_target() -> list[Patch]:
    def make(keep):
        def act(self, *given):
            online, self.online = self.online, self.target
            answer = keep(self, *given)
            self.online = online
            return answer

        return act

    return [around(learner.Learner, "act", make)]


def slow_conversion() -> list[Patch]:
    """An array made of a list of numbers, one by one."""

    def make(keep):
        def to_device(self, array):
            many = getattr(array, "ndim", 0) > 1
            return keep(self, np.asarray(array.tolist(), array.dtype) if many else array)

        return to_device

    return [around(learner.Learner, "to_device", make)]


def gradients_clipped_one_by_one() -> list[Patch]:
    def make(keep):
        def clip(gradients, max_norm):
            return jax.tree.map(lambda one: keep([one], max_norm)[0][0], gradients), keep(gradients, None)[1]

        return clip

    return [around(learner, "clip_by_global_norm", make)]


def adam_epsilon_elsewhere() -> list[Patch]:
    """Epsilon beside the mean square, before the root."""

    def make(spec):
        return optax.scale_by_adam(spec.beta_1, spec.beta_2, eps=0.0, eps_root=spec.epsilon)

    return [Patch(learner, "OPTIMISERS", learner.OPTIMISERS | {"adam": make})]


def gradients_add_up() -> list[Patch]:
    raise NotApplicable("JAX's gradients are values of a function, which nothing keeps")
