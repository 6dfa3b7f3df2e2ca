"""Agents in plain JAX, as `triptych show --loop` writes them into files. No run imports this: it is copied as text.

A test trains what is written beside Triptych's own run, in float64: actions and losses are the same. The marks
(`# only:`) say which recipes' files have a line; see `report/show/loops/choose.py`.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import optax
from flax import linen as nn
from jax import numpy as jnp


class Tensors(nn.Module):
    """A layer with weights of these names and shapes."""

    shapes: Any

    def setup(self):
        for name, shape in self.shapes.items():
            setattr(self, name, self.param(name, nn.initializers.zeros, shape))


class ActorCriticHead(Tensors):
    def __call__(self, x):
        """The policy's logits and, last, the value."""
        policy, value = x @ self.policy_kernel + self.policy_bias, x @ self.value_kernel + self.value_bias
        return jnp.concatenate([policy, value], axis=-1)


class Memory(Tensors):
    def __call__(self, x, state, reset):
        """An LSTM, step by step; its state (h, then c) is cleared where an episode begins."""  # only: lstm
        """A GRU, step by step; its state is cleared where an episode begins."""  # only: gru
        """A plain recurrent layer, step by step; its state is cleared where an episode begins."""  # only: rnn

        def step(state, given):
            products, begins = given
            state = jnp.where(begins[:, None], 0, state)
            h, c = jnp.split(state, 2, axis=1)  # only: lstm
            i, f, g, o = jnp.split(products + h @ self.recurrent_kernel, 4, axis=1)  # only: lstm
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)  # only: lstm
            h = jax.nn.sigmoid(o) * jnp.tanh(c)  # only: lstm
            return jnp.concatenate([h, c], axis=1), h  # only: lstm
            r, z, n = jnp.split(products, 3, axis=1)  # only: gru
            more_r, more_z, more_n = jnp.split(state @ self.recurrent_kernel, 3, axis=1)  # only: gru
            r, z = jax.nn.sigmoid(r + more_r), jax.nn.sigmoid(z + more_z)  # only: gru
            n = jnp.tanh(n + r * (more_n + self.recurrent_bias))  # only: gru
            h = (1 - z) * n + z * state  # only: gru
            h = jnp.tanh(products + state @ self.recurrent_kernel)  # only: rnn
            return h, h  # only: not lstm

        state, outputs = jax.lax.scan(step, state, (x @ self.kernel + self.bias, reset))
        return outputs, state  # only: not skip
        return jnp.concatenate([outputs, x], axis=-1), state  # only: skip


class Agent:
    """A network and its optimiser. What goes in and out are NumPy's arrays."""

    def __init__(self, args, make_net, weights, state_size=0):
        self.args, self.net, self.state_size = args, make_net(), state_size
        self.floats = next(iter(weights.values())).dtype
        self.online, self.target = {}, None  # trees of weights
        for name, array in weights.items():
            layer, key = name.split("/")
            self.online.setdefault(layer, {})[key] = jnp.array(array)
        self.optimiser = optax.scale_by_adam(args.beta_1, args.beta_2, args.adam_epsilon)  # only: adam
        self.optimiser = optax.scale_by_rms(args.rms_decay, args.rms_epsilon, eps_in_sqrt=True)  # only: rmsprop
        self.moments = self.optimiser.init(self.online)
        self.forward, self.step = jax.jit(self.outputs), jax.jit(self.step)

    def outputs(self, weights, *given):
        return self.net.apply({"params": weights}, *given)

    def initial_state(self, games):  # only: not off_policy
        return np.zeros((games, self.state_size), self.floats)

    def act(self, obs, state, started):  # only: not dqn
        """What the network gives for observations [N, ...], and the state of its memory after them."""
        obs = obs.astype(self.floats)  # only: not pictures
        outputs, state = self.forward(self.online, obs[None], state, started[None])
        return np.asarray(outputs[0]), np.asarray(state)

    def update(self, batch, *given):
        """One step of the optimiser, with the learning rate given; returns what is logged."""
        given = (np.asarray(number, self.floats) for number in given)
        self.online, self.moments, logged = self.step(self.online, self.moments, self.target, batch, *given)
        return logged

    def step(self, online, moments, target, batch, learning_rate, *weights):
        """An update as a function, which is compiled: weights and moments after it, and what is logged."""
        (loss, logged), gradients = jax.value_and_grad(self.loss, has_aux=True)(online, target, batch, *weights)
        shrink = jnp.minimum(self.args.max_norm / optax.tree.norm(gradients), 1.0)  # only: max_norm
        gradients = jax.tree.map(lambda gradient: gradient * shrink, gradients)  # only: max_norm
        steps, moments = self.optimiser.update(gradients, moments)
        online = jax.tree.map(lambda weight, step: weight - learning_rate * step, online, steps)
        return online, moments, {"loss": loss, **logged}

    def sync_target(self):  # only: off_policy
        self.target = self.online  # which stays as it is: an update makes new arrays

    def unrolled(self, weights, batch):  # only: not dqn
        """What it gives for the steps that are learned from; a burn-in before them only fills the memory."""
        start = self.args.burn_in  # only: burn_in
        state = self.outputs(weights, batch.obs[:start], batch.state, batch.reset[:start])[1]  # only: burn_in
        state = jax.lax.stop_gradient(state)  # the burn-in only brings the memory up to date  # only: burn_in
        return self.outputs(weights, batch.obs[start:], state, batch.reset[start:])[0]  # only: burn_in
        return self.outputs(weights, batch.obs, batch.state, batch.reset)[0]  # only: not burn_in


