"""The audit of prioritised replay: weights against the errors that were heard, by samples that are drawn again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from triptych.checkup.audit import signals
from triptych.checkup.audit.verdict import Differs

ADDED = 0.01  # to each TD error, as docs/design.md says


class Priorities:
    """Priorities of samples, known since they were learned from."""

    def __init__(self, alpha: float, beta_start: float, beta_steps: int):
        self.alpha, self.beta_start, self.beta_steps = alpha, beta_start, beta_steps
        self.known: dict[tuple[int, int], float] = {}  # by row and game where a sample begins
        self.shown: dict[int, set[tuple[int, int]]] = {}  # of these, by the fingerprint of what they show
        self.pairs = 0  # of samples that were compared

    def beta(self, steps: int) -> float:
        """How much of the unequal chance the weights undo, in a line to 1."""
        share = 1.0 if steps >= self.beta_steps else steps / self.beta_steps
        return self.beta_start + (1 - self.beta_start) * share

    def check(self, places: dict[int, tuple[int, int]], batch: Any, steps: int) -> Iterator[Differs]:
        """`places`: of those samples of the batch [B] that are of one place alone. Their weights go as (priority)^-beta."""
        largest = float(np.max(np.asarray(batch.weight, np.float64)))
        if not np.isclose(largest, 1, rtol=1e-3):
            yield Differs(
                signals.WEIGHT, f"the largest weight of a batch is {largest:.4g}", "1: weights are divided by it"
            )
            return
        known = [index for index, where in places.items() if where in self.known]
        if len(known) < 2:
            return
        weight = np.asarray(batch.weight, np.float64)[known]
        priority = np.array([self.known[places[index]] for index in known])
        low, high = int(priority.argmin()), int(priority.argmax())
        wanted = (priority / priority[low]) ** -self.beta(steps)
        self.pairs += len(known)
        found = weight / weight[low]
        wrong = ~np.isclose(found, wanted, rtol=5e-3)
        if wrong.any():
            at = high if wrong[high] else int(wrong.argmax())
            ratio = priority[at] / priority[low]
            yield Differs(
                signals.WEIGHT,
                f"of two samples, one with {ratio:.3g} times the priority of the other by the errors that were learned, a weight {found[at]:.4g} times as large",
                f"{wanted[at]:.4g} times, with beta {self.beta(steps):.3f}",
            )

    def learn(self, places: dict[int, tuple[int, int]], prints: np.ndarray, errors: np.ndarray) -> None:
        """Takes the TD errors [B] of a batch whose samples begin with observations of those fingerprints [B]."""
        for index, print_ in enumerate(prints.tolist()):
            if index in places and np.isfinite(errors[index]):
                self.known[places[index]] = (abs(float(errors[index])) + ADDED) ** self.alpha
                self.shown.setdefault(print_, set()).add(places[index])
                continue
            for where in self.shown.pop(print_, ()):  # it may be one of these, whose priority is not known any more
                self.known.pop(where, None)

    def forget(self) -> None:
        self.known.clear()
        self.shown.clear()
