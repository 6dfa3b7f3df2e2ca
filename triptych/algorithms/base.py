"""What an algorithm must answer. One is a file: its settings, its network, its loss and the batch that the loss takes.

A new one is such a file and a line in `algorithms/__init__.py`, or, from outside, a call of `register_algorithm`. How it is
trained is its `family`: off-policy (a replay and a target network), on-policy (rollouts) or asynchronous (workers' rollouts);
see `training`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from triptych.spec import Layer, Network, Observation
from triptych.spec.batches import LossFunction
from triptych.utils.checks import InputError, check

Family = Literal["off-policy", "on-policy", "asynchronous"]
Policy = Literal["greedy", "sample"]


@dataclass(frozen=True)
class Config(ABC):
    """An algorithm's settings, checked when they are made, and what the rest of the house asks of them."""

    kind: ClassVar[str]  # its name, in recipes and files
    family: ClassVar[Family]
    policy: ClassVar[Policy]  # how its agent plays: by the largest value, or drawing from the policy
    metrics: ClassVar[tuple[str, ...]]  # the scalars that its loss reports, beside the loss; columns of metrics.csv
    may_remember: ClassVar[bool]  # whether its networks may have a memory
    has_target: ClassVar[bool]  # whether it learns towards a target network

    @abstractmethod
    def check(self, num_envs: int, has_memory: bool) -> None:
        """Refuses settings that do not fit so many games, or a network with or without memory.

        Raises:
            InputError: names the setting, its value and what is allowed.
        """

    def warnings(self, steps: int, num_envs: int) -> list[str]:
        """What is allowed in a run of so many steps but surely not meant, a line each."""
        return []

    def unreached(self, steps: int, num_envs: int) -> str:
        """Why a run of so many steps makes no update at all, in a line; "": it makes some."""
        return ""

    def steps_before_updates(self, num_envs: int) -> int:
        """The steps of a run, over all games, that are played before the first update can come."""
        return 0

    def ranges(self) -> dict[str, str]:
        """What a search tries where nobody says what: values of fields around those that they have here, as `tune --over` reads them."""
        return {}

    def games_at_once(self, num_envs: int) -> int:
        """How many games are played side by side; `num_envs` is the recipe's."""
        return num_envs

    def check_apart(self) -> None:
        """Refuses what cannot be done where its workers are processes of their own, on Ray.

        Raises:
            InputError: it has no workers, or a setting has no meaning there.
        """
        allowed = f"here, as {self.kind} has no workers; a run on Ray is one of A3C (cartpole-a3c)"
        raise InputError(f"on is 'ray'; allowed: {allowed}")

    @property
    def steps_before_learning(self) -> int:
        """Steps at the run's start that are played at random; a proof counts from their end."""
        return 0

    @property
    def unlearned_steps(self) -> int:
        """First steps of each sequence or rollout of a batch that are not learned from."""
        return 0

    @property
    def samples_on_device(self) -> bool:
        """Whether the observations of a batch are put together where the network is, out of NumPy's reach."""
        return False

    def provable(self) -> Self:
        """The same with the numbers replaced that would make a lockstep empty. Network, loss and optimiser stay."""
        return self

    def smallest(self, num_envs: int) -> Self:
        """The same update with as little kept beside it as it takes: for clocks, which need no experience."""
        return self


@dataclass(frozen=True)
class Algorithm:
    """One algorithm.

    Args:
        config: the class of its settings.
        network: `(config, observation, body, num_actions) -> Network`: the body with the algorithm's head.
        make_loss: closes over the settings and returns `loss(xp, online, target, batch) -> (scalar, (error, scalars))`.
        batch: the NamedTuple that the loss takes: Transition, Sequence or Rollout of `spec.batches`.
    """

    config: type[Config]
    network: Callable[[Any, Observation, tuple[Layer, ...], int], Network]
    make_loss: Callable[[Any], LossFunction]
    batch: type

    @property
    def kind(self) -> str:
        return self.config.kind


def around(value: int, times: int) -> list[int]:
    """A whole number above 0, what it is divided and what it is multiplied by."""
    return sorted({max(1, value // times), value, value * times})


def spread(value: float, low: float, high: float) -> str:
    """The range from `low` to `high`, or as much further as the value lies outside."""
    return f"{min(low, value):g}..{max(high, value):g}"


def add(algorithms: dict[str, Algorithm], algorithm: Algorithm) -> None:
    """Makes an algorithm known by its kind; the same class again, as from a file that is run twice, takes its own place.

    Raises:
        InputError: another class has that kind.
    """
    known = algorithms.get(algorithm.kind)
    name = algorithm.config.__qualname__
    check(known is None or known.config.__qualname__ == name, "algorithm", algorithm.kind, "a kind that no other has")
    algorithms[algorithm.kind] = algorithm
