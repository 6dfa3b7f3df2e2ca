"""A replay's single frames on the device, in JAX."""

from __future__ import annotations

from functools import partial

import jax
import numpy as np
from jax import numpy as jnp

from triptych import frameworks


def count_gpus() -> int:
    return sum(device.platform != "cpu" for device in jax.devices())


def find_device() -> jax.Device:
    """Where the next learner is, as `frameworks.set_device` was told; what JAX makes from now on is there."""
    gpu = frameworks.gpu_of(count_gpus())
    device = jax.devices("cpu")[0] if gpu is None else jax.devices()[gpu]
    jax.config.update("jax_default_device", None if frameworks.DEVICE == "auto" else device)
    return device


@partial(jax.jit, donate_argnums=0)
def write(array, start, frames):
    return jax.lax.dynamic_update_slice_in_dim(array, frames, start, axis=0)


@jax.jit
def read(array, places, blank):
    found = array[places]
    return jnp.where(jnp.expand_dims(blank, range(blank.ndim, found.ndim)), jnp.zeros((), found.dtype), found)


class Frames:
    """See `triptych.frameworks.Frames`."""

    def __init__(self, count: int, shape: tuple[int, ...]):
        self.array = jnp.zeros((count, *shape), jnp.uint8)

    def put(self, start, frames):
        self.array = write(self.array, start, frames)

    def get(self, places, blank):
        return read(self.array, places, blank)

    def numpy(self, places):
        return np.asarray(self.array[places])
