"""What an agent sees as it plays, and what its network makes of it: of the first game, taken now and then."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from triptych.envs.actions import action_names
from triptych.runs.now import MOST_BYTES, Part, part_of
from triptych.spec import parts_of
from triptych.training.watched import decision_of

if TYPE_CHECKING:
    from triptych.training.playing import Playing

EVERY = 3.0  # seconds between two, at least
SHARE = 0.003  # of the time that they may take, at most


class Sight(TypedDict):
    """A part of now.json (`runs.now.Now`): all but what a run counts. A number that is not finite is None."""

    length: int
    reward: float | None
    actions: list[str]
    is_policy: bool
    values: list[float | None]
    value: float | None
    obs: dict[str, Part]


def sight_of(player: Playing) -> Sight | None:
    """What the first game shows, and what the network makes of it; None where it is too large, or an episode's last observation."""
    if player.ended[0]:  # nothing is done there
        return None
    obs = {name: np.asarray(part[0]) for name, part in parts_of(player.obs).items()}
    if sum(part.nbytes for part in obs.values()) > MOST_BYTES:
        return None
    # All games at once, as when it plays: a compiled network takes no other shape without being compiled again.
    outputs, _ = player.agent.act(player.obs, player.state, player.started)
    thought = decision_of(player.agent, outputs[0], 0)
    return {
        "length": int(player.episode_length[0]),
        "reward": finite(player.episode_reward[0]),
        "actions": list(action_names(player.games)),
        "is_policy": thought.is_policy,
        "values": [finite(number) for number in thought.numbers],
        "value": finite(thought.value),
        "obs": {name: part_of(part) for name, part in obs.items()},
    }


def finite(value: Any) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


class Pace:
    """When it is time for the next one: every few seconds, and the seldomer the longer one takes."""

    def __init__(self) -> None:
        self.next = -math.inf  # on the clock that only runs forward

    @property
    def is_due(self) -> bool:
        return time.perf_counter() >= self.next

    def taken(self, began: float) -> None:
        """One was taken, begun at that time."""
        self.next = began + max(EVERY, (time.perf_counter() - began) / SHARE)
