"""What each framework's learner offers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from triptych.spec import Network, Optimiser
from triptych.spec.batches import Array, LossFunction


class Score(Protocol):
    """A number for each observation, in operations of any framework."""

    def __call__(self, xp: Any, outputs: Array, actions: Array) -> Array:
        """Scores [N] of a head's outputs [N, ...] and actions [N] of int64."""
        ...


class Learner(Protocol):
    """A network, its target, its optimiser and the compiled step that changes them. NumPy in and out."""

    frames: type[Frames]  # for a replay on the device
    device: str  # "cpu", or the GPU's name
    precision: str
    frozen: tuple[str, ...]  # tensors that no update changes; none at first

    def __init__(
        self, network: Network, loss: LossFunction, optimiser: Optimiser, weights: dict[str, np.ndarray], precision: str
    ) -> None: ...

    def act(self, obs: Any, state: Any = None, reset: np.ndarray | None = None) -> tuple[np.ndarray, Any]:
        """Head outputs [N, ...] for `obs` [N, *observation] (of several parts a dict of them), and the state after it.

        `state` [N, S] and `reset` [N] are for networks that unroll; others take and return None.
        """
        ...

    def sensitivity(
        self, score: Score, obs: Any, actions: np.ndarray, state: Any = None, reset: np.ndarray | None = None
    ) -> np.ndarray:
        """What each number of an observation does to a score: its gradient with respect to the observation.

        Args:
            score: of the outputs that `act` gives for the same `obs`, `state` and `reset`, and the actions [N].

        Returns:
            [N, *part] in the stored precision, of the part that enters the network at its front (`Observation.main`),
            by the unit of what is given: of bytes, by one step of 0 to 255.
        """
        ...

    def update(self, batch: Any, learning_rate: float) -> dict[str, Array]:
        """One optimiser step: `gradients` and `apply` in one, without leaving the device.

        Args:
            batch: what the loss wants, a NamedTuple of `triptych.spec.batches`.
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
            batch: what the loss wants, a NamedTuple of `triptych.spec.batches`.

        Returns:
            The gradient of each weight that is not frozen by its neutral name (`conv_1/kernel`), in the weight's neutral shape, as NumPy
            copies in the stored precision, before its norm is cut; and what `update` reports but `gradient_norm`.

        Raises:
            ValueError: a shape or a dtype of the batch does not fit the loss.
        """
        ...

    def apply(self, gradients: Mapping[str, np.ndarray], learning_rate: float) -> Array:
        """One optimiser step along gradients that came from anywhere. The second half of `update`.

        Cuts the gradients' norm over all tensors to the optimiser's `max_norm`, moves the moments and then the weights.

        Args:
            gradients: of every weight that is not frozen, as `gradients` gives them; read only, so read-only arrays will do.
            learning_rate: of this step.

        Returns:
            The norm [] of all tensors together before it is cut, as the framework's own array on the device.

        Raises:
            InputError: a tensor is missing, of another shape or of no weight; nothing has changed then.
        """
        ...

    def freeze(self, names: tuple[str, ...]) -> None:
        """From now on these tensors stay as they are, and all others learn.

        What is frozen has no gradient and no moments, and its norm is in no sum. The moments of what was frozen before begin at
        0 now, and Adam corrects them by their own count of updates.
        """
        ...

    def to_device(self, array: Any) -> Array:
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

        Adam's are `adam/step`, `adam/m/`, `adam/v/`; RMSprop's `rmsprop/step`, `rmsprop/v/`. Frozen tensors have no moments;
        `adam/since/NAME` is there where they began late: see `triptych.spec.moments`.
        """
        ...

    def set_state(self, state: dict[str, np.ndarray]) -> None:
        """Takes up what `get_state` gave: what has no moments there is frozen."""
        ...


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
