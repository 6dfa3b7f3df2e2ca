"""A layer that asks for a part of the observation by name is given it, and nobody else is."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from tests.parity import ladder
from triptych import frameworks
from triptych.algorithms import dqn
from triptych.spec import Activation, Adam, Shape
from triptych.spec.layers import LayerSpec
from triptych.spec.registry import register_layer
from triptych.utils.checks import InputError


@dataclass(frozen=True)
class Asking(LayerSpec):
    """Its input, and behind it the `size` numbers of a part."""

    part: str = "speed"
    size: int = 2

    kind: ClassVar[str] = "asking"
    activation: ClassVar[Activation] = "linear"

    def output_shape(self, shape: Shape) -> Shape:
        return (shape[0] + self.size,)

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        return {}


def torch_asking(placed: Any) -> Any:
    import torch

    class Module(torch.nn.Module):
        def forward(self, x: Any, part: Any) -> Any:
            return torch.cat([x, part], dim=1)

    return Module()


def jax_asking(placed: Any, stored: str, compute: str) -> Any:
    from jax import numpy as jnp

    return lambda x, part: jnp.concatenate([x, part], axis=1)


def keras_asking(placed: Any, policy: str) -> Any:
    import keras

    class Layer(keras.layers.Layer):
        def call(self, x: Any, part: Any) -> Any:
            return keras.ops.concatenate([x, part], axis=1)

    return Layer(dtype=policy, name=placed.name)


register_layer(Asking, torch=torch_asking, jax=jax_asking, keras=keras_asking)


@pytest.mark.parametrize("unrolls", [False, True])
def test_a_layer_is_given_the_part_that_it_asks_for(framework: str, unrolls: bool) -> None:
    """`hand` joins before it, `speed` is asked for: what comes out is as if both had joined, in that order."""
    plain = ladder.make_net(ladder.BOTH)
    conv_1, conv_2, flatten, *rest = plain.layers
    asking: Any = (conv_1, conv_2, flatten, Asking(), *rest)
    network = dataclasses.replace(plain, layers=asking, unrolls=unrolls)
    assert network.joining == ("hand",)
    assert network.tensors() == plain.tensors()
    weights, batch = ladder.make_weights(plain), ladder.make_batch(ladder.BOTH, np.random.default_rng(5))
    learner = frameworks.load(framework).Learner(network, dqn.make_loss(ladder.CONFIG), Adam(), weights, "float64")
    given = (np.zeros((ladder.BATCH, 0)), np.ones(ladder.BATCH, bool)) if unrolls else ()
    ladder.close(
        framework, "outputs", learner.act(batch.obs, *given)[0], ladder.numpy_forward(plain, weights, batch.obs)
    )


def test_a_part_that_is_not_there_is_refused() -> None:
    plain = ladder.make_net(ladder.BOTH)
    layers: Any = (*plain.layers[:3], Asking("smell"), *plain.layers[3:])
    with pytest.raises(InputError, match="part of layer asking is 'smell'; allowed: one of hand, speed"):
        dataclasses.replace(plain, layers=layers).tensors()
