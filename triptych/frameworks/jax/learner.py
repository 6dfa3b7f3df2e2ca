"""The JAX learner: a Flax module, optax, one jitted step whose buffers are donated."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
import optax
from jax import numpy as jnp

from triptych import frameworks
from triptych.frameworks import xla
from triptych.frameworks.jax import net, ops
from triptych.frameworks.jax.frames import Frames, find_device
from triptych.frameworks.jax.frames import count_gpus as count_gpus
from triptych.spec import Adam, Network, Optimiser, RMSprop, dtypes, each, first_of, parts_of, whole_of
from triptych.spec.batches import moved
from triptych.spec.moments import frozen_in, refrozen, since_in, told_since
from triptych.spec.weights import check_weights

# float64 exists in JAX only with this on; every dtype here is written out, so float32 runs keep theirs.
jax.config.update("jax_enable_x64", True)
if jax.config.values["jax_compilation_cache_dir"] is None:  # else whoever imported us has one
    for setting, value in xla.cache_settings().items():
        jax.config.update(setting, value)


def clip_by_global_norm(gradients, max_norm: float | None):
    """Scales the gradients so that their norm over all tensors is at most `max_norm`; returns them and that norm."""
    norm = optax.tree.norm(gradients)
    if max_norm is not None:
        scale = jnp.minimum(max_norm / norm, 1.0)
        gradients = jax.tree.map(lambda gradient: gradient * scale, gradients)
    return gradients, norm


class CountedRms(NamedTuple):
    """RMSprop's state, with the number of updates, which optax does not keep."""

    count: jax.Array  # type: ignore[assignment]  # [] int32, under optax's name for Adam's
    nu: Any  # means of the squared gradients, a tree like the weights'


def make_adam(spec: Adam):
    return optax.scale_by_adam(spec.beta_1, spec.beta_2, spec.epsilon)


def make_rmsprop(spec: RMSprop):
    rms = optax.scale_by_rms(spec.decay, spec.epsilon, eps_in_sqrt=True)

    def init(parameters):
        return CountedRms(jnp.zeros((), jnp.int32), rms.init(parameters).nu)

    def update(gradients, state, parameters=None):
        steps, after = rms.update(gradients, optax.ScaleByRmsState(state.nu), parameters)
        return steps, CountedRms(state.count + 1, after.nu)

    return optax.GradientTransformation(init, update)


OPTIMISERS: dict[str, Any] = {"adam": make_adam, "rmsprop": make_rmsprop}
MOMENTS = {"adam": {"m": "mu", "v": "nu"}, "rmsprop": {"v": "nu"}}  # neutral name: optax's


def split(x, count: int, axis: int = 0):
    """An array, or a dict of them, cut into as equal parts as can be."""
    cut = each(lambda part: jnp.array_split(part, count, axis), x)
    return [each(lambda pieces, at=at: pieces[at], cut) for at in range(count)] if isinstance(x, dict) else cut


