"""Mistakes that lie in a framework's own code, put into Keras'. See `triptych.checkup.faults`; no run uses them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from triptych.frameworks.keras import layers, learner, net
from triptych.spec import Conv, Flatten
from triptych.utils.patching import NotApplicable, Patch, around


def cut(x):
    """The same numbers, and a gradient of 0."""
    return ops.stop_gradient(x) + 0 * x


def around_layer(name: str, before: Any = None, after: Any = None) -> list[Patch]:
    """A layer, by its neutral name, whose input or output is another one."""

    def make(keep):
        def builder(placed):
            def build(*given):
                layer = keep(placed)(*given)
                if placed.name == name:
                    call = layer.call
                    layer.call = lambda x, *more: (after or same)(call((before or same)(x), *more))
                return layer

            return build

        return builder

    return [around(net, "builder", make)]


def same(x):
    return x


def relu_head() -> list[Patch]:
    return around_layer("head", after=ops.relu)


def tanh_head() -> list[Patch]:
    return around_layer("head", after=ops.tanh)


def softmax_head() -> list[Patch]:
    return around_layer("head", after=ops.softmax)


def gradient_cut() -> list[Patch]:
    return around_layer("head", before=cut)


def layer_frozen(name: str) -> list[Patch]:
    return around_layer(name, after=cut)


def pixels_not_scaled(name: str) -> list[Patch]:
    return around_layer(name, before=lambda x: 255 * x)


def pixels_scaled_twice(name: str) -> list[Patch]:
    return around_layer(name, before=lambda x: x / 255)


def padding_same() -> list[Patch]:
    def make(placed, policy):
        layer = placed.layer
        size, how = (layer.filters, layer.kernel, layer.stride), {"activation": layer.activation, "name": placed.name}
        return keras.layers.Conv2D(*size, padding="same", dtype=policy, **how)

    return [Patch(net, "LAYERS", net.LAYERS | {Conv: make})]


def flatten_in_another_order() -> list[Patch]:
    def make(placed, policy):
        flat = net.flatten(placed, policy)
        call = flat.call
        if len(placed.input_shape) == 3:
            flat.call = lambda x: call(ops.transpose(x, (0, 3, 1, 2)))
        return flat

    return [Patch(net, "LAYERS", net.LAYERS | {Flatten: make})]


def dueling_mean_over_the_batch() -> list[Patch]:
    def call(self, x):
        value = self.dense("value", ops.relu(self.dense("value_hidden", x)))
        advantage = self.dense("advantage", ops.relu(self.dense("advantage_hidden", x)))
        return value + advantage - ops.mean(advantage)

    return [Patch(layers.DuelingHead, "call", call)]


def optimiser_not_tied() -> list[Patch]:
    """The optimiser's step is worked out, and what comes of it is not kept."""

    def make(keep):
        def update_step(self, gradient, variable, learning_rate):
            before = tf.identity(variable)
            keep(self, gradient, variable, learning_rate)
            variable.assign(before)

        return update_step

    return [around(kind, "update_step", make) for kind in (learner.ExactAdam, learner.ExactRMSprop)]


def target_is_online() -> list[Patch]:
    def sync_target(self):
        self.target = self.online

    return [Patch(learner.Learner, "sync_target", sync_target)]


def acting_with_the_target() -> list[Patch]:
    def make(keep):
        def act(self, *given):
            if not hasattr(self, "forward_of_target"):
                signature = self.forward.input_signature
                self.forward_of_target = tf.function(self.target, input_signature=signature)
            online, self.forward = self.forward, self.forward_of_target
            answer = keep(self, *given)
            self.forward = online
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
            return [keep([one], max_norm)[0][0] for one in gradients], keep(gradients, None)[1]

        return clip

    return [around(learner, "clip_by_global_norm", make)]


def adam_epsilon_elsewhere() -> list[Patch]:
    """Keras' own Adam: epsilon joins the root before its correction."""

    def update_step(self, gradient, variable, learning_rate):
        keras.optimizers.Adam.update_step(self, gradient, variable, self.rate)

    return [Patch(learner.ExactAdam, "update_step", update_step)]


def gradients_add_up() -> list[Patch]:
    raise NotApplicable("a tape's gradients are values, which nothing keeps")
