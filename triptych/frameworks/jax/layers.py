"""The layers that need more than the framework offers: the dueling and the actor-critic head, and the memory kinds.

A memory is (x [T, B, *input], state [B, S], reset [T, B]) to (y [T, B, ...], state [B, S])."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
from flax import linen as nn
from jax import numpy as jnp

from triptych.spec import GRU, LSTM, RNN, ActorCritic, Attention, Dueling, Placed, Stack, VisualAttention


class Parameters(nn.Module):
    """A module with a parameter for each tensor of a layer's spec."""

    spec: Any
    tensors: Any  # name: shape
    stored: str

    def setup(self):
        for name, shape in self.tensors.items():
            setattr(self, name, self.param(name, nn.initializers.zeros, shape, self.stored))

    def dense(self, name: str, x):
        """x W + b of the parameters `<name>_kernel` and `<name>_bias`."""
        y = x @ getattr(self, f"{name}_kernel")
        bias = getattr(self, f"{name}_bias", None)
        return y if bias is None else y + jnp.broadcast_to(bias, y.shape)


def spread(vector, like):
    """[D] to the shape of `like` [..., D], written out: nothing is broadcast unnoticed."""
    return jnp.broadcast_to(vector, like.shape)


def scan(step, state, reset, *inputs):
    """`step(state, *inputs[t]) -> (state, y)` over time; the state is zeroed where an episode starts."""

    def masked(state, given):
        starts, *rest = given
        return step(jnp.where(starts[:, None], jnp.zeros_like(state), state), *rest)

    state, y = jax.lax.scan(masked, state, (reset, *inputs))
    return y, state


class Recurrent(Parameters):
    """A recurrent layer: the input's products for all steps at once, then a scan."""

    def __call__(self, x, state, reset):
        products = x @ self.kernel
        products = products + spread(self.bias, products)
        y, state = scan(self.step, state, reset, products)
        return (jnp.concatenate([y, x], axis=-1) if self.spec.skip else y), state


class RNNLayer(Recurrent):
    def step(self, h, product):
        h = jnp.tanh(product + h @ self.recurrent_kernel)
        return h, h


class GRULayer(Recurrent):
    def step(self, h, product):
        r, z, n = jnp.split(product, 3, axis=-1)
        recurrent_r, recurrent_z, recurrent_n = jnp.split(h @ self.recurrent_kernel, 3, axis=-1)
        r, z = jax.nn.sigmoid(r + recurrent_r), jax.nn.sigmoid(z + recurrent_z)
        n = jnp.tanh(n + r * (recurrent_n + spread(self.recurrent_bias, recurrent_n)))
        h = (1 - z) * n + z * h
        return h, h


