"""Steps whose numbers were not finite, and that nothing was learned from."""

from __future__ import annotations

from typing import Any

from triptych.training.callbacks.base import Callback, Run
from triptych.training.loop import Tick
from triptych.utils.console import warn


class Broken(Callback):
    """Says the first of them at once and counts all of them."""

    def __init__(self) -> None:
        self.count = 0

    def step(self, run: Run, tick: Tick) -> None:
        if tick.step.broken is None:
            return
        if tick.step.trouble and not self.count:
            warn(
                f"{tick.step.trouble[0]}, at step {run.counters.steps:,} of the run; nothing is learned from such steps"
            )
        self.count += int((tick.step.broken & tick.mask).sum())

    def get_state(self) -> dict[str, Any]:
        return {"count": self.count}

    def set_state(self, state: dict[str, Any]) -> None:
        self.count = state["count"]
