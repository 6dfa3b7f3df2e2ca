"""The layers that need more than the framework offers: the dueling and the actor-critic head, and the memory kinds.

A memory is (x [T, B, *input], state [B, S], reset [T, B]) to (y [T, B, ...], state [B, S]).

A module's parameters carry the names of the spec; those with two axes lie transposed, (out, in), as PyTorch has them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from triptych.spec import GRU, LSTM, RNN, ActorCritic, Attention, Dueling, Placed, Stack, VisualAttention


class Parameters(nn.Module):
    """A module with a parameter for each tensor of a layer's spec."""

    kernel: Tensor
    recurrent_kernel: Tensor
    recurrent_bias: Tensor
    bias: Tensor
    distance_bias: Tensor

    def __init__(self, spec: Any, tensors: dict[str, tuple[int, ...]]):
        super().__init__()
        self.spec = spec
        for name, shape in tensors.items():
            self.register_parameter(name, nn.Parameter(torch.zeros(*reversed(shape))))

    def dense(self, name: str, x: Tensor) -> Tensor:
        """x W + b of the parameters `<name>_kernel` and `<name>_bias`."""
        return F.linear(x, getattr(self, f"{name}_kernel"), getattr(self, f"{name}_bias", None))


def pieces(reset: Tensor) -> list[tuple[int, int]]:
    """[T, B] cut where any game starts an episode, so that a fused kernel can run through each piece."""
    if len(reset) == 1:  # a step that is played, and all that an exporter can follow
        return [(0, 1)]
    cuts = torch.nonzero(reset[1:].any(dim=1)).flatten().tolist()
    return list(pairwise([0, *(cut + 1 for cut in cuts), len(reset)]))


