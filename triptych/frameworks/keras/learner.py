"""The Keras learner: Keras layers and optimiser on TensorFlow, one `tf.function`."""

from __future__ import annotations

from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from triptych.frameworks.keras import net, ops
from triptych.frameworks.keras.frames import Frames, find_device
from triptych.frameworks.keras.frames import count_gpus as count_gpus
from triptych.spec import Adam, Network, Optimiser, RMSprop, dtypes, each, parts_of, whole_of
from triptych.spec.batches import moved
from triptych.spec.moments import frozen_in, since_in, told_since
from triptych.spec.weights import check_weights
from triptych.utils.checks import InputError

if keras.backend.backend() != "tensorflow":
    raise InputError(f"Keras was loaded on {keras.backend.backend()!r} before; allowed: KERAS_BACKEND=tensorflow")
tf.config.experimental.enable_op_determinism()  # the same seeds give the same bits


def clip_by_global_norm(gradients, max_norm: float | None):
    """Scales the gradients so that their norm over all tensors is at most `max_norm`; returns them and that norm."""
    norm = tf.linalg.global_norm(gradients)
    if max_norm is not None:
        scale = tf.minimum(max_norm / norm, 1.0)
        gradients = [gradient * scale for gradient in gradients]
    return gradients, norm


class ExactAdam(keras.optimizers.Adam):
    """Adam as published: epsilon joins the bias-corrected root; Keras' own adds it before the correction.

    The learning rate is an argument of the compiled step, set as `rate` while it is traced: Keras'
    own variable would round it to float32.
    """

    rate: tf.Tensor
    since: list[int]  # updates before each variable's moments began

    def update_step(self, gradient, variable, learning_rate):
        beta_1 = tf.convert_to_tensor(self.beta_1, gradient.dtype)
        beta_2 = tf.convert_to_tensor(self.beta_2, gradient.dtype)
        index = self._get_variable_index(variable)
        step = tf.cast(self.iterations + 1 - self.since[index], gradient.dtype)
        m, v = self._momentums[index], self._velocities[index]
        m.assign(beta_1 * m + (1 - beta_1) * gradient)
        v.assign(beta_2 * v + (1 - beta_2) * tf.square(gradient))
        m_hat = m / (1 - tf.pow(beta_1, step))
        v_hat = v / (1 - tf.pow(beta_2, step))
        variable.assign_sub(self.rate * m_hat / (tf.sqrt(v_hat) + self.epsilon))


class ExactRMSprop(keras.optimizers.RMSprop):
    """RMSprop whose learning rate is an argument of the compiled step, as in `ExactAdam`."""

    rate: tf.Tensor
    since: list[int]  # has no meaning here: RMSprop corrects nothing by the number of updates

    def update_step(self, gradient, variable, learning_rate):
        decay = tf.convert_to_tensor(self.rho, gradient.dtype)
        v = self._velocities[self._get_variable_index(variable)]
        v.assign(decay * v + (1 - decay) * tf.square(gradient))
        variable.assign_sub(self.rate * gradient / tf.sqrt(v + self.epsilon))


def make_adam(spec: Adam):
    return ExactAdam(spec.learning_rate, spec.beta_1, spec.beta_2, spec.epsilon)


def make_rmsprop(spec: RMSprop):
    return ExactRMSprop(spec.learning_rate, spec.decay, epsilon=spec.epsilon)


OPTIMISERS: dict[str, Any] = {"adam": make_adam, "rmsprop": make_rmsprop}
MOMENTS = {"adam": {"m": "_momentums", "v": "_velocities"}, "rmsprop": {"v": "_velocities"}}  # neutral name: Keras'


# AutoGraph would turn Python's `if` and `for` over tensors into operations. There are none here, in losses or in layers, and to
# look for them takes a process two thirds of a second.
traced = partial(tf.function, autograph=False)


