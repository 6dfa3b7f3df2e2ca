"""A glance at the agent now and then: what it sees and its values, for a page that watches the run."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from triptych.envs.actions import action_names
from triptych.runs.now import MOST_BYTES, Now, part_of, write_now
from triptych.spec import parts_of
from triptych.training.callbacks.base import Callback, Run
from triptych.training.loop import Tick
from triptych.training.playing import Playing
from triptych.training.watched import decision_of
from triptych.utils.console import detail

EVERY = 3.0  # seconds between two, at least
SHARE = 0.003  # of the run's time that it may take, at most


class Glance(Callback):
    """Leaves now.json in the run's folder every few seconds. It draws nothing at random and changes nothing.

    One forward pass of the network and a small file; the longer they take, the rarer they come. Where that fails, as on a full
    disk, there are no more of them: the run does not need them.
    """

    def __init__(self) -> None:
        self.next = -math.inf  # when the next one may come, on the clock that only runs forward
        self.given_up = False

    def see(self, run: Run, tick: Tick) -> None:
        if time.perf_counter() >= self.next:
            self.take(run)

    def end(self, run: Run, result: Any) -> None:
        self.take(run)

    def take(self, run: Run) -> None:
        players = run.training.players()  # none where they are on other machines
        if self.given_up or not players or players[0].ended[0]:  # nothing is done at what an episode ends with
            return
        began = time.perf_counter()
        try:
            content = seen(run, players[0])
            if content is not None:
                write_now(run.path, content)
        except Exception as error:  # whatever it is, the run goes on
            self.given_up = True
            detail(f"no more of what the agent sees: {type(error).__name__}: {error}")
        took = time.perf_counter() - began
        self.next = began + max(EVERY, took / SHARE)


def finite(value: Any) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def seen(run: Run, player: Playing) -> Now | None:
    """What the first game shows, and what the network makes of it; None where it is too large to be kept."""
    obs = {name: np.asarray(part[0]) for name, part in parts_of(player.obs).items()}
    if sum(part.nbytes for part in obs.values()) > MOST_BYTES:
        return None
    # All games at once, as when it plays: a compiled network takes no other shape without being compiled again.
    outputs, _ = player.agent.act(player.obs, player.state, player.started)
    thought = decision_of(player.agent, outputs[0], 0)
    return {
        "steps": run.counters.steps,
        "updates": run.counters.updates,
        "episode": run.counters.episodes + 1,
        "length": int(player.episode_length[0]),
        "reward": finite(player.episode_reward[0]),
        "actions": list(action_names(player.games)),
        "is_policy": thought.is_policy,
        "values": [finite(number) for number in thought.numbers],
        "value": finite(thought.value),
        "obs": {name: part_of(part) for name, part in obs.items()},
    }
