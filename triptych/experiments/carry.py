"""A checkpoint's arrays for another network: weights, what the optimiser remembers of them, and a memory's states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from triptych.spec import Network
from triptych.spec.moments import begun_at, since_in, told_since
from triptych.spec.reuse import reuse
from triptych.spec.weights import Weights
from triptych.utils.state import State

STATES = ("loop/state", "rollout/state")  # the ends of the names of arrays [..., S] that hold a memory's states


class Carrier(Protocol):
    """How tensors of one network become those of another; see `Taken` and `spec.grown.Grown`."""

    def weights(self, tensors: Mapping[str, np.ndarray]) -> Weights: ...

    def moments(self, tensors: Mapping[str, np.ndarray], power: int) -> Weights: ...

    def states(self, states: np.ndarray) -> np.ndarray: ...

    def sources(self) -> dict[str, str]:
        """The tensors of the new network that keep what the optimiser remembers, and of which old ones."""
        ...


class Taken:
    """Tensors that fit, by name and shape; the others are drawn.

    Args:
        tensors: the old network's weights.

    Raises:
        InputError: none fits.
    """

    def __init__(self, old: Network, new: Network, tensors: Mapping[str, np.ndarray], rng: np.random.Generator):
        self.old, self.new = old, new
        self.found = reuse(tensors, new, rng, where="the run")

    def weights(self, tensors: Mapping[str, np.ndarray]) -> Weights:
        dtype = next(iter(tensors.values())).dtype
        return {
            name: tensors[name] if name in self.found.taken else drawn.astype(dtype)
            for name, drawn in self.found.weights.items()
        }

    def moments(self, tensors: Mapping[str, np.ndarray], power: int) -> Weights:
        return {name: tensors[name] for name in self.found.taken if name in tensors}

    def states(self, states: np.ndarray) -> np.ndarray:
        """Of the memories that stay; the others begin with nothing, zeros."""
        ends = np.cumsum([0, *self.old.state_sizes])
        known = {
            placed.name: (placed, states[..., start:end])
            for placed, start, end in zip(
                (placed for placed in self.old.placed() if placed.state_size is not None), ends, ends[1:], strict=False
            )
        }
        found = [np.zeros((*states.shape[:-1], 0), states.dtype)]
        for placed in self.new.placed():
            if placed.state_size is None:
                continue
            was, kept = known.get(placed.name, (None, states))
            same = was is not None and (was.layer, was.input_shape) == (placed.layer, placed.input_shape)
            found.append(kept if same else np.zeros((*states.shape[:-1], placed.state_size), states.dtype))
        return np.concatenate(found, axis=-1)

    def sources(self) -> dict[str, str]:
        return {name: name for name in self.found.taken}

    def origins(self) -> dict[str, str]:
        return self.found.origins


def carried(state: State, network: Network, how: Carrier, kind: str) -> State:
    """A state of the old network as one of the new one.

    Args:
        network: the new one.
        kind: of the optimiser.
    """
    arrays = {name: array for name, array in state.arrays.items() if not of_network(name)}
    for prefix in {name.partition("learner/")[0] + "learner/" for name in state.arrays if "learner/" in name}:
        own = {name.removeprefix(prefix): array for name, array in state.arrays.items() if name.startswith(prefix)}
        arrays |= {f"{prefix}{name}": array for name, array in learner_of(own, network, how, kind).items()}
    for name, array in state.arrays.items():
        if name.endswith(STATES):
            arrays[name] = how.states(array)
    if network.unrolls:
        arrays = with_states(arrays, state.json, sum(network.state_sizes))
    else:
        arrays = {name: array for name, array in arrays.items() if not name.endswith(STATES[0])}
    return state._replace(arrays=arrays)


def of_network(name: str) -> bool:
    return "learner/" in name or name.endswith(STATES)


def with_states(arrays: dict[str, np.ndarray], content: Mapping[str, Any], size: int) -> dict[str, np.ndarray]:
    """With states of nothing, where the old network had no memory: for each part of a run that holds games."""
    dtype = next(array.dtype for name, array in arrays.items() if "learner/online/" in name)
    parts = {"": content} | {f"{name}/": part for name, part in content.items() if name.startswith("worker-")}
    for prefix, part in parts.items():
        if "ended" in part:
            arrays.setdefault(f"{prefix}loop/state", np.zeros((len(part["ended"]), size), dtype))
    return arrays


def learner_of(state: Mapping[str, np.ndarray], network: Network, how: Carrier, kind: str) -> dict[str, np.ndarray]:
    """A learner's state; a worker's is its weights alone."""
    found: dict[str, np.ndarray] = {}
    for part in ("online", "target"):
        own = {name.removeprefix(f"{part}/"): a for name, a in state.items() if name.startswith(f"{part}/")}
        found |= {f"{part}/{name}": array for name, array in how.weights(own).items()} if own else {}
    if f"{kind}/step" not in state:
        return found
    steps, sources = int(state[f"{kind}/step"]), how.sources()
    since = since_in(state, kind, sources.values())
    moments = [moment for moment in ("m", "v") if any(name.startswith(f"{kind}/{moment}/") for name in state)]
    for moment in moments:
        start = f"{kind}/{moment}/"
        had = {name.removeprefix(start): array for name, array in state.items() if name.startswith(start)}
        found |= {f"{start}{name}": array for name, array in how.moments(had, 1 + (moment == "v")).items()}
    found |= told_since({name: since[old] for name, old in sources.items() if old in since}, kind)
    for name in network.tensors():
        if name not in sources:
            found |= begun_at(name, found[f"online/{name}"], kind, moments, steps)
    return found | {f"{kind}/step": state[f"{kind}/step"]}