def lstm_step(gates, c):
    i, f, g, o = jnp.split(gates, 4, axis=-1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


class LSTMLayer(Recurrent):
    def step(self, state, product):
        h, c = jnp.split(state, 2, axis=-1)
        h, c = lstm_step(product + h @ self.recurrent_kernel, c)
        return jnp.concatenate([h, c], axis=-1), h


def episodes_of(reset, before: int):
    """[before + T, B] a number for each step's episode; the steps before the first are of the episode under way."""
    return jnp.pad(jnp.cumsum(reset, axis=0, dtype="int32"), ((before, 0), (0, 0)))


class FrameWindow(Parameters):
    """The last inputs side by side, oldest first. State: those before this one."""

    def __call__(self, x, state, reset):
        before, (steps, batch, size) = self.spec.length - 1, x.shape
        past = jnp.swapaxes(state.reshape((batch, before, size)), 0, 1)
        inputs, episodes = jnp.concatenate([past, x]), episodes_of(reset, before)

        def within(part, numbers, now):
            return jnp.where((numbers == now)[..., None], part, jnp.zeros_like(part))

        now = episodes[before:]
        seen = [within(inputs[b : b + steps], episodes[b : b + steps], now) for b in range(before + 1)]
        kept = within(inputs[steps:], episodes[steps:], jnp.broadcast_to(now[-1], episodes[steps:].shape))
        return jnp.concatenate(seen, axis=-1), jnp.swapaxes(kept, 0, 1).reshape((batch, -1))


class TransformerBlock(Parameters):
    """Attention over the last steps of the episode, then a hidden layer. State: the inputs before this one, which of them count."""

    def __call__(self, x, state, reset):
        before, size = self.spec.length - 1, self.spec.units
        x = self.dense("embed", x)
        steps, batch, _ = x.shape
        past, flags = state[:, : before * size].reshape((batch, before, size)), state[:, before * size :]
        inputs = jnp.concatenate([jnp.swapaxes(past, 0, 1), x])  # [S, B, D], S = before + T
        lives = jnp.concatenate([flags.T, jnp.ones_like(x[..., 0])])  # [S, B]
        episodes = episodes_of(reset, before)
        y = self.join(1, x, self.attend(inputs, lives, episodes, steps))
        z = self.join(2, y, self.dense("down", jax.nn.relu(self.dense("hidden", self.norm(2, y)))))
        same = episodes[steps:] == jnp.broadcast_to(episodes[-1], episodes[steps:].shape)
        lives = jnp.where(same, lives[steps:], jnp.zeros_like(lives[steps:]))
        kept = jnp.swapaxes(inputs[steps:] * lives[..., None], 0, 1).reshape((batch, -1))
        return z, jnp.concatenate([kept, lives.T], axis=1)

    def norm(self, index: int, x):
        centred = x - jnp.mean(x, axis=-1, keepdims=True)
        normal = centred / jnp.sqrt(jnp.mean(jnp.square(centred), axis=-1, keepdims=True) + 1e-5)
        scale, bias = getattr(self, f"norm_{index}_scale"), getattr(self, f"norm_{index}_bias")
        return normal * spread(scale, normal) + spread(bias, normal)

    def attend(self, inputs, lives, episodes, steps: int):
        """Each of the last `steps` of `inputs` [S, B, D] looks at its window."""
        heads, length = self.spec.heads, self.spec.length
        normal = self.norm(1, inputs)
        pairs = (("query", normal[-steps:]), ("key", normal), ("value", normal))
        query, key, value = (self.dense(name, x).reshape((*x.shape[:2], heads, -1)) for name, x in pairs)
        scores = jnp.einsum("tbhd,sbhd->bhts", query, key) / query.shape[-1] ** 0.5
        place = jnp.arange(len(inputs))[None] - jnp.arange(steps)[:, None]
        scores = scores + jnp.broadcast_to(self.distance_bias[:, jnp.clip(place, 0, length - 1)], scores.shape)
        seen = (place >= 0) & (place < length)  # [T, S]
        same = episodes.T[:, None] == episodes[-steps:].T[:, :, None]  # [B, T, S]
        mask = seen[None] & same & (lives.T[:, None] > 0)
        scores = jnp.where(mask[:, None], scores, jnp.finfo(scores.dtype).min)
        mixed = jnp.einsum("bhts,sbhd->tbhd", jax.nn.softmax(scores, axis=-1), value)
        return self.dense("out", mixed.reshape((steps, inputs.shape[1], -1)))

    def join(self, index: int, x, y):
        """The residual path, or GTrXL's gate in its place."""
        if not self.spec.gated:
            return x + y
        kernel = jnp.split(getattr(self, f"gate_{index}_kernel"), 3, axis=1)
        recurrent = jnp.split(getattr(self, f"gate_{index}_recurrent_kernel"), 3, axis=1)
        y = jax.nn.relu(y)
        r = jax.nn.sigmoid(y @ kernel[0] + x @ recurrent[0])
        z = y @ kernel[1] + x @ recurrent[1]
        z = jax.nn.sigmoid(z - spread(getattr(self, f"gate_{index}_bias"), z))
        new = jnp.tanh(y @ kernel[2] + (r * x) @ recurrent[2])
        return (1 - z) * x + z * new


class LookingLSTM(Parameters):
    """An LSTM that weighs the places of a map by what it remembers. State: h, then c."""

    def __call__(self, x, state, reset):
        places = x.reshape((*x.shape[:2], -1, x.shape[-1]))  # [T, B, P, C]
        return scan(self.step, state, reset, places, self.dense("place", places))

    def step(self, state, places, weighed):
        h, c = jnp.split(state, 2, axis=-1)
        question = self.dense("state", h)[:, None]
        scores = self.dense("weight", jnp.tanh(weighed + question))
        seen = jnp.sum(jax.nn.softmax(scores, axis=1) * places, axis=1)
        product = seen @ self.kernel
        gates = product + spread(self.bias, product) + h @ self.recurrent_kernel
        h, c = lstm_step(gates, c)
        return jnp.concatenate([h, c], axis=-1), h


class DuelingHead(Parameters):
    """V + A - mean A from two streams."""

    def __call__(self, x):
        value = self.dense("value", jax.nn.relu(self.dense("value_hidden", x)))
        advantage = self.dense("advantage", jax.nn.relu(self.dense("advantage_hidden", x)))
        return value + advantage - jnp.mean(advantage, axis=1, keepdims=True)


class ActorCriticHead(Parameters):
    """The policy's logits, and the value behind them."""

    def __call__(self, x):
        return jnp.concatenate([self.stream("policy", x), self.stream("value", x)], axis=-1)

    def stream(self, name: str, x):
        """The layers of one of the two alone, then its outputs."""
        activation = jnp.tanh if self.spec.hidden_activation == "tanh" else jax.nn.relu
        for index in range(1, len(getattr(self.spec, f"{name}_units")) + 1):
            x = activation(self.dense(f"{name}_hidden_{index}", x))
        return self.dense(name, x)


def build(module: type[Parameters], placed: Placed, stored: str, compute: str) -> nn.Module:
    return module(placed.layer, placed.layer.tensors(placed.input_shape), stored, name=placed.name)


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
OWN: dict[type, Any] = {spec: partial(build, module) for spec, module in MODULES.items()}