class Learner:
    """See `triptych.frameworks.Learner`."""

    frames = Frames

    def __init__(self, network: Network, loss, optimiser: Optimiser, weights: dict[str, np.ndarray], precision: str):
        gpu = find_device()
        self.device = tf.config.experimental.get_device_details(gpu)["device_name"] if gpu else "cpu"
        self.network = network
        self.loss = loss
        self.settings = optimiser
        self.precision, _ = dtypes(precision)
        self.online = net.make_net(network, precision)
        self.target = net.make_net(network, precision)
        self.frozen: tuple[str, ...] = ()
        self.since: dict[str, int] = {}  # updates before a tensor's moments began, where it was frozen
        self.make_optimiser()
        self.set_weights(weights)
        self.sync_target()
        parts = whole_of(network.observation.parts)
        obs = each(lambda part: tf.TensorSpec((None, *part.shape), part.taken(self.precision)), parts)
        # With memory a number of games is traced anew, as the steps of a sequence are written out one by one.
        signature = None if network.unrolls else [obs]
        self.forward = traced(self.online, input_signature=signature)
        self.opened = None  # the network in two, for `sensitivity`
        self.make_functions()

    def make_functions(self):
        """Each is compiled when it is first called. What is frozen is decided there."""
        self.compiled_step = traced(self.step)
        self.compiled_gradients = traced(self.differentiate)
        self.compiled_apply = traced(self.descend)

    def make_optimiser(self):
        """One whose moments are all 0, of the variables that are not frozen."""
        variables = net.named(self.online)
        self.trained = {name: variable for name, variable in variables.items() if name not in self.frozen}
        self.optimiser = OPTIMISERS[self.settings.kind](self.settings)
        self.optimiser.build(list(self.trained.values()))
        self.optimiser.since = [self.since.get(name, 0) for name in self.trained]

    def act(self, obs, state=None, reset=None):
        if state is None:
            return self.forward(self.to_device(obs)).numpy(), None
        given = (each(lambda part: part[None], obs), state, reset[None])
        outputs, state = self.forward(*map(self.to_device, given))
        return outputs[0].numpy(), state.numpy()

    def sensitivity(self, score, obs, actions, state=None, reset=None):
        main, parts = self.network.observation.main_name, parts_of(obs)
        if self.opened is None:
            self.opened = net.open_front(self.online, self.network)
        front, rest = self.opened
        x = front(self.to_device(parts[main]))  # bytes have no gradient, what is made of them has
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = rest(x, self.to_device(dict(parts)), state, reset)
            total = tf.reduce_sum(score(ops, outputs, tf.convert_to_tensor(actions)))
        found = net.leave(self.network.observation.main, tape.gradient(total, x))
        return tf.cast(found, self.precision).numpy()

    def update(self, batch, learning_rate):
        batch = moved(batch, self.to_device)
        return self.compiled_step(batch, tf.constant(learning_rate, self.precision))

    def gradients(self, batch):
        gradients, aux = self.compiled_gradients(moved(batch, self.to_device))
        return {name: np.array(g) for name, g in zip(self.trained, gradients, strict=True)}, aux

    def apply(self, gradients, learning_rate):
        check_weights(gradients, self.network, "gradients", without=self.frozen)
        given = [tf.constant(np.asarray(gradients[name], self.precision)) for name in self.trained]
        return self.compiled_apply(given, tf.constant(learning_rate, self.precision))

    def freeze(self, names):
        if set(names) == set(self.frozen):
            return
        steps, before = int(self.optimiser.iterations.numpy()), self.moments()
        later = {name: steps for name in self.frozen if steps}
        self.since = {name: count for name, count in (self.since | later).items() if name not in names}
        self.frozen = tuple(names)
        self.make_optimiser()
        self.optimiser.iterations.assign(steps)
        for name, variable in self.moments().items():
            if name in before:
                variable.assign(before[name])
        self.make_functions()

    def to_device(self, array):
        return each(tf.convert_to_tensor, array)

    def step(self, batch, learning_rate):
        """An update as a function of the graph: what the loss reports."""
        gradients, aux = self.differentiate(batch)
        return {**aux, "gradient_norm": self.descend(gradients, learning_rate)}

    def differentiate(self, batch):
        """The gradients in the order of the trained variables, the loss and what it reports."""
        with tf.GradientTape() as tape:
            loss, (td_error, scalars) = self.loss(ops, self.online, self.target, batch)
        gradients = tape.gradient(loss, list(self.trained.values()))
        return gradients, {"loss": loss, "td_error": td_error, **scalars}

    def descend(self, gradients, learning_rate):
        """The optimiser's step along gradients; returns their norm before it was cut."""
        gradients, norm = clip_by_global_norm(gradients, self.settings.max_norm)
        self.optimiser.rate = learning_rate
        self.optimiser.apply(gradients, list(self.trained.values()))
        return norm

    def to_numpy(self, array):
        return array.numpy()

    def sync_target(self):
        for target, online in zip(self.target.variables, self.online.variables, strict=True):
            target.assign(online)

    def get_weights(self):
        return net.get_weights(self.online)

    def set_weights(self, weights):
        net.set_weights(self.online, weights)

    def moments(self):
        """The optimiser's variables by neutral name: `adam/m/conv_1/kernel`."""
        found = {}
        for moment, own in MOMENTS[self.settings.kind].items():
            for name, variable in zip(self.trained, getattr(self.optimiser, own), strict=True):
                found[f"{self.settings.kind}/{moment}/{name}"] = variable
        return found

    def get_state(self):
        state = {f"online/{name}": array for name, array in net.get_weights(self.online).items()}
        state |= {f"target/{name}": array for name, array in net.get_weights(self.target).items()}
        state[f"{self.settings.kind}/step"] = np.array(self.optimiser.iterations.numpy(), np.int64)
        state |= {name: variable.numpy() for name, variable in self.moments().items()}
        return state | told_since(self.since, self.settings.kind)

    def set_state(self, state):
        kind, names = self.settings.kind, net.named(self.online)
        self.freeze(frozen_in(state, kind, names))
        if (since := since_in(state, kind, names)) != self.since:
            self.since = since
            self.make_optimiser()
            self.make_functions()
        for part, model in (("online", self.online), ("target", self.target)):
            for name, variable in net.named(model).items():
                variable.assign(state[f"{part}/{name}"])
        for name, variable in self.moments().items():
            variable.assign(state[name])
        self.optimiser.iterations.assign(int(state[f"{kind}/step"]))
