"""A layer of one's own: a gated linear unit (Dauphin et al. 2017), y = (x W + b) sigmoid(x V).

    triptych train own_layer.py --network.glu-1.units 32

A layer is a dataclass that says its shapes, and a function a framework that builds it from them.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

import triptych
from triptych.spec import Dense, LayerSpec, Shape
from triptych.utils.checks import check, positive


@dataclass(frozen=True)
class GLU(LayerSpec):
    """A dense layer of `units`, each let through by a gate of its own."""

    units: int = 64

    kind: ClassVar[str] = "glu"  # in files; its place in the network is called glu_1, glu_2, ...

    def __post_init__(self) -> None:
        positive(self, "units")

    def output_shape(self, shape: Shape) -> Shape:
        check(len(shape) == 1, "the input of a gated linear unit", shape, "a vector")
        return (self.units,)

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        """Its weights. Triptych draws them, once for all frameworks, saves them and checks them."""
        return {"kernel": (shape[0], self.units), "bias": (self.units,), "gate_kernel": (shape[0], self.units)}


def in_torch(placed: Any) -> Any:
    """`placed` has the layer, its name and its shapes. Here kernels are (out, in), as PyTorch's own are."""
    import torch

    size, units = placed.input_shape[0], placed.layer.units

    class Module(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.kernel = torch.nn.Parameter(torch.zeros(units, size))
            self.bias = torch.nn.Parameter(torch.zeros(units))
            self.gate_kernel = torch.nn.Parameter(torch.zeros(units, size))

        def forward(self, x: Any) -> Any:  # [B, size] to [B, units]
            return (x @ self.kernel.T + self.bias) * torch.sigmoid(x @ self.gate_kernel.T)

    return Module()


def in_jax(placed: Any, stored: str, compute: str) -> Any:
    """`stored` is the dtype of the weights, `compute` that of the products."""
    import jax
    from flax import linen as nn

    class Module(nn.Module):
        @nn.compact
        def __call__(self, x: Any) -> Any:
            shapes = placed.layer.tensors(placed.input_shape)
            w, b, v = (self.param(name, nn.initializers.zeros, shape, stored) for name, shape in shapes.items())
            w, b, v = (tensor.astype(compute) for tensor in (w, b, v))
            return (x @ w + b[None]) * jax.nn.sigmoid(x @ v)

    return Module(name=placed.name)


def in_keras(placed: Any, policy: str) -> Any:
    """`policy` is Keras' word for both dtypes."""
    import keras

    class Layer(keras.layers.Layer):
        def build(self, shape: Any) -> None:
            for name, size in placed.layer.tensors(placed.input_shape).items():
                setattr(self, name, self.add_weight(shape=size, name=name))

        def call(self, x: Any) -> Any:
            return (x @ self.kernel + self.bias) * keras.ops.sigmoid(x @ self.gate_kernel)

    return Layer(dtype=policy, name=placed.name)


triptych.register_layer(GLU, torch=in_torch, jax=in_jax, keras=in_keras)

network = (GLU(64), Dense(64, initialiser="fan_in_uniform"))
recipe = dataclasses.replace(triptych.load_recipe("cartpole"), network=network)
