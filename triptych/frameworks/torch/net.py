"""A spec as a PyTorch module, and the module on parts of a batch, each on a thread of its own.

Pictures run channels-first in channels-last memory, PyTorch's fast form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from triptych.frameworks.torch.layers import OWN
from triptych.frameworks.torch.neural_map import MAPS
from triptych.spec import (
    Conv,
    Dense,
    Flatten,
    FrameAndDifference,
    FrameDifference,
    Network,
    Placed,
    builder_of,
    dtypes,
    each,
    first_of,
    parts_of,
)


class FlattenChannelsLast(nn.Module):
    """Flattens (C, H, W) in the order (H, W, C), which is how channels-last memory lies: no copy."""

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 2, 3, 1).flatten(1)


class Difference(nn.Module):
    """The newer half of the channels minus the older half."""

    def forward(self, x: Tensor) -> Tensor:
        older, newer = x.chunk(2, dim=1)
        return newer - older


class FrameBesideDifference(nn.Module):
    """The newer half of the channels, light and dark swapped, beside its difference from the older half."""

    def __init__(self, layer: FrameAndDifference):
        super().__init__()
        self.picture_gain, self.difference_gain = layer.picture_gain, layer.difference_gain

    def forward(self, x: Tensor) -> Tensor:
        older, newer = x.chunk(2, dim=1)
        return torch.cat([self.picture_gain * (255 - newer), self.difference_gain * (newer - older)], dim=1)


def conv(placed: Placed) -> nn.Module:
    layer = placed.layer
    return nn.Conv2d(placed.input_shape[-1], layer.filters, layer.kernel, layer.stride)


def dense(placed: Placed) -> nn.Module:
    return nn.Linear(placed.input_shape[0], placed.layer.units)


def flatten(placed: Placed) -> nn.Module:
    return FlattenChannelsLast() if len(placed.input_shape) == 3 else nn.Flatten()


def difference(placed: Placed) -> nn.Module:
    return Difference()


def frame_and_difference(placed: Placed) -> nn.Module:
    return FrameBesideDifference(placed.layer)


LAYERS: dict[type, Any] = {
    Conv: conv,
    Dense: dense,
    Flatten: flatten,
    FrameDifference: difference,
    FrameAndDifference: frame_and_difference,
    **OWN,
    **MAPS,
}
ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh, "linear": lambda x: x}
# Neutral kernels are HWIO and (in, out); PyTorch's are OIHW and (out, in).
TO_NATIVE = {4: (3, 2, 0, 1), 3: (0, 1, 2), 2: (1, 0), 1: (0,), 0: ()}
TO_NEUTRAL = {4: (2, 3, 1, 0), 3: (0, 1, 2), 2: (1, 0), 1: (0,), 0: ()}


def native_name(layer: nn.Module, key: str) -> str:
    """What PyTorch's own layers call a tensor; those of ours have the neutral name."""
    return "weight" if key == "kernel" and hasattr(layer, "weight") else key


def builder(placed: Placed) -> Callable[[Placed], nn.Module]:
    """What makes the module of a layer, one registered from outside too."""
    spec = type(placed.layer)
    return builder_of("torch", spec) or LAYERS[spec]


