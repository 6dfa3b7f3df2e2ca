"""The optimiser's state under neutral names: which tensors have moments there, and since when.

`adam/step` counts the run's updates. A tensor whose moments began later, as it was frozen before or came with another network,
has `adam/since/NAME`: the updates that were made without it. Its own count, by which Adam corrects, begins at 0 there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import numpy as np

from triptych.utils.checks import InputError


def frozen_in(state: Mapping[str, np.ndarray], kind: str, names: Iterable[str]) -> tuple[str, ...]:
    """The tensors that have no moments in a state: they were frozen when it was taken.

    Args:
        kind: of the optimiser.
    """
    return tuple(name for name in names if f"{kind}/v/{name}" not in state)


def since_in(state: Mapping[str, np.ndarray], kind: str, names: Iterable[str]) -> dict[str, int]:
    """Updates that were made before a tensor's moments began, of those of which that is not 0.

    Raises:
        InputError: they began after the last update.
    """
    found = {name: int(state[f"{kind}/since/{name}"]) for name in names if f"{kind}/since/{name}" in state}
    steps = int(state[f"{kind}/step"])
    for name, since in found.items():
        if not 0 < since <= steps:
            raise InputError(f"{kind}/since/{name} is {since}; allowed: 1 to {steps}, the updates so far")
    return found


def told_since(since: Mapping[str, int], kind: str) -> dict[str, np.ndarray]:
    """The same as a part of a state."""
    return {f"{kind}/since/{name}": np.array(count, np.int64) for name, count in since.items()}


def refrozen(state: Mapping[str, np.ndarray], kind: str, frozen: Collection[str]) -> dict[str, np.ndarray]:
    """A learner's state in which these tensors are frozen and all others learn.

    What is frozen now loses its moments; those of what was frozen before begin now, at 0.
    """
    names = [name.removeprefix("online/") for name in state if name.startswith("online/")]
    moments = {key.split("/")[1] for key in state if key.startswith(f"{kind}/")} - {"step", "since"}
    lost = {f"{kind}/{part}/{name}" for part in (*moments, "since") for name in frozen}
    found = {key: array for key, array in state.items() if key not in lost}
    steps = int(state[f"{kind}/step"])
    for name in frozen_in(state, kind, names):
        if name not in frozen:
            found |= begun_at(name, state[f"online/{name}"], kind, moments, steps)
    return found


def begun_at(name: str, tensor: np.ndarray, kind: str, moments: Iterable[str], steps: int) -> dict[str, np.ndarray]:
    """The moments of a tensor that begin after so many updates."""
    zeros = {f"{kind}/{moment}/{name}": np.zeros_like(tensor) for moment in moments}
    return zeros | (told_since({name: steps}, kind) if steps else {})
