"""Whether an episode's last observation is one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from triptych.checkup.findings import Finding, Signal
from triptych.checkup.monitors.base import Monitor
from triptych.envs import Step
from triptych.spec import parts_of
from triptych.training.callbacks.base import Run

BLANK = Signal(
    "final-observation-blank",
    "warn",
    "an episode's last observation is blank",
    (
        "a game that shows nothing any more when its episode is over",
        "a wrapper that fills in zeros at the end",
    ),
    "what the environment's step returns beside terminated or truncated: a truncated episode bootstraps from it",
)
FEWEST = 8  # ends
MOST = 50  # that are looked at


class Finals(Monitor):
    """Counts observations of one value alone: at ends, and at the steps before them."""

    always, rests = ("received",), True

    def __init__(self) -> None:
        self.ends = self.blank = self.before = 0
        self.last: Any = None  # what the first part showed one step ago

    def received(self, player: int, step: Step) -> None:
        if player or self.ends >= MOST:
            return
        obs = step.obs
        shown = obs if type(obs) is np.ndarray else next(iter(parts_of(obs).values()))
        ended = step.terminated | step.truncated
        if ended.any() and self.last is not None:
            for game in np.flatnonzero(ended):
                self.ends += 1
                self.blank += is_blank(newest(shown[game]))
                self.before += is_blank(newest(self.last[game]))
        self.last = shown.copy() if shown.nbytes < 1_000_000 else None

    def wake(self, run: Run) -> None:
        self.last = None

    def judge(self, run: Run) -> Iterator[Finding]:
        if self.ends >= FEWEST and self.blank > 0.9 * self.ends and self.before < 0.1 * self.ends:
            told = f"{self.blank} of {self.ends} last observations are of one value alone"
            yield Finding(BLANK, told, f"hardly any, as {self.ends - self.before} of those before them are not")


def newest(obs: np.ndarray) -> np.ndarray:
    """The newest picture of a stack; numbers as they are."""
    return obs[-1] if obs.ndim > 2 else obs


def is_blank(obs: np.ndarray) -> bool:
    return obs.size > 1 and bool((obs == obs.flat[0]).all())
