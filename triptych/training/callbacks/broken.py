"""Steps whose numbers were not finite, and that nothing was learned from."""

from __future__ import annotations

from typing import Any

from triptych.training.callbacks.base import Callback, Run
from triptych.training.loop import Tick
from triptych.utils.console import warn


class Broken(Callback):
    """Says the first number that was not finite at once, and counts all such steps."""

    def __init__(self) -> None:
        self.count = 0
        self.told = False

    def step(self, run: Run, tick: Tick) -> None:
        if tick.step.trouble and not self.told:  # at a reset, too, which is no step and not broken itself
            self.told = True
            warn(
                f"{tick.step.trouble[0]}, at step {run.counters.steps:,} of the run; nothing is learned from such steps"
            )
        if tick.step.broken is not None:
            self.count += int((tick.step.broken & tick.mask).sum())

    def get_state(self) -> dict[str, Any]:
        return {"count": self.count, "told": self.told}

    def set_state(self, state: dict[str, Any]) -> None:
        self.count = state["count"]
        self.told = state.get("told", self.count > 0)  # states of before have none
