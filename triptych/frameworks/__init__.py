"""The frameworks, loaded only when asked for. Nothing else in Triptych imports one.

Each folder holds the same files with the same names: `ops` (NumPy-spelled operations), `net` (the
spec as that framework's own network), `layers` (what it lacks: memory), `learner` (differentiation, optimiser, compiled step) and
`frames` (a replay's pictures on the device).
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from triptych.spec import Network, Optimiser
from triptych.spec.batches import Array
from triptych.utils.checks import InputError

FRAMEWORKS = {"torch": "torch", "jax": "jax", "keras": "keras"}  # name -> the extra that installs it
Loss = Callable[..., tuple[Array, tuple[Array, dict[str, Array]]]]


class Learner(Protocol):
    """A network, its target, its optimiser and the compiled step that changes them. NumPy in and out."""

    frames: type[Frames]  # for a replay on the device
    device: str  # "cpu", or the GPU's name
    precision: str

    def __init__(
        self, network: Network, loss: Loss, optimiser: Optimiser, weights: dict[str, np.ndarray], precision: str
    ) -> None: ...

    def act(self, obs: np.ndarray, state: Any = None, reset: np.ndarray | None = None) -> tuple[np.ndarray, Any]:
        """Head outputs [N, ...] for `obs` [N, *observation], and the state after it.

        `state` [N, S] and `reset` [N] are for networks that unroll; others take and return None.
        """
        ...

    def update(self, batch: Any, learning_rate: float) -> dict[str, Array]:
        """One optimiser step: `gradients` and `apply` in one, without leaving the device.

        Args:
            batch: what the loss wants, a NamedTuple of `triptych.data`.
            learning_rate: of this step; for Adam and RMSprop about a weight's largest move.

        Returns:
            What the loss reports, as the framework's own arrays that stay on the device: `loss` [], `td_error`,
            its own scalars [], and `gradient_norm` [], that of all tensors together before it is cut.

        Raises:
            ValueError: a shape or a dtype of the batch does not fit the loss.
        """
        ...

    def gradients(self, batch: Any) -> tuple[dict[str, np.ndarray], dict[str, Array]]:
        """The loss' gradient at the weights as they are, which stay so. The first half of `update`.

        Args:
            batch: what the loss wants, a NamedTuple of `triptych.data`.

        Returns:
            The gradient of each weight by its neutral name (`conv_1/kernel`), in the weight's neutral shape, as NumPy
            copies in the stored precision, before its norm is cut; and what `update` reports but `gradient_norm`.

        Raises:
            ValueError: a shape or a dtype of the batch does not fit the loss.
        """
        ...

    def apply(self, gradients: Mapping[str, np.ndarray], learning_rate: float) -> Array:
        """One optimiser step along gradients that came from anywhere. The second half of `update`.

        Cuts the gradients' norm over all tensors to the optimiser's `max_norm`, moves the moments and then the weights.

        Args:
            gradients: of every weight, as `gradients` gives them; read only, so read-only arrays will do.
            learning_rate: of this step.

        Returns:
            The norm [] of all tensors together before it is cut, as the framework's own array on the device.

        Raises:
            InputError: a tensor is missing, of another shape or of no weight; nothing has changed then.
        """
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
        """Everything an exact resume needs: `online/`, `target/`, and of the optimiser its updates and moments.

        Adam's are `adam/step`, `adam/m/`, `adam/v/`; RMSprop's `rmsprop/step`, `rmsprop/v/`.
        """
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


THREADS = 1  # what `set_threads` was last told; pictures are cut into as many parts


def set_threads(threads: int) -> None:
    """Tells every framework how many threads to use. Works only before one of them is imported."""
    global THREADS
    THREADS = threads
    # Set before OpenMP starts: on a busy machine spinning threads cost 20 to 50 times the work itself.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ["OMP_NUM_THREADS"] = str(threads)
    os.environ["NPROC"] = str(threads)  # XLA's CPU thread pool
    # Two operations side by side gain more than two halves of one; an update has no third to run beside them.
    os.environ["TF_NUM_INTRAOP_THREADS"] = str(max(1, threads // 2))
    os.environ["TF_NUM_INTEROP_THREADS"] = str(min(2, threads))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def use_cpu() -> None:
    """Hides every GPU from the frameworks. Works only before one of them is imported."""
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    os.environ["JAX_PLATFORMS"] = "cpu"


@contextmanager
def quiet_start() -> Iterator[None]:
    """Keeps standard error to ourselves while a framework is imported.

    TensorFlow's C++ side greets there before any log level holds. Python's exceptions pass.
    """
    sys.stderr.flush()
    try:
        kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    except OSError:  # no standard error to begin with
        yield
        return
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def load(name: str) -> ModuleType:
    """Imports a framework's learner module, which has `Learner`, `ops` and `net`.

    Raises:
        InputError: the name is unknown or the framework is not installed (the line names the extra).
    """
    if name not in FRAMEWORKS:
        raise InputError(f"framework is {name!r}; allowed: {', '.join(FRAMEWORKS)}")
    try:
        with quiet_start():
            return importlib.import_module(f"triptych.frameworks.{name}.learner")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("triptych"):
            raise
        extra = FRAMEWORKS[name]
        raise InputError(
            f"framework {name} needs the package {error.name}, which is not installed: pip install 'triptych[{extra}]'"
        ) from None
