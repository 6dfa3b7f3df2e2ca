"""Which batches are audited, and which of their samples."""

from __future__ import annotations

from typing import Any

import numpy as np

from triptych.checkup.budget import Budget
from triptych.checkup.stream import Stream, fingerprints
from triptych.spec.batches import Sequence

SELDOM = 0.1  # of the steps
SAMPLES, EVERY, FIRST = 8, 200, 4  # samples of a batch; of one batch in so many, and of the first ones
EARLY, OFTEN = 500, 25  # up to so many batches one in so many is looked at
WINDOWS = {0: 24, 4_096: 64, 65_536: 64}  # updates from which on so many are looked at whole, of a prioritised replay


class Due:
    """What is due of each batch.

    Args:
        full: every sample of every batch.
        prioritised: its samples come from a prioritised replay.

    Attributes:
        closely: whether every sample of every batch is looked up, for the priorities.
    """

    def __init__(self, full: bool, prioritised: bool):
        self.full, self.prioritised, self.closely = full, prioritised, False

    def of(self, number: int, budget: Budget) -> bool:
        """Whether something of a batch is audited: of the first ones always, of later ones as the budget affords it."""
        if self.full or number < FIRST:
            self.closely = self.prioritised
            return True
        if self.prioritised and number in WINDOWS:
            self.closely = budget.affords()
        if self.closely and not any(first <= number < first + count for first, count in WINDOWS.items()):
            self.closely = False
        if self.closely:
            return True
        every = OFTEN if number < EARLY else EVERY
        return (not number & (number - 1) or not number % every) and budget.affords()

    def chosen(self, batch: Any, number: int) -> np.ndarray:
        """Which samples of a batch are audited, whatever is in them."""
        size = np.shape(batch.action)[-1]
        if self.full or self.closely:
            return np.arange(size)
        few = SAMPLES // 2 if isinstance(batch, Sequence) else SAMPLES
        return np.unique((number + np.arange(few) * max(1, size // few)) % size)


def rare(stream: Stream, batch: Any) -> np.ndarray:
    """Samples at which an episode may have ended, a life was lost, or something was paid where most steps pay nothing: few, and what
    is wrong there shows nowhere else."""
    stream.settle()
    told, paid = stream.terminated | stream.truncated | stream.lost_life, stream.reward != 0
    if paid.sum() < SELDOM * stream.acted.sum():
        told = told | paid
    return np.flatnonzero(np.isin(fingerprints(batch.obs), stream.prints[told]))[:SAMPLES]
