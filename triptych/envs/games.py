"""What N games of one kind are to the rest of the house, in NEXT_STEP order."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np

from triptych.spec import Observation


class Step(NamedTuple):
    """What one step of N games returned. All its numbers are finite.

    A game whose reward or observation is not finite (NaN, inf) is `broken` there: the reward is given as 0, the observation
    as the last finite one, and the step after such an observation is broken too, as it begins at one that never was. The
    episode goes on and its score counts, but learning is cut: nothing is learned from the step itself, what was before it
    ends (truncated) at the observation that it began with, and what comes after it begins anew, with a stack of pictures
    filled and a memory zeroed as at an episode's start.
    """

    obs: Any  # [N, *observation]; of several parts a dict of them
    reward: np.ndarray  # [N] float64, raw
    terminated: np.ndarray  # [N] bool, the episode reached its end
    truncated: np.ndarray  # [N] bool, the episode was cut by a time limit
    lost_life: np.ndarray | None = None  # [N] bool, in games that count lives
    broken: np.ndarray | None = None  # [N] bool, not to be learned from, see below; None: nowhere
    trouble: tuple[str, ...] = ()  # what was not finite, a line each with its game and step


class Games(Protocol):
    """Several games of one kind, stepped together."""

    observation: Observation
    num_actions: int
    first_action: int  # of the environment's own action space, which begins there; the actions here begin at 0
    num_envs: int
    frames_per_step: int  # emulator frames a step
    typical_episode: int  # steps, roughly: how far apart checkpoints that cut episodes must lie
    saves: bool  # whether get_state and set_state work

    def reset(self, seeds: np.ndarray) -> Any:
        """Restarts every game from a seed of its own and returns the observations [N, ...], of several parts a dict of them."""
        ...

    def send(self, actions: np.ndarray) -> None:
        """Hands over [N] actions; the games may play while the caller does something else."""
        ...

    def recv(self) -> Step: ...

    def get_state(self) -> dict[str, Any]:
        """The games as JSON: with it a fresh set of games goes on as these would."""
        ...

    def set_state(self, state: dict[str, Any]) -> None: ...

    def close(self) -> None: ...


def stage_of(games: Any) -> int:
    """How hard games are now that become harder in a training, from 0 on; rewards of two stages are not of the same task.

    Games that have a curriculum say it in `stage`; all others stay at 0.
    """
    return int(getattr(games, "stage", 0))
