"""The layers that need more than the framework offers: the dueling and the actor-critic head, and the memory kinds.

A memory is (x [T, B, *input], state [B, S], reset [T, B]) to (y [T, B, ...], state [B, S]).

T is known when a function is traced, so loops over time are written out in its graph.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from triptych.spec import GRU, LSTM, RNN, ActorCritic, Attention, Dueling, Placed, Stack, VisualAttention


class Parameters(keras.layers.Layer):
    """A layer with a weight for each tensor of its spec."""

    def __init__(self, spec: Any, tensors: dict[str, tuple[int, ...]], policy: str, name: str):
        super().__init__(dtype=policy, name=name)
        self.spec = spec
        for name, shape in tensors.items():
            setattr(self, name, self.add_weight(shape=shape, initializer="zeros", name=name))
        self.built = True

    def dense(self, name: str, x):
        """x W + b of the weights `<name>_kernel` and `<name>_bias`."""
        y, bias = ops.matmul(x, getattr(self, f"{name}_kernel")), getattr(self, f"{name}_bias", None)
        return y if bias is None else y + bias


def lengths(x) -> list[Any]:
    """Of an array's axes: numbers, or TensorFlow's own where an axis was left open, as in what is exported."""
    return [tf.shape(x)[axis] if length is None else length for axis, length in enumerate(x.shape)]


def cleared(state, starts):
    """The state [B, S], zeroed where an episode starts [B]."""
    return tf.where(starts[:, None], tf.zeros_like(state), state)


class Recurrent(Parameters):
    """A recurrent layer: the input's products for all steps at once, then step by step."""

    def call(self, x, state, reset):
        products = tf.unstack(ops.matmul(x, self.kernel) + self.bias)
        outputs = []
        for product, starts in zip(products, tf.unstack(reset), strict=True):
            state = self.step(product, cleared(state, starts))
            outputs.append(state[:, : self.spec.units])
        y = tf.stack(outputs)
        return (tf.concat([y, x], axis=-1) if self.spec.skip else y), state


class RNNLayer(Recurrent):
    def step(self, product, h):
        return tf.tanh(product + ops.matmul(h, self.recurrent_kernel))


class GRULayer(Recurrent):
    def step(self, product, h):
        r, z, n = tf.split(product, 3, axis=-1)
        recurrent_r, recurrent_z, recurrent_n = tf.split(ops.matmul(h, self.recurrent_kernel), 3, axis=-1)
        r, z = tf.sigmoid(r + recurrent_r), tf.sigmoid(z + recurrent_z)
        n = tf.tanh(n + r * (recurrent_n + self.recurrent_bias))
        return (1 - z) * n + z * h


def lstm_step(gates, c):
    i, f, g, o = tf.split(gates, 4, axis=-1)
    c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
    return tf.concat([tf.sigmoid(o) * tf.tanh(c), c], axis=-1)


class LSTMLayer(Recurrent):
    def step(self, product, state):
        h, c = tf.split(state, 2, axis=-1)
        return lstm_step(product + ops.matmul(h, self.recurrent_kernel), c)


def episodes_of(reset, before: int):
    """[before + T, B] a number for each step's episode; the steps before the first are of the episode under way."""
    return tf.pad(tf.cumsum(tf.cast(reset, "int32"), axis=0), ((before, 0), (0, 0)))


def where_same(part, episodes, now):
    """A part [N, B, ...] of the inputs, zero where it is of another episode than `now`."""
    same = tf.reshape(episodes == now, (*lengths(part)[:2], *[1] * (len(part.shape) - 2)))
    return tf.where(same, part, tf.zeros_like(part))


class FrameWindow(Parameters):
    """The last inputs side by side, oldest first. State: those before this one."""

    def call(self, x, state, reset):
        before, (steps, batch, size) = self.spec.length - 1, lengths(x)
        past = tf.transpose(tf.reshape(state, (batch, before, size)), (1, 0, 2))
        inputs, episodes = tf.concat([past, x], axis=0), episodes_of(reset, before)
        now = episodes[before:]
        seen = [where_same(inputs[b : b + steps], episodes[b : b + steps], now) for b in range(before + 1)]
        kept = where_same(inputs[steps:], episodes[steps:], now[-1:])
        return tf.concat(seen, axis=-1), tf.reshape(tf.transpose(kept, (1, 0, 2)), (batch, before * size))


