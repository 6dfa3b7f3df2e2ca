"""Weights that are kept: the best ones, and some now and then."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from triptych.runs.checkpoints import Checkpoints
from triptych.training.base import Training
from triptych.training.callbacks.meters import Clock
from triptych.training.callbacks.periodic import Periodic
from triptych.training.loop import Tick
from triptych.utils.checks import Period


class Best:
    """Keeps the weights at the highest mean of the last `best_window` episodes, from the first full window on.

    Episodes that ended before the first update were played at random; they say nothing of any weights.
    """

    def __init__(self, checkpoints: Checkpoints, window: int, clock: Clock):
        self.checkpoints, self.clock = checkpoints, clock
        self.recent: deque[float] = deque(maxlen=window)
        self.score: float | None = None
        self.step: int | None = None

    def see(self, training: Training, tick: Tick) -> None:
        if training.counters.updates == 0:
            return
        self.recent.extend(episode.reward for episode in tick.episodes)
        if not tick.episodes or len(self.recent) < (self.recent.maxlen or 0):
            return
        mean = float(np.mean(self.recent))
        if self.score is None or mean >= self.score:  # of equals the later: more training stands behind it
            self.score, self.step = mean, training.counters.steps
            self.clock.pause(lambda: keep_weights(self.checkpoints, "best", training))

    def get_state(self) -> dict[str, Any]:
        return {"recent": list(self.recent), "score": self.score, "step": self.step}

    def set_state(self, state: dict[str, Any]) -> None:
        self.recent.extend(state["recent"])
        self.score, self.step = state["score"], state["step"]


class KeptWeights(Periodic):
    """Keeps the weights every `weights_every`, besides those at the checkpoints."""

    def __init__(self, checkpoints: Checkpoints, period: Period | None, clock: Clock):
        super().__init__(period)
        self.checkpoints, self.clock = checkpoints, clock

    def see(self, training: Training, tick: Tick) -> None:
        if self.due(training):
            name = f"weights-{training.counters.steps:09d}"
            self.clock.pause(lambda: keep_weights(self.checkpoints, name, training))


def keep_weights(checkpoints: Checkpoints, name: str, training: Training) -> None:
    counters = training.counters
    checkpoints.save_weights(name, training.learner.get_weights(), counters.steps, counters.updates)
