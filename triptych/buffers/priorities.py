"""Prioritised replay (Schaul et al. 2016, the proportional variant) over the stored stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from triptych.buffers.frames import FrameStore
from triptych.buffers.replay import UniformReplay

# Added to each TD error, so that none is never drawn again. A smaller one would magnify the last bits of errors near 0.
SMALLEST = 0.01


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


class PrioritisedReplay(UniformReplay):
    """Draws transitions in proportion to (TD error + a little)^alpha; new ones as the largest seen so far.

    Args:
        store, gamma, reward, precision, life_loss_reward, n_step: as for `UniformReplay`.
        alpha: 0 draws all with equal chance.
    """

    def __init__(self, store: FrameStore, *settings: Any, alpha: float):
        super().__init__(store, *settings)
        self.alpha = alpha
        self.tree = SumTree(store.rows * store.num_envs)
        self.largest = 1.0  # priority seen so far
        self.known = 0  # rows whose transitions have a priority
        self.drawn = np.zeros(0, np.int64)  # places of the last batch

    def places(self, rows: np.ndarray, games: np.ndarray) -> np.ndarray:
        return rows % self.store.rows * self.store.num_envs + games

    def sample(self, rng: np.random.Generator, batch_size: int, beta: float = 1.0) -> Any:
        """Draws a batch, one sample from each of as many equal parts of the priorities' sum.

        `weight` corrects for the unequal chance: (1 / (samples * chance))^beta, over the batch's largest.

        Raises:
            ValueError: nothing that is stored can be drawn.
        """
        self.absorb()
        rows, games = np.empty((2, batch_size), np.int64)
        wanted = np.arange(batch_size)
        part = self.tree.total / batch_size
        while len(wanted):
            if not self.tree.total:
                raise ValueError("the replay holds nothing to draw; allowed: at least one complete sample")
            places = self.tree.find((wanted + rng.random(len(wanted))) * part)
            slots, games[wanted] = np.divmod(places, self.store.num_envs)
            rows[wanted] = self.rows_of(slots)
            cut = ~self.drawable(rows[wanted], games[wanted])
            if cut.any():  # the ring has dropped frames of their stacks: they are drawn no more
                self.tree.set(places[cut], 0.0)
                part = self.tree.total / batch_size
            wanted = wanted[cut]
        self.drawn = self.places(rows, games)
        chance = self.tree.get(self.drawn) / self.tree.total
        weight = (len(self) * chance) ** -beta  # how many there are drops out with the largest
        return self.batch(rows, games)._replace(weight=self.cast(weight / weight.max()))

    def rows_of(self, slots: np.ndarray) -> np.ndarray:
        """The newest row numbers at the ring's slots [B]."""
        newest = self.store.count - 1
        return newest - (newest - slots) % self.store.rows

    def absorb(self) -> None:
        """Gives the transitions that came since the last draw the largest priority."""
        store = self.store
        rows = np.arange(max(self.known, store.oldest), store.count)
        places = self.places(rows[:, None], np.arange(store.num_envs))
        begins = self.counts(rows[:, None], np.arange(store.num_envs)[None])
        self.tree.set(places.ravel(), np.where(begins, self.largest, 0.0).ravel())
        self.known = max(0, store.count - 1)

    def learned(self, td_error: Callable[[], np.ndarray]) -> None:
        """Takes the TD errors [B] of the last batch as its priorities; one that is not finite leaves the old one.

        An update that diverges is the loss's to tell: it must not decide what is drawn from then on.
        """
        error = np.abs(td_error().astype(np.float64))
        finite = np.isfinite(error)
        priority = (error[finite] + SMALLEST) ** self.alpha
        self.tree.set(self.drawn[finite], priority)
        self.largest = max(self.largest, float(priority.max(initial=0.0)))

    def get_state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        count = self.store.rows * self.store.num_envs
        return {"priority": self.tree.get(np.arange(count))}, {"largest": self.largest, "known": self.known}

    def set_state(self, arrays: dict[str, np.ndarray], state: dict[str, Any]) -> None:
        self.tree.set(np.arange(len(arrays["priority"])), arrays["priority"])
        self.largest, self.known = state["largest"], state["known"]