class TransformerBlock(Parameters):
    """Attention over the last steps of the episode, then a hidden layer. State: the inputs before this one, which of them count."""

    def call(self, x, state, reset):
        before, size = self.spec.length - 1, self.spec.units
        x = self.dense("embed", x)
        steps, batch, _ = lengths(x)
        past, flags = tf.reshape(state[:, : before * size], (batch, before, size)), state[:, before * size :]
        inputs = tf.concat([tf.transpose(past, (1, 0, 2)), x], axis=0)  # [S, B, D], S = before + T
        lives = tf.concat([tf.transpose(flags), tf.ones_like(x[..., 0])], axis=0)  # [S, B]
        episodes = episodes_of(reset, before)
        y = self.join(1, x, self.attend(inputs, lives, episodes, steps))
        z = self.join(2, y, self.dense("down", tf.nn.relu(self.dense("hidden", self.norm(2, y)))))
        lives = where_same(lives[steps:], episodes[steps:], episodes[-1:])
        kept = tf.transpose(inputs[steps:] * lives[..., None], (1, 0, 2))
        kept = tf.reshape(kept, (batch, before * size))
        return z, tf.concat([kept, tf.transpose(lives)], axis=1)

    def norm(self, index: int, x):
        centred = x - tf.reduce_mean(x, axis=-1, keepdims=True)
        normal = centred / tf.sqrt(tf.reduce_mean(tf.square(centred), axis=-1, keepdims=True) + 1e-5)
        return normal * getattr(self, f"norm_{index}_scale") + getattr(self, f"norm_{index}_bias")

    def attend(self, inputs, lives, episodes, steps: int):
        """Each of the last `steps` of `inputs` [S, B, D] looks at its window."""
        heads, length = self.spec.heads, self.spec.length
        size = self.spec.units // heads
        normal = self.norm(1, inputs)
        pairs = (("query", normal[-steps:]), ("key", normal), ("value", normal))
        query, key, value = (tf.reshape(self.dense(name, x), (*lengths(x)[:2], heads, size)) for name, x in pairs)
        scores = tf.einsum("tbhd,sbhd->bhts", query, key) / size**0.5
        place = tf.range(inputs.shape[0])[None] - tf.range(steps)[:, None]
        scores += tf.gather(self.distance_bias, tf.clip_by_value(place, 0, length - 1), axis=1)
        seen = (place >= 0) & (place < length)  # [T, S]
        same = tf.transpose(episodes)[:, None] == tf.transpose(episodes[-steps:])[:, :, None]  # [B, T, S]
        mask = seen & same & (tf.transpose(lives)[:, None] > 0)
        scores = tf.where(mask[:, None], scores, scores.dtype.min)
        mixed = tf.einsum("bhts,sbhd->tbhd", tf.nn.softmax(scores), value)
        return self.dense("out", tf.reshape(mixed, (steps, lengths(inputs)[1], heads * size)))

    def join(self, index: int, x, y):
        """The residual path, or GTrXL's gate in its place."""
        if not self.spec.gated:
            return x + y
        kernel = tf.split(getattr(self, f"gate_{index}_kernel"), 3, axis=1)
        recurrent = tf.split(getattr(self, f"gate_{index}_recurrent_kernel"), 3, axis=1)
        y = tf.nn.relu(y)
        r = tf.sigmoid(ops.matmul(y, kernel[0]) + ops.matmul(x, recurrent[0]))
        z = ops.matmul(y, kernel[1]) + ops.matmul(x, recurrent[1]) - getattr(self, f"gate_{index}_bias")
        z = tf.sigmoid(z)
        new = tf.tanh(ops.matmul(y, kernel[2]) + ops.matmul(r * x, recurrent[2]))
        return (1 - z) * x + z * new


class LookingLSTM(Parameters):
    """An LSTM that weighs the places of a map by what it remembers. State: h, then c."""

    def call(self, x, state, reset):
        steps, batch, height, width, channels = lengths(x)
        places = tf.reshape(x, (steps, batch, height * width, channels))
        weighed, outputs = self.dense("place", places), []
        for t in range(steps):
            h, c = tf.split(cleared(state, reset[t]), 2, axis=-1)
            scores = self.dense("weight", tf.tanh(weighed[t] + self.dense("state", h)[:, None]))
            seen = tf.reduce_sum(tf.nn.softmax(scores, axis=1) * places[t], axis=1)
            gates = ops.matmul(seen, self.kernel) + self.bias + ops.matmul(h, self.recurrent_kernel)
            state = lstm_step(gates, c)
            outputs.append(state[:, : self.spec.units])
        return tf.stack(outputs), state


class DuelingHead(Parameters):
    """V + A - mean A from two streams."""

    def call(self, x):
        value = self.dense("value", ops.relu(self.dense("value_hidden", x)))
        advantage = self.dense("advantage", ops.relu(self.dense("advantage_hidden", x)))
        return value + advantage - ops.mean(advantage, axis=1, keepdims=True)


class ActorCriticHead(Parameters):
    """The policy's logits, and the value behind them."""

    def call(self, x):
        return ops.concatenate([self.stream("policy", x), self.stream("value", x)], axis=-1)

    def stream(self, name: str, x):
        """The layers of one of the two alone, then its outputs."""
        activation = ops.tanh if self.spec.hidden_activation == "tanh" else ops.relu
        for index in range(1, len(getattr(self.spec, f"{name}_units")) + 1):
            x = activation(self.dense(f"{name}_hidden_{index}", x))
        return self.dense(name, x)


def build(layer: type[Parameters], placed: Placed, policy: str) -> Parameters:
    return layer(placed.layer, placed.layer.tensors(placed.input_shape), policy, placed.name)


MODULES = {
    ActorCritic: ActorCriticHead,
    Dueling: DuelingHead,
    Stack: FrameWindow,
    RNN: RNNLayer,
    GRU: GRULayer,
    LSTM: LSTMLayer,
    Attention: TransformerBlock,
    VisualAttention: LookingLSTM,
}
OWN: dict[type, Any] = {spec: partial(build, layer) for spec, layer in MODULES.items()}