class DQN(Agent):
    def act(self, obs):
        """Q values [N, A] of observations [N, ...]."""
        obs = obs.astype(self.floats)  # only: not pictures
        return np.asarray(self.forward(self.online, obs))

    def loss(self, online, target, batch):
        q = self.outputs(online, batch.obs)  # [B, A]
        taken = jnp.take_along_axis(q, batch.action[:, None], axis=1)[:, 0]
        next_q = chooser = self.outputs(target, batch.next_obs)
        # What the one network chooses, the other one values.  # only: double
        chooser = self.outputs(online, batch.next_obs)  # only: double
        best = jnp.take_along_axis(next_q, chooser.argmax(axis=1)[:, None], axis=1)[:, 0]
        error = jax.lax.stop_gradient(batch.reward + batch.discount * best) - taken
        # Huber's loss (1964): half the square of an error up to delta, linear beyond.  # only: huber
        near = jnp.minimum(jnp.abs(error), self.args.delta)  # only: huber
        each = 0.5 * jnp.square(near) + self.args.delta * (jnp.abs(error) - near)  # only: huber
        each = jnp.square(error)  # only: squared
        each = jnp.abs(error)  # only: absolute
        return each.mean(), {"q_mean": q.max(axis=1).mean()}


class DRQN(Agent):
    def loss(self, online, target, batch):
        q, steps = self.unrolled(online, batch), len(batch.action)  # [L + n, B, A]
        taken = jnp.take_along_axis(q[:steps], batch.action[..., None], axis=2)[..., 0]  # [L, B]
        next_q = self.unrolled(target, batch)
        best = jnp.take_along_axis(next_q, q.argmax(axis=2)[..., None], axis=2)[..., 0]  # chosen by q  # only: double
        best = jnp.take_along_axis(next_q, next_q.argmax(axis=2)[..., None], axis=2)[..., 0]  # only: not double
        best = jnp.take_along_axis(best, jnp.arange(steps)[:, None] + batch.ahead, axis=0)  # only: n_step
        best = best[1:]  # one step on  # only: not n_step
        error = jax.lax.stop_gradient(batch.reward + batch.discount * best) - taken
        # Huber's loss (1964): half the square of an error up to delta, linear beyond.  # only: huber
        near = jnp.minimum(jnp.abs(error), self.args.delta)  # only: huber
        each = 0.5 * jnp.square(near) + self.args.delta * (jnp.abs(error) - near)  # only: huber
        each = jnp.square(error)  # only: squared
        each = jnp.abs(error)  # only: absolute
        living = batch.mask.sum()
        q_mean = (batch.mask * q[:steps].max(axis=2)).sum() / living
        return (batch.mask * each).sum() / living, {"q_mean": q_mean}


class ActorCritic(Agent):
    def loss(self, online, target, batch, entropy_weight, clip=None):
        mask, advantage = batch.mask[self.args.burn_in :], batch.advantage[self.args.burn_in :]

        def mean(x):
            return (x * mask).sum() / mask.sum()  # over the steps in which an action was taken

        outputs = self.unrolled(online, batch)  # logits and, last, the value
        log_probs = jax.nn.log_softmax(outputs[..., :-1])
        action = batch.action[self.args.burn_in :]
        taken = jnp.take_along_axis(log_probs, action[..., None], axis=-1)[..., 0]
        advantage = advantage - mean(advantage)  # only: normalise
        advantage = advantage / (jnp.sqrt(mean(jnp.square(advantage))) + 1e-8)  # only: normalise
        gain = advantage * taken  # only: not ppo
        ratio = jnp.exp(taken - batch.log_prob[self.args.burn_in :])  # only: ppo
        gain = jnp.minimum(ratio * advantage, jnp.clip(ratio, 1 - clip, 1 + clip) * advantage)  # only: ppo
        policy_loss, entropy = -mean(gain), mean(-(jnp.exp(log_probs) * log_probs).sum(axis=-1))
        error = batch.returns[self.args.burn_in :] - outputs[..., -1]
        # Huber's loss (1964): half the square of an error up to delta, linear beyond.  # only: huber
        near = jnp.minimum(jnp.abs(error), self.args.delta)  # only: huber
        each = 0.5 * jnp.square(near) + self.args.delta * (jnp.abs(error) - near)  # only: huber
        each = jnp.square(error)  # only: squared
        each = jnp.abs(error)  # only: absolute
        value_loss = mean(each)
        loss = policy_loss + self.args.value_weight * value_loss - entropy_weight * entropy
        return loss, {"policy_loss": policy_loss, "value_loss": value_loss, "entropy": entropy}
