"""Numbers by place and their running sums, for draws in proportion to them."""

from __future__ import annotations

import numpy as np


class SumTree:
    """Numbers >= 0 by place, and the place at which their running sum passes a given value, both in log time.

    A binary heap in one array: entry i is the sum of entries 2i and 2i + 1, the places are its last level.
    """

    def __init__(self, places: int):
        self.first = 1 << (places - 1).bit_length()  # the entry of place 0
        self.entries = np.zeros(2 * self.first)

    @property
    def total(self) -> float:
        return float(self.entries[1])

    def get(self, places: np.ndarray) -> np.ndarray:
        return self.entries[self.first + places]

    def set(self, places: np.ndarray, values: np.ndarray | float) -> None:
        """Writes the values [B] at places [B]; of one named twice, the last.

        Raises:
            ValueError: a value is negative or not finite; in the sums above it, it would hide all that lies beside it.
        """
        if not (np.isfinite(values) & (np.asarray(values) >= 0)).all():
            raise ValueError("a number of a sum tree is negative or not finite; allowed: finite numbers from 0 on")
        index = self.first + places
        self.entries[index] = values
        while len(index) and index[0] > 1:
            index = np.unique(index >> 1)
            self.entries[index] = self.entries[2 * index] + self.entries[2 * index + 1]

    def find(self, values: np.ndarray) -> np.ndarray:
        """The places [B] where the running sum passes the values [B], each in [0, total)."""
        index, rest = np.ones(len(values), np.int64), values.copy()
        while index[0] < self.first:
            left = self.entries[2 * index]
            # Rounding may leave a value just beyond the last number: an empty right half is never entered.
            right = (rest >= left) & (self.entries[2 * index + 1] > 0)
            rest -= np.where(right, left, 0.0)
            index = 2 * index + right
        return index - self.first
