"""Faults of a memory's state: kept, handed on, and begun anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from triptych.checkup.faults.base import fault, rolled
from triptych.checkup.faults.playing import looking
from triptych.training.agent import Agent
from triptych.training.off_policy import OffPolicy
from triptych.training.on_policy import OnPolicy
from triptych.utils.patching import Patch, around

STATE = "states permuted across games, late, or a start not told"
RECURRENT = "recurrent state wrong"


@fault(STATE, "repeat-previous")
def states_of_the_neighbour_stored(framework: str) -> list[Patch]:
    """A game's state is stored as another game's."""
    return [around(OffPolicy, "observe", looking("state", lambda self, choice, step: rolled(self.state)))]


@fault(STATE, "repeat-previous")
def states_stored_one_step_late(framework: str) -> list[Patch]:
    """The state after a step is stored as the one before it."""
    return [around(OffPolicy, "observe", looking("state", lambda self, choice, step: choice.state))]


def acting(change: Callable[[Any, Any], tuple[Any, Any]]) -> list[Patch]:
    """`Agent.act` with another state and other starts."""

    def make(keep: Any) -> Any:
        def act(self: Any, obs: Any, state: Any = None, started: Any = None) -> Any:
            return keep(self, obs, *change(state, started))

        return act

    return [around(Agent, "act", make)]


def never_started(state: Any, started: Any) -> tuple[Any, Any]:
    return state, None


def always_started(state: Any, started: Any) -> tuple[Any, Any]:
    return state, None if started is None else np.ones_like(started)


def neighbours_state(state: Any, started: Any) -> tuple[Any, Any]:
    return None if state is None else rolled(state), started


@fault(RECURRENT, "repeat-previous")
def state_never_reset(framework: str) -> list[Patch]:
    """The memory goes on where an episode begins."""
    return acting(never_started)


@fault(RECURRENT, "memory-chain-ppo")
def state_never_reset_in_ppo(framework: str) -> list[Patch]:
    """The memory goes on where an episode begins."""
    return acting(never_started)


@fault(RECURRENT, "repeat-previous")
def state_reset_each_step(framework: str) -> list[Patch]:
    """The memory is empty at each step that is played."""
    return acting(always_started)


@fault(RECURRENT, "memory-chain-ppo")
def state_reset_each_step_in_ppo(framework: str) -> list[Patch]:
    """The memory is empty at each step that is played."""
    return acting(always_started)


@fault(RECURRENT, "repeat-previous")
def state_leaks_between_games(framework: str) -> list[Patch]:
    """A game is played with the memory of another game."""
    return acting(neighbours_state)


@fault(STATE, "memory-chain-ppo")
def no_rollout_begins(framework: str) -> list[Patch]:
    """The rollout is never told where an episode begins."""
    return [around(OnPolicy, "observe", looking("started", lambda self, choice, step: 0 * self.started))]
