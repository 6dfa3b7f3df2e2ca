"""What an exported policy takes and gives, by name: the same whatever it is written as."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from triptych.spec.layers import ActorCritic, Shape
from triptych.spec.network import Network
from triptych.spec.observation import ONE, parts_of, whole_of
from triptych.utils.checks import check


@dataclass(frozen=True)
class Slot:
    """An array that goes in, without its first axis, which is the games."""

    name: str
    shape: Shape
    dtype: str  # NumPy's name


@dataclass(frozen=True)
class Signature:
    """Of one step of a policy: arrays [N, ...] in, in this order, and arrays [N, ...] out.

    In: the observation (of several parts each of them, by name), bytes as they are; of a policy with memory then the state
    before the step, zeros at first, and where an episode starts, so that the state is zeroed. Out: Q values, or logits and
    value; of a policy with memory then the state after the step.
    """

    parts: tuple[str, ...]  # of the observation, as the network calls them
    inputs: tuple[Slot, ...]
    outputs: tuple[str, ...]
    has_state: bool

    @classmethod
    def of(cls, network: Network, precision: str) -> Signature:
        """The signature of a network whose floats are of a precision.

        Raises:
            InputError: two parts of the observation would have the same name.
        """
        named = network.observation.named
        slots = [Slot(input_name(name), part.shape, part.taken(precision)) for name, part in named]
        names = [slot.name for slot in slots]
        check(len(set(names)) == len(names), "names of the observation's parts", names, "different ones")
        size = sum(network.state_sizes)
        memory = [Slot("state", (size,), precision), Slot("started", (), "bool")] if size else []
        heads = ("logits", "value") if isinstance(network.layers[-1], ActorCritic) else ("q_values",)
        outputs = (*heads, "state_after") if size else heads
        return cls(tuple(name for name, _ in named), (*slots, *memory), outputs, bool(size))

    @property
    def policy(self) -> str:
        """The output whose largest number is the greedy action."""
        return self.outputs[0]

    def given(self, flat: Sequence[Any]) -> tuple[Any, Any, Any]:
        """What the network takes of the arrays in order: the observation, and state and starts, or None and None."""
        count = len(self.parts)
        obs = whole_of(dict(zip(self.parts, flat[:count], strict=True)))
        return (obs, *flat[count:]) if self.has_state else (obs, None, None)

    def flat(self, obs: Any, state: Any = None, started: Any = None) -> list[Any]:
        """The arrays in order: the opposite of `given`."""
        by_name = parts_of(obs)
        return [*(by_name[part] for part in self.parts), *((state, started) if self.has_state else ())]

    def taken(self, outputs: Any, state: Any) -> tuple[Any, ...]:
        """The arrays that go out, of the head's outputs [N, A], or [N, A + 1] with the value last, and the state after."""
        heads = (outputs[:, :-1], outputs[:, -1]) if "value" in self.outputs else (outputs,)
        return (*heads, state) if self.has_state else heads

    def as_dict(self) -> dict[str, Any]:
        """As it stands in files, for whoever plays them."""
        return {
            "inputs": [{"name": slot.name, "shape": ["N", *slot.shape], "dtype": slot.dtype} for slot in self.inputs],
            "outputs": list(self.outputs),
        }


def input_name(part: str) -> str:
    """What a part of the observation is called as an input: letters, digits and underscores alone."""
    return "observation" if part == ONE else "observation_" + re.sub(r"\W", "_", part)


def arrays_by_name(signature: Signature, flat: Sequence[Any]) -> Mapping[str, Any]:
    """What goes in, by name."""
    return dict(zip((slot.name for slot in signature.inputs), flat, strict=True))