class Fused(Parameters, ABC):
    """A recurrent layer of PyTorch's own, piece by piece. One bias, as the other frameworks have: a second one would count twice."""

    def forward(self, x: Tensor, state: Tensor, reset: Tensor) -> tuple[Tensor, Tensor]:
        outputs = []
        for start, end in pieces(reset):
            state = state.masked_fill(reset[start][:, None], 0)
            y, state = self.piece(x[start:end], state)
            outputs.append(y)
        y = torch.cat(outputs)
        return (torch.cat([y, x], dim=-1) if self.spec.skip else y), state

    def parameters_with(self, recurrent_bias: Tensor) -> list[Tensor]:
        return [self.kernel, self.recurrent_kernel, self.bias, recurrent_bias]

    @abstractmethod
    def piece(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """The framework's kernel over a stretch in which no episode starts."""


OPTIONS = (
    True,
    1,
    0.0,
    True,
    False,
    False,
)  # has biases, one layer, no dropout, gradients may follow, one way, time first


class FusedRNN(Fused):
    def piece(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        y, h = torch.rnn_tanh(x, state[None], self.parameters_with(torch.zeros_like(self.bias)), *OPTIONS)
        return y, h[0]


class FusedGRU(Fused):
    def piece(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        recurrent_bias = F.pad(self.recurrent_bias, (2 * self.spec.units, 0))  # r and z have theirs in `bias`
        y, h = torch.gru(x, state[None], self.parameters_with(recurrent_bias), *OPTIONS)
        return y, h[0]


class FusedLSTM(Fused):
    def piece(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        before = tuple(half[None].contiguous() for half in state.chunk(2, dim=1))
        y, h, c = torch.lstm(x, before, self.parameters_with(torch.zeros_like(self.bias)), *OPTIONS)
        return y, torch.cat([h[0], c[0]], dim=1)


def episodes_of(reset: Tensor, before: int) -> Tensor:
    """[before + T, B] a number for each step's episode; the steps before the first are of the episode under way."""
    return F.pad(torch.cumsum(reset, dim=0), (0, 0, before, 0))


class FrameWindow(Parameters):
    """The last inputs side by side, oldest first. State: those before this one."""

    def forward(self, x: Tensor, state: Tensor, reset: Tensor) -> tuple[Tensor, Tensor]:
        before, (steps, batch, size) = self.spec.length - 1, x.shape
        past = state.unflatten(1, (before, size)).transpose(0, 1)
        inputs, episodes = torch.cat([past, x]), episodes_of(reset, before)
        now = episodes[before:]
        seen = [
            inputs[back : back + steps] * (episodes[back : back + steps] == now)[..., None]
            for back in range(before + 1)
        ]
        kept = inputs[steps:] * (episodes[steps:] == now[-1])[..., None]
        return torch.cat(seen, dim=-1), kept.transpose(0, 1).reshape(batch, -1)


class TransformerBlock(Parameters):
    """Attention over the last steps of the episode, then a hidden layer. State: the inputs before this one, which of them count."""

    def forward(self, x: Tensor, state: Tensor, reset: Tensor) -> tuple[Tensor, Tensor]:
        before, size = self.spec.length - 1, self.spec.units
        x = self.dense("embed", x)
        past, flags = state[:, : before * size].unflatten(1, (before, size)), state[:, before * size :]
        inputs = torch.cat([past.transpose(0, 1), x])  # [S, B, D], S = before + T
        lives = torch.cat([flags.T, torch.ones_like(x[..., 0])])  # [S, B]
        episodes = episodes_of(reset, before)
        mixed = self.attend(inputs, lives, episodes, len(x))
        y = self.join(1, x, mixed)
        z = self.join(2, y, self.dense("down", torch.relu(self.dense("hidden", self.norm(2, y)))))
        lives = lives[len(x) :] * (episodes[len(x) :] == episodes[-1])
        kept = (inputs[len(x) :] * lives[..., None]).transpose(0, 1).reshape(x.shape[1], -1)
        return z, torch.cat([kept, lives.T], dim=1)

    def norm(self, index: int, x: Tensor) -> Tensor:
        scale, bias = getattr(self, f"norm_{index}_scale"), getattr(self, f"norm_{index}_bias")
        return F.layer_norm(x, scale.shape, scale, bias, 1e-5)

    def attend(self, inputs: Tensor, lives: Tensor, episodes: Tensor, steps: int) -> Tensor:
        """Each of the last `steps` of `inputs` [S, B, D] looks at its window."""
        heads, length = self.spec.heads, self.spec.length
        normal = self.norm(1, inputs)
        query, key, value = (
            self.dense(name, given).unflatten(-1, (heads, -1))
            for name, given in (("query", normal[-steps:]), ("key", normal), ("value", normal))
        )
        scores = torch.einsum("tbhd,sbhd->bhts", query, key) / query.shape[-1] ** 0.5
        place = torch.arange(len(inputs), device=inputs.device) - torch.arange(steps, device=inputs.device)[:, None]
        scores = scores + self.distance_bias.T[:, place.clamp(0, length - 1)]
        seen = (place >= 0) & (place < length)  # [T, S]
        same = episodes.T[:, None] == episodes[-steps:].T[:, :, None]  # [B, T, S]
        mask = seen & same & (lives.T[:, None] > 0)
        scores = scores.masked_fill(~mask[:, None], torch.finfo(scores.dtype).min)
        mixed = torch.einsum("bhts,sbhd->tbhd", torch.softmax(scores, dim=-1), value)
        return self.dense("out", mixed.flatten(-2))

    def join(self, index: int, x: Tensor, y: Tensor) -> Tensor:
        """The residual path, or GTrXL's gate in its place."""
        if not self.spec.gated:
            return x + y
        kernel = getattr(self, f"gate_{index}_kernel").chunk(3)
        recurrent = getattr(self, f"gate_{index}_recurrent_kernel").chunk(3)
        y = torch.relu(y)
        r = torch.sigmoid(F.linear(y, kernel[0]) + F.linear(x, recurrent[0]))
        z = torch.sigmoid(F.linear(y, kernel[1]) + F.linear(x, recurrent[1]) - getattr(self, f"gate_{index}_bias"))
        new = torch.tanh(F.linear(y, kernel[2]) + F.linear(r * x, recurrent[2]))
        return (1 - z) * x + z * new


class LookingLSTM(Parameters):
    """An LSTM that weighs the places of a map by what it remembers. State: h, then c."""

    def forward(self, x: Tensor, state: Tensor, reset: Tensor) -> tuple[Tensor, Tensor]:
        places = x.flatten(2, 3)  # [T, B, P, C]
        weighed = self.dense("place", places)
        h, c = state.chunk(2, dim=1)
        outputs = []
        for t in range(len(x)):
            h, c = (half.masked_fill(reset[t][:, None], 0) for half in (h, c))
            scores = self.dense("weight", torch.tanh(weighed[t] + self.dense("state", h)[:, None]))
            seen = (torch.softmax(scores, dim=1) * places[t]).sum(dim=1)
            gates = F.linear(seen, self.kernel, self.bias) + F.linear(h, self.recurrent_kernel)
            i, f, g, o = gates.chunk(4, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            outputs.append(h)
        return torch.stack(outputs), torch.cat([h, c], dim=1)


class DuelingHead(Parameters):
    """V + A - mean A from two streams."""

    def forward(self, x: Tensor) -> Tensor:
        value = self.dense("value", torch.relu(self.dense("value_hidden", x)))
        advantage = self.dense("advantage", torch.relu(self.dense("advantage_hidden", x)))
        return value + advantage - advantage.mean(dim=1, keepdim=True)


class ActorCriticHead(Parameters):
    """The policy's logits, and the value behind them."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.stream("policy", x), self.stream("value", x)], dim=-1)

    def stream(self, name: str, x: Tensor) -> Tensor:
        """The layers of one of the two alone, then its outputs."""
        activation = torch.tanh if self.spec.hidden_activation == "tanh" else torch.relu
        for index in range(1, len(getattr(self.spec, f"{name}_units")) + 1):
            x = activation(self.dense(f"{name}_hidden_{index}", x))
        return self.dense(name, x)


def builder(module: type[Parameters]) -> Callable[[Placed], nn.Module]:
    return lambda placed: module(placed.layer, placed.layer.tensors(placed.input_shape))


MODULES = {
    ActorCritic: ActorCriticHead,
    Dueling: DuelingHead,
    Stack: FrameWindow,
    RNN: FusedRNN,
    GRU: FusedGRU,
    LSTM: FusedLSTM,
    Attention: TransformerBlock,
    VisualAttention: LookingLSTM,
}
OWN: dict[type, Any] = {spec: builder(module) for spec, module in MODULES.items()}
