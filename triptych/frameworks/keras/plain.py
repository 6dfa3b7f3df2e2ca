"""Agents in plain Keras, as `triptych show --loop` writes them into files. No run imports this: it is copied as text.

A test trains what is written beside Triptych's own run, in float64: actions and losses are the same. The marks
(`# only:`) say which recipes' files have a line; see `report/show/loops/choose.py`.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from keras import layers, ops


class Tensors(layers.Layer):
    """A layer with weights of these names and shapes."""

    def __init__(self, shapes, **settings):
        super().__init__(**settings)
        for name, shape in shapes.items():
            setattr(self, name, self.add_weight(shape=shape, initializer="zeros", name=name))
        self.built = True


class ActorCriticHead(Tensors):
    def call(self, x):
        """The policy's logits and, last, the value."""
        policy = ops.matmul(x, self.policy_kernel) + self.policy_bias
        return ops.concatenate([policy, ops.matmul(x, self.value_kernel) + self.value_bias], axis=-1)


class Memory(Tensors):
    def call(self, x, state, reset):
        """An LSTM, step by step; its state (h, then c) is cleared where an episode begins."""  # only: lstm
        """A GRU, step by step; its state is cleared where an episode begins."""  # only: gru
        """A plain recurrent layer, step by step; its state is cleared where an episode begins."""  # only: rnn
        outputs, products = [], ops.matmul(x, self.kernel) + self.bias
        for product, begins in zip(tf.unstack(products), tf.unstack(reset), strict=True):
            state = tf.where(begins[:, None], tf.zeros_like(state), state)
            h, c = tf.split(state, 2, axis=1)  # only: lstm
            i, f, g, o = tf.split(product + ops.matmul(h, self.recurrent_kernel), 4, axis=1)  # only: lstm
            c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)  # only: lstm
            h = tf.sigmoid(o) * tf.tanh(c)  # only: lstm
            state = tf.concat([h, c], axis=1)  # only: lstm
            r, z, n = tf.split(product, 3, axis=1)  # only: gru
            more_r, more_z, more_n = tf.split(ops.matmul(state, self.recurrent_kernel), 3, axis=1)  # only: gru
            r, z = tf.sigmoid(r + more_r), tf.sigmoid(z + more_z)  # only: gru
            n = tf.tanh(n + r * (more_n + self.recurrent_bias))  # only: gru
            h = state = (1 - z) * n + z * state  # only: gru
            h = state = tf.tanh(product + ops.matmul(state, self.recurrent_kernel))  # only: rnn
            outputs.append(h)
        return tf.stack(outputs), state  # only: not skip
        return tf.concat([tf.stack(outputs), x], axis=-1), state  # only: skip


class Agent:
    """A network and its optimiser. What goes in and out are NumPy's arrays."""

    def __init__(self, args, make_net, weights, state_size=0):
        self.args, self.online, self.state_size = args, make_net(), state_size
        self.target = make_net()  # only: off_policy
        self.floats = next(iter(weights.values())).dtype
        for layer in self.online.layers:
            for variable in layer.weights:
                variable.assign(weights[f"{layer.name}/{variable.name}"])
        self.weights = self.online.trainable_variables
        self.updates = tf.Variable(tf.zeros([], self.floats))  # only: adam
        self.m, self.v = ([tf.Variable(tf.zeros_like(one)) for one in self.weights] for _ in range(2))  # only: adam
        self.v = [tf.Variable(tf.zeros_like(one)) for one in self.weights]  # only: rmsprop
        self.forward, self.step = tf.function(self.online), tf.function(self.step)

    def initial_state(self, games):  # only: not off_policy
        return np.zeros((games, self.state_size), self.floats)

    def act(self, obs, state, started):  # only: not dqn
        """What the network gives for observations [N, ...], and the state of its memory after them."""
        obs = obs.astype(self.floats)  # only: not pictures
        outputs, state = self.forward(*map(tf.constant, (obs[None], state, started[None])))
        return outputs[0].numpy(), state.numpy()

    def update(self, batch, *given):
        """One step of the optimiser, with the learning rate given; returns what is logged."""
        return self.step(type(batch)(*map(tf.constant, batch)), *(tf.constant(one, self.floats) for one in given))

    def step(self, batch, learning_rate, *weights):
        """An update as a function of the graph, which is compiled."""
        with tf.GradientTape() as tape:
            loss, logged = self.loss(batch, *weights)
        gradients = tape.gradient(loss, self.weights)  # only: not max_norm
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, self.weights), self.args.max_norm)  # only: max_norm
        # Adam as published (Kingma & Ba 2015); Keras' own adds epsilon elsewhere.  # only: adam
        step, beta_1, beta_2 = self.updates.assign_add(1.0), self.args.beta_1, self.args.beta_2  # only: adam
        for weight, gradient, m, v in zip(self.weights, gradients, self.m, self.v, strict=True):  # only: adam
            m.assign(beta_1 * m + (1 - beta_1) * gradient)
            v.assign(beta_2 * v + (1 - beta_2) * tf.square(gradient))
            m_hat, v_hat = m / (1 - beta_1**step), v / (1 - beta_2**step)
            weight.assign_sub(learning_rate * m_hat / (tf.sqrt(v_hat) + self.args.adam_epsilon))
        for weight, gradient, v in zip(self.weights, gradients, self.v, strict=True):  # RMSprop  # only: rmsprop
            v.assign(self.args.rms_decay * v + (1 - self.args.rms_decay) * tf.square(gradient))
            weight.assign_sub(learning_rate * gradient / tf.sqrt(v + self.args.rms_epsilon))
        return {"loss": loss, **logged}

    def sync_target(self):  # only: off_policy
        self.target.set_weights(self.online.get_weights())

    def unrolled(self, net, batch):  # only: not dqn
        """What it gives for the steps that are learned from; a burn-in before them only fills the memory."""
        start = self.args.burn_in  # only: burn_in
        state = tf.stop_gradient(net(batch.obs[:start], batch.state, batch.reset[:start])[1])  # only: burn_in
        return net(batch.obs[start:], state, batch.reset[start:])[0]  # only: burn_in
        return net(batch.obs, batch.state, batch.reset)[0]  # only: not burn_in