class Net(nn.Module):
    """The network of a spec, its head and its memory in one precision and all else in another."""

    def __init__(self, network: Network, stored: str, compute: str):
        super().__init__()
        self.scale_at = network.scale_at
        self.main, self.is_picture = network.observation.main_name, network.observation.is_picture
        self.dtype, self.compute = getattr(torch, stored), getattr(torch, compute)
        self.placed = list(network.placed())
        self.state_sizes = network.state_sizes
        self.layers = nn.ModuleDict({p.name: builder(p)(p) for p in self.placed})
        self.activations = [ACTIVATIONS[p.layer.activation] for p in self.placed]
        self.dtypes = [self.dtype if p.is_precise else self.compute for p in self.placed]
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # its stubs lack it
        for layer, dtype in zip(self.layers.values(), self.dtypes, strict=True):
            layer.to(dtype)

    def forward(self, obs: Any, state: Any = None, reset: Any = None) -> Any:
        """[B, *observation] to the head's outputs [B, ...]; of several parts a dict of them.

        With memory: [T, B, *observation] and the state [B, S] before the first step to outputs [T, B, ...] and the
        state after the last. `reset` [T, B] says where an episode starts: the state is zeroed before that step.
        """
        if state is None:
            return self.through(obs, None, None)[0]
        outputs, state = self.through(each(lambda part: part.flatten(0, 1), obs), state, reset)
        return outputs.unflatten(0, reset.shape), state

    def through(self, obs: Any, state: Any, reset: Any) -> tuple[Tensor, Any]:
        parts = parts_of(obs)
        x = self.enter(parts[self.main])
        states = list(state.split(self.state_sizes, dim=1)) if self.state_sizes else []
        after: list[Tensor] = []
        for index, (layer, activation) in enumerate(zip(self.layers.values(), self.activations, strict=True)):
            given, x = x, x.to(self.dtypes[index])
            if index == self.scale_at:  # what was just made of bytes is nobody else's
                x = x / 255 if x is given else x.div_(255)
            placed = self.placed[index]
            if placed.joined:
                x = torch.cat([x, *(beside(parts[name], x.dtype) for name in placed.joined)], dim=1)
            asked = [beside(parts[placed.part], x.dtype)] if placed.part is not None else []
            if placed.state_size is None:
                x = activation(layer(x, *asked))
            else:
                x = x.permute(0, 2, 3, 1) if x.ndim == 4 else x
                asked = [part.unflatten(0, reset.shape) for part in asked]
                x, new = layer(x.unflatten(0, reset.shape), states[len(after)], reset, *asked)
                x = x.flatten(0, 1)
                after.append(new)
        return x, torch.cat(after, dim=1) if after else state

    def enter(self, x: Tensor) -> Tensor:
        """Pictures to channels-first in channels-last memory; vectors as they are."""
        if not self.is_picture:
            return x
        if x.ndim == 5:  # in colour: (stack, H, W, 3) to (stack * 3, H, W)
            x = x.permute(0, 1, 4, 2, 3).flatten(1, 2)
        return x.contiguous(memory_format=torch.channels_last)

    def named(self) -> dict[str, nn.Parameter]:
        """Parameters by neutral name (`conv_1/kernel`), in the order of the spec."""
        return {
            f"{p.name}/{key}": self.layers[p.name].get_parameter(native_name(self.layers[p.name], key))
            for p in self.placed
            for key in p.layer.tensors(p.input_shape)
        }


def beside(part: Tensor, dtype: torch.dtype) -> Tensor:
    """A part [B, n] of an observation as what it joins: in its dtype, bytes divided by 255."""
    return part.to(dtype) / 255 if part.dtype == torch.uint8 else part.to(dtype)


def to_neutral(tensor: Tensor) -> np.ndarray:
    """A parameter (or its moments) in neutral shape, as a copy."""
    return np.array(tensor.detach().cpu().numpy().transpose(TO_NEUTRAL[tensor.ndim]), order="C")


@torch.no_grad()
def assign(tensor: Tensor, array: np.ndarray) -> None:
    """Writes a neutral array into a parameter (or its moments) in place."""
    tensor.copy_(torch.from_numpy(np.array(array.transpose(TO_NATIVE[array.ndim]), order="C")))  # it may be read-only


def get_weights(net: Net) -> dict[str, np.ndarray]:
    return {name: to_neutral(parameter) for name, parameter in net.named().items()}


def set_weights(net: Net, weights: Mapping[str, np.ndarray]) -> None:
    for name, parameter in net.named().items():
        assign(parameter, weights[name])


