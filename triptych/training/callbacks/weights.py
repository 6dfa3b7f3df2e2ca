"""Weights that are kept: the best ones, and some now and then."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from triptych.envs.games import stage_of
from triptych.training.callbacks.base import Callback, Run
from triptych.training.callbacks.periodic import Periodic
from triptych.training.loop import Tick


class Best(Callback):
    """Keeps the weights at the highest mean of the last `best_window` episodes, from the first full window on.

    Episodes that ended before the first update were played at random, those of a teacher by the teacher: they say nothing of any weights.
    Where the games have become harder (`stage_of`), what was earned before is not of the same task: the best weights are those of
    the last stage.
    """

    def __init__(self, window: int):
        self.recent: deque[float] = deque(maxlen=window)
        self.score: float | None = None
        self.at: int | None = None  # steps
        self.stage: int | None = None  # of the games; None: not known yet

    def step(self, run: Run, tick: Tick) -> None:
        if run.counters.updates == 0:
            return
        stage = stage_of(run.training.games)
        if self.stage is not None and stage != self.stage:
            self.recent.clear()
            self.score = self.at = None
        self.stage = stage
        own = [episode.reward for episode in tick.episodes if not episode.taught]
        self.recent.extend(own)
        if not own or len(self.recent) < (self.recent.maxlen or 0):
            return
        mean = float(np.mean(self.recent))
        if self.score is None or mean >= self.score:  # of equals the later: more training stands behind it
            with run.clock.paused():
                run.keep_weights("best")
            self.score, self.at = mean, run.counters.steps

    def forget(self) -> None:
        """The run goes on with another network: a whole window of its own episodes decides whether it is better than the best so far."""
        self.recent.clear()

    def get_state(self) -> dict[str, Any]:
        return {"recent": list(self.recent), "score": self.score, "step": self.at, "stage": self.stage}

    def set_state(self, state: dict[str, Any]) -> None:
        self.recent.extend(state["recent"])
        self.score, self.at, self.stage = state["score"], state["step"], state.get("stage")


class KeptWeights(Periodic):
    """Keeps the weights every `weights_every`, besides those at the checkpoints."""

    def step(self, run: Run, tick: Tick) -> None:
        if self.due(run.counters):
            with run.clock.paused():
                run.keep_weights(f"weights-{run.counters.steps:09d}")