class Learner:
    """See `triptych.frameworks.Learner`."""

    frames = Frames

    def __init__(self, network: Network, loss, optimiser: Optimiser, weights: dict[str, np.ndarray], precision: str):
        device = find_device()
        self.device = "cpu" if device.platform == "cpu" else device.device_kind
        self.network = network
        self.loss = loss
        self.settings = optimiser
        self.precision, _ = dtypes(precision)
        self.convolutions = xla.CONVOLUTIONS if self.device == "cpu" else ""
        options, pieces = xla.WAYS[self.convolutions] if self.device == "cpu" else ({}, None)
        compiled = partial(jax.jit, compiler_options=options)
        self.net = net.Net(network, precision, pieces)
        self.optimiser = OPTIMISERS[optimiser.kind](optimiser)
        self.moment_names = MOMENTS[optimiser.kind]
        self.set_weights(weights)
        self.frozen: tuple[str, ...] = ()
        self.since: dict[str, int] = {}  # updates before a tensor's moments began, where it was frozen
        self.moments = {0: self.optimiser.init(self.online)}  # of the tensors that began together, by when
        self.sync_target()
        spread = network.observation.is_picture and self.device == "cpu"  # small networks only wait for threads
        self.shards = frameworks.THREADS if spread else 1
        self.forward = compiled(self.outputs)  # each is compiled when it is first called
        self.compiled_sensitivity = compiled(self.differentiate_input, static_argnums=0)
        self.compiled_step = compiled(self.step, donate_argnums=(0, 1))
        self.compiled_gradients = compiled(self.differentiate)
        self.compiled_apply = compiled(self.descend, donate_argnums=(0, 1))

    def act(self, obs, state=None, reset=None):
        if state is None:
            return np.asarray(self.forward(self.online, obs)), None
        outputs, state = self.forward(self.online, each(lambda part: part[None], obs), state, reset[None])
        return np.asarray(outputs[0]), np.asarray(state)

    def sensitivity(self, score, obs, actions, state=None, reset=None):
        return np.asarray(self.compiled_sensitivity(score, self.online, obs, actions, state, reset))

    def update(self, batch, learning_rate):
        batch = moved(batch, self.to_device)
        rate = np.asarray(learning_rate, self.precision)
        trained, still = net.parted(self.online, self.frozen)
        trained, self.moments, aux = self.compiled_step(trained, self.moments, still, self.target, batch, rate)
        self.online = net.together(trained, still)
        return aux

    def gradients(self, batch):
        batch = moved(batch, self.to_device)
        gradients, aux = self.compiled_gradients(*net.parted(self.online, self.frozen), self.target, batch)
        return net.to_neutral(gradients), aux

    def apply(self, gradients, learning_rate):
        check_weights(gradients, self.network, "gradients", without=self.frozen)
        names = [name for name in self.network.tensors() if name not in self.frozen]
        tree = net.to_native({name: gradients[name] for name in names}, self.precision)
        rate = np.asarray(learning_rate, self.precision)
        trained, still = net.parted(self.online, self.frozen)
        trained, self.moments, norm = self.compiled_apply(trained, self.moments, tree, rate)
        self.online = net.together(trained, still)
        return norm

    def freeze(self, names):
        if set(names) == set(self.frozen):
            return
        self.set_state(refrozen(self.get_state(), self.settings.kind, names))

    def to_device(self, array):
        return jax.device_put(array)

    def outputs(self, parameters, obs, state=None, reset=None):
        """The network on parts of the batch: XLA runs independent operations side by side."""
        if state is None:
            parts = split(obs, min(self.shards, len(first_of(obs))))
            return jnp.concatenate([self.net.apply({"params": parameters}, part) for part in parts])
        count = min(self.shards, first_of(obs).shape[1])
        cut = zip(*(split(x, count, axis) for x, axis in ((obs, 1), (state, 0), (reset, 1))), strict=True)
        outputs, states = zip(*(self.net.apply({"params": parameters}, *part) for part in cut), strict=True)
        return jnp.concatenate(outputs, axis=1), jnp.concatenate(states)

    def differentiate_input(self, score, online, obs, actions, state, reset):
        """The gradient of the scores with respect to the observation's main part."""
        main, parts = self.network.observation.main_name, dict(parts_of(obs))

        def score_of(part):
            given = whole_of(parts | {main: part})
            if state is None:
                outputs = self.net.apply({"params": online}, given)
            else:
                rows = each(lambda part: part[None], given), state, reset[None]
                outputs = self.net.apply({"params": online}, *rows)[0][0]
            return jnp.sum(score(ops, outputs, actions))

        return jax.grad(score_of)(jnp.asarray(parts[main], self.precision))

    def step(self, trained, moments, still, target, batch, learning_rate):
        """An update as a function: weights and moments after it, and what the loss reports."""
        gradients, aux = self.differentiate(trained, still, target, batch)
        trained, moments, norm = self.descend(trained, moments, gradients, learning_rate)
        return trained, moments, {**aux, "gradient_norm": norm}

    def differentiate(self, trained, still, target, batch):
        """The gradients as a tree like the trained weights', the loss and what it reports; `still` is frozen."""

        def loss_of(parameters):
            parameters = net.together(parameters, still)
            return self.loss(ops, partial(self.outputs, parameters), partial(self.outputs, target), batch)

        (loss, (td_error, scalars)), gradients = jax.value_and_grad(loss_of, has_aux=True)(trained)
        return gradients, {"loss": loss, "td_error": td_error, **scalars}

    def descend(self, trained, moments, gradients, learning_rate):
        """Weights and moments after the optimiser's step, and the gradients' norm before it was cut."""
        gradients, norm = clip_by_global_norm(gradients, self.settings.max_norm)
        steps, after = {}, {}
        for since, group in moments.items():
            part = net.parted(gradients, self.begun(since))[1]
            found, after[since] = self.optimiser.update(part, group)
            steps = net.together(steps, found)
        trained = jax.tree.map(lambda parameter, step: parameter - learning_rate * step, trained, steps)
        return trained, after, norm

    def begun(self, since):
        """The tensors whose moments began after so many updates."""
        names = self.network.tensors()
        return {name for name in names if name not in self.frozen and self.since.get(name, 0) == since}

    def to_numpy(self, array):
        return np.asarray(array)

    def sync_target(self):
        self.target = jax.tree.map(jnp.copy, self.online)  # the online buffers are donated to the next step

    def get_weights(self):
        return net.to_neutral(self.online)

    def set_weights(self, weights):
        self.online = net.to_native(weights, self.precision)

    def get_state(self):
        state = {f"online/{name}": array for name, array in net.to_neutral(self.online).items()}
        state |= {f"target/{name}": array for name, array in net.to_neutral(self.target).items()}
        kind = self.settings.kind
        since, any_group = next(iter(self.moments.items()))
        state[f"{kind}/step"] = np.array(any_group.count + since, np.int64)
        for group in self.moments.values():
            for moment, own in self.moment_names.items():
                found = net.to_neutral(getattr(group, own))
                state |= {f"{kind}/{moment}/{name}": array for name, array in found.items()}
        return state | told_since(self.since, kind)

    def set_state(self, state):
        kind, tensors = self.settings.kind, self.network.tensors()
        self.frozen = frozen_in(state, kind, tensors)
        self.since = since_in(state, kind, tensors)

        def tree(part, names):
            return net.to_native({name: state[f"{part}/{name}"] for name in names}, self.precision)

        self.online = tree("online", tensors)
        self.target = tree("target", tensors)
        steps, like = int(state[f"{kind}/step"]), next(iter(self.moments.values()))
        self.moments = {}
        for since in sorted({self.since.get(name, 0) for name in tensors if name not in self.frozen}):
            names = [name for name in tensors if name in self.begun(since)]
            moments = {own: tree(f"{kind}/{moment}", names) for moment, own in self.moment_names.items()}
            self.moments[since] = like._replace(count=jnp.array(steps - since, jnp.int32), **moments)