class Sharded:
    """Calls a network, in its compute precision, on `shards` parts of a batch at once.

    PyTorch spreads each operation over its threads and waits after each one; small convolutions, and their
    gradients above all, gain little from that. Whole passes side by side wait once. What a part computes and
    the order in which gradients are added are fixed: the same input gives the same bits.

    Args:
        master: the weights that are trained and saved.
        shards: parts and threads.
    """

    def __init__(self, master: Net, network: Network, precision: str, shards: int):
        stored, compute = dtypes(precision)
        self.master: list[Tensor] = list(master.parameters())
        self.rounds = compute != stored
        self.module = Net(network, stored, compute).to(self.master[0].device) if self.rounds else master
        self.parameters: list[Tensor] = list(self.module.parameters())
        self.shards = shards
        self.pool = make_pool(shards) if shards > 1 else None

    def refresh(self) -> None:
        """Takes over the master's weights. To be called whenever they have changed."""
        if self.rounds:
            with torch.no_grad():
                torch._foreach_copy_(self.parameters, self.master)

    def follow(self) -> None:
        """Freezes what the master has frozen. To be called whenever that has changed."""
        for parameter, master in zip(self.parameters, self.master, strict=True):
            parameter.requires_grad_(master.requires_grad)

    def __call__(self, *given: Any) -> Any:
        if self.pool is None and not self.rounds:
            return self.module(*given)
        if torch.is_grad_enabled() and any(parameter.requires_grad for parameter in self.master):
            found = Split.apply(self, len(given), *given, *self.master)
        else:
            found = joined(self.outputs(given, grad=False))
        return found if len(given) > 1 else found[0]

    def outputs(self, given: Sequence[Any], grad: bool) -> list[tuple[Tensor, ...]]:
        """The outputs of each part, with a graph of its own or none. `given`: the observations, then a state and resets."""
        axes = (1, 0, 1) if len(given) > 1 else (0,)
        parts = min(self.shards, first_of(given[0]).shape[axes[0]])
        cut = zip(*(split(x, parts, axis) for x, axis in zip(given, axes, strict=True)), strict=True)
        return self.map(partial(call, self.module, grad), list(cut))

    def map(self, function: Callable[..., Any], *parts: Sequence[Any]) -> list[Any]:
        """Each part on a thread of its own, the first on the caller's: a single observation waits for nobody."""
        if self.pool is None or len(parts[0]) == 1:
            return list(map(function, *parts))
        own, *others = zip(*parts, strict=True)
        running = [self.pool.submit(function, *part) for part in others]
        first = function(*own)
        return [first, *(future.result() for future in running)]


def split(x: Any, parts: int, axis: int) -> Sequence[Any]:
    """A tensor, or a dict of them, cut into as equal parts as can be."""
    cut = each(lambda part: part.tensor_split(parts, dim=axis), x)
    return [each(lambda pieces, at=at: pieces[at], cut) for at in range(parts)] if isinstance(x, dict) else cut


def joined(parts: Sequence[tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
    """The parts' outputs side by side, and their states where they have them."""
    axes = (1, 0) if len(parts[0]) > 1 else (0,)
    return tuple(torch.cat(found, dim=axis) for found, axis in zip(zip(*parts, strict=True), axes, strict=True))


class Split(torch.autograd.Function):
    """Forward and backward of a sharded network: a graph for each part, gradients for the master's weights.

    None passes through the state that comes back: whoever goes on from it has stopped the gradient there.
    """

    @staticmethod
    def forward(ctx: Any, sharded: Sharded, count: int, *tensors: Any) -> tuple[Tensor, ...]:
        ctx.sharded, ctx.count = sharded, count
        ctx.parts = sharded.outputs(tensors[:count], grad=True)
        found = joined([tuple(output.detach() for output in part) for part in ctx.parts])
        ctx.mark_non_differentiable(*found[1:])
        return found

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, *_: Any) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        sharded, axis = ctx.sharded, int(ctx.count > 1)
        outputs = [part[0] for part in ctx.parts]
        given = gradient.split([output.shape[axis] for output in outputs], dim=axis)
        trained = [parameter for parameter in sharded.parameters if parameter.requires_grad]
        masters = [master for master in sharded.master if master.requires_grad]
        first, *rest = sharded.map(partial(gradients_of, trained), outputs, given)
        total = [gradient.to(master.dtype) for gradient, master in zip(first, masters, strict=True)]
        for gradients in rest:
            torch._foreach_add_(total, gradients)
        found = iter(total)  # what is frozen has none
        whole = [next(found) if master.requires_grad else None for master in sharded.master]
        return None, None, *(None for _ in range(ctx.count)), *whole


def gradients_of(parameters: Sequence[Tensor], output: Tensor, gradient: Tensor) -> tuple[Tensor, ...]:
    return torch.autograd.grad(output, parameters, gradient)


def call(module: nn.Module, grad: bool, given: Sequence[Any]) -> tuple[Tensor, ...]:
    with torch.set_grad_enabled(grad):  # which each thread keeps for itself
        found = module(*given)
    return found if isinstance(found, tuple) else (found,)


@cache
def make_pool(shards: int) -> ThreadPoolExecutor:
    """Threads for all parts but the caller's; no operation of a part spreads over further threads (see `Learner`)."""
    return ThreadPoolExecutor(shards - 1, "shard", initializer=partial(torch.set_num_threads, 1))
