"""What looking may cost: a share of a session's time so far, and a few seconds at its start."""

from __future__ import annotations

import time
from collections.abc import Callable

SHARE = 0.01  # of the time so far, for looks that can wait
MOST = 0.015  # of it: beyond this even what hears each step rests
FREE = 1.0  # seconds besides, so that a short run is looked at as well
PASSING = 1.2e-6  # seconds on the way to those who look and back, which no look counts itself (measured)


class Budget:
    """Counts the time that monitors take. What it decides is when they look, never what the run does.

    Args:
        clock: gives seconds; the wall's, as the run's own time is.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter):
        self.clock, self.begun, self.spent = clock, clock(), 0.0

    def begin(self) -> None:
        """The session begins now."""
        self.begun, self.spent = self.clock(), 0.0

    def took(self, since: float) -> None:
        """A look that began then is over."""
        self.spent += self.clock() - since + PASSING

    def passed(self) -> None:
        """Something was passed on, and nobody looked."""
        self.spent += PASSING

    def affords(self) -> bool:
        """Whether another look may be taken now."""
        return self.spent <= FREE + SHARE * (self.clock() - self.begun)

    def is_overdrawn(self) -> bool:
        """Whether hearing each step alone takes too much."""
        return self.spent > FREE + MOST * (self.clock() - self.begun)

    @property
    def share(self) -> float:
        """Of the session's time so far, what looking took."""
        return self.spent / max(1e-9, self.clock() - self.begun)


class Unlimited(Budget):
    """Where nobody counts: every look may be taken."""

    def affords(self) -> bool:
        return True

    def is_overdrawn(self) -> bool:
        return False


UNLIMITED = Unlimited()
