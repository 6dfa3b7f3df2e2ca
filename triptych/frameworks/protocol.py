"""What each framework's learner offers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from triptych.spec import Adam, Network
from triptych.spec.batches import Array

LossFunction = Callable[..., tuple[Array, tuple[Array, dict[str, Array]]]]


class Learner(Protocol):
    """A network, its target, its optimiser and the compiled step that changes them. NumPy in and out."""

    frames: type[Frames]  # for a replay on the device
    device: str  # "cpu", or the GPU's name
    precision: str

    def __init__(
        self, network: Network, loss: LossFunction, adam: Adam, weights: dict[str, np.ndarray], precision: str
    ) -> None: ...

    def act(self, obs: np.ndarray, state: Any = None, reset: np.ndarray | None = None) -> tuple[np.ndarray, Any]:
        """Head outputs [N, ...] for `obs` [N, *observation], and the state after it.

        `state` [N, S] and `reset` [N] are for networks that unroll; others take and return None.
        """
        ...

    def update(self, batch: Any, learning_rate: float) -> dict[str, Array]:
        """One optimiser step; returns scalars that stay on the device, and `td_error` [B]."""
        ...

    def to_device(self, array: np.ndarray) -> Array:
        """A whole array as the framework's own, where the learner is."""
        ...

    def to_numpy(self, array: Array) -> np.ndarray:
        """An array of the framework's as NumPy's; waits for it."""
        ...

    def sync_target(self) -> None:
        """Copies the online weights into the target."""
        ...

    def get_weights(self) -> dict[str, np.ndarray]: ...

    def set_weights(self, weights: dict[str, np.ndarray]) -> None: ...

    def get_state(self) -> dict[str, np.ndarray]:
        """Everything an exact resume needs: `online/`, `target/`, `adam/step`, `adam/m/`, `adam/v/`."""
        ...

    def set_state(self, state: dict[str, np.ndarray]) -> None: ...


class Frames(Protocol):
    """Single frames, uint8, where the learner is; all zeros at first. NumPy in.

    Making them raises MemoryError or RuntimeError where they do not fit.
    """

    def __init__(self, count: int, shape: tuple[int, ...]) -> None: ...

    def put(self, start: int, frames: np.ndarray) -> None:
        """Writes frames [N, *shape] one after the other, from a place on."""
        ...

    def get(self, places: np.ndarray, blank: np.ndarray) -> Array:
        """The frames [B, S, *shape] at places [B, S] as the framework's own; zeros where `blank` [B, S]."""
        ...

    def numpy(self, places: np.ndarray) -> np.ndarray:
        """The frames [..., *shape] at places [...], copied back."""
        ...
