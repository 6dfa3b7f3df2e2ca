"""What falls due every so many steps, episodes or updates."""

from __future__ import annotations

from typing import Any

from triptych.training.base import Training
from triptych.utils.checks import Period, passed


class Periodic:
    """Counts the periods of a recipe that have passed."""

    def __init__(self, period: Period | None):
        self.period, self.done = period, 0

    def due(self, training: Training) -> bool:
        """Whether a period has passed since this was last true."""
        count = passed(self.period, training.counters)
        due, self.done = count > self.done, max(count, self.done)
        return due

    def get_state(self) -> dict[str, Any]:
        return {"done": self.done}

    def set_state(self, state: dict[str, Any]) -> None:
        self.done = state["done"]
