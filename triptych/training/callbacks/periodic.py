"""What falls due every so many steps, episodes or updates."""

from __future__ import annotations

from typing import Any

from triptych.training.base import Counters
from triptych.training.callbacks.base import Callback
from triptych.utils.checks import Period, passed


class Periodic(Callback):
    """Counts the periods of a recipe that have passed."""

    def __init__(self, period: Period | None):
        self.period, self.done = period, 0

    def due(self, counters: Counters) -> bool:
        """Whether a period has passed since this was last true."""
        count = passed(self.period, counters)
        due, self.done = count > self.done, max(count, self.done)
        return due

    def get_state(self) -> dict[str, Any]:
        return {"done": self.done}

    def set_state(self, state: dict[str, Any]) -> None:
        self.done = state["done"]