class DQN(Agent):
    def act(self, obs):
        """Q values [N, A] of observations [N, ...]."""
        obs = obs.astype(self.floats)  # only: not pictures
        return self.forward(tf.constant(obs)).numpy()

    def loss(self, batch):
        q = self.online(batch.obs)  # [B, A]
        taken = tf.gather(q, batch.action, batch_dims=1)
        next_q = chooser = self.target(batch.next_obs)
        chooser = self.online(batch.next_obs)  # what the one network chooses, the other one values  # only: double
        best = tf.gather(next_q, ops.argmax(chooser, axis=1), batch_dims=1)
        error = tf.stop_gradient(batch.reward + batch.discount * best) - taken
        # Huber's loss (1964): half the square of an error up to delta, linear beyond.  # only: huber
        near = ops.minimum(ops.abs(error), self.args.delta)  # only: huber
        each = 0.5 * ops.square(near) + self.args.delta * (ops.abs(error) - near)  # only: huber
        each = ops.square(error)  # only: squared
        each = ops.abs(error)  # only: absolute
        return ops.mean(each), {"q_mean": ops.mean(ops.max(q, axis=1))}


class DRQN(Agent):
    def loss(self, batch):
        q, steps = self.unrolled(self.online, batch), batch.action.shape[0]  # [L + n, B, A]
        taken = tf.gather(q[:steps], batch.action, batch_dims=2)  # [L, B]
        next_q = self.unrolled(self.target, batch)
        best = tf.gather(next_q, ops.argmax(q, axis=2), batch_dims=2)  # chosen by q  # only: double
        best = tf.gather(next_q, ops.argmax(next_q, axis=2), batch_dims=2)  # only: not double
        best = ops.take_along_axis(best, tf.range(steps)[:, None] + batch.ahead, axis=0)  # only: n_step
        best = best[1:]  # one step on  # only: not n_step
        error = tf.stop_gradient(batch.reward + batch.discount * best) - taken
        # Huber's loss (1964): half the square of an error up to delta, linear beyond.  # only: huber
        near = ops.minimum(ops.abs(error), self.args.delta)  # only: huber
        each = 0.5 * ops.square(near) + self.args.delta * (ops.abs(error) - near)  # only: huber
        each = ops.square(error)  # only: squared
        each = ops.abs(error)  # only: absolute
        living = ops.sum(batch.mask)
        q_mean = ops.sum(batch.mask * ops.max(q[:steps], axis=2)) / living
        return ops.sum(batch.mask * each) / living, {"q_mean": q_mean}


class ActorCritic(Agent):
    def loss(self, batch, entropy_weight, clip=None):
        mask, advantage = batch.mask[self.args.burn_in :], batch.advantage[self.args.burn_in :]

        def mean(x):
            return ops.sum(x * mask) / ops.sum(mask)  # over the steps in which an action was taken

        outputs = self.unrolled(self.online, batch)  # logits and, last, the value
        log_probs = tf.nn.log_softmax(outputs[..., :-1])
        taken = tf.gather(log_probs, batch.action[self.args.burn_in :], batch_dims=2)
        advantage = advantage - mean(advantage)  # only: normalise
        advantage = advantage / (ops.sqrt(mean(ops.square(advantage))) + 1e-8)  # only: normalise
        gain = advantage * taken  # only: not ppo
        ratio = ops.exp(taken - batch.log_prob[self.args.burn_in :])  # only: ppo
        gain = ops.minimum(ratio * advantage, ops.clip(ratio, 1 - clip, 1 + clip) * advantage)  # only: ppo
        policy_loss, entropy = -mean(gain), mean(-ops.sum(ops.exp(log_probs) * log_probs, axis=-1))
        error = batch.returns[self.args.burn_in :] - outputs[..., -1]
        # Huber's loss (1964): half the square of an error up to delta, linear beyond.  # only: huber
        near = ops.minimum(ops.abs(error), self.args.delta)  # only: huber
        each = 0.5 * ops.square(near) + self.args.delta * (ops.abs(error) - near)  # only: huber
        each = ops.square(error)  # only: squared
        each = ops.abs(error)  # only: absolute
        value_loss = mean(each)
        loss = policy_loss + self.args.value_weight * value_loss - entropy_weight * entropy
        return loss, {"policy_loss": policy_loss, "value_loss": value_loss, "entropy": entropy}
