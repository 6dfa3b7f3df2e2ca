"""Prioritised replay (Schaul et al. 2016, the proportional variant) over the stored stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from triptych.buffers.replay import Collator, Drawn
from triptych.buffers.store import Store
from triptych.buffers.sum_tree import SumTree

# Added to each TD error, so that none is never drawn again. A smaller one would magnify the last bits of errors near 0.
SMALLEST = 0.01


class PrioritisedSampler:
    """Draws samples in proportion to (TD error + a little)^alpha; new ones as the largest seen so far.

    A sample can be drawn once it is whole, and is new then. One that entered with its first steps would keep the priority
    that those were given, and what came later might never be learned from.

    Args:
        places: slots of the store's ring, over all games.
        alpha: 0 draws all with equal chance.
    """

    def __init__(self, places: int, alpha: float):
        self.places = places
        self.alpha = alpha
        self.tree = SumTree(places)
        self.largest = 1.0  # priority seen so far
        self.known = 0  # the newest row when samples were last given a priority
        self.drawn = np.zeros(0, np.int64)  # places of the last batch

    def draw(
        self, store: Store, collator: Collator, rng: np.random.Generator, batch_size: int, beta: float = 1.0
    ) -> Drawn | None:
        """The slots of a batch, one from each of as many equal parts of the priorities' sum; None: no sample is whole.

        `weight` corrects for the unequal chance: (1 / (samples * chance))^beta, over the batch's largest.
        """
        self.absorb(store, collator)
        rows, games = np.empty((2, batch_size), np.int64)
        wanted = np.arange(batch_size)
        part = self.tree.total / batch_size
        while len(wanted):
            if not self.tree.total:
                return None
            places = self.tree.find((wanted + rng.random(len(wanted))) * part)
            slots, games[wanted] = np.divmod(places, store.num_envs)
            rows[wanted] = rows_of(store, slots)
            slots_drawn = rows[wanted], games[wanted]
            cut = ~(collator.drawable(store, *slots_drawn) & collator.whole(store, *slots_drawn, store.count))
            # The ring has dropped frames of their stacks: they are drawn no more. Or a checkpoint of an older version gave
            # them a priority before they were whole: they enter again when they are.
            if cut.any():
                self.tree.set(places[cut], 0.0)
                part = self.tree.total / batch_size
            wanted = wanted[cut]
        self.drawn = places_of(store, rows, games)
        chance = self.tree.get(self.drawn) / self.tree.total
        weight = (store.transitions * chance) ** -beta  # how many there are drops out with the largest
        return Drawn(rows, games, weight / weight.max())

    def absorb(self, store: Store, collator: Collator) -> None:
        """Gives the samples that became whole since the last draw the largest priority, and their slots' earlier ones none.

        Which those are is told by the rows alone, so that a resumed run, whose pieces grow on, finds the same.
        """
        rows = np.arange(max(self.known - collator.grows + 1, store.oldest), store.count)[:, None]
        games = np.arange(store.num_envs)[None]
        places = places_of(store, rows, games)
        before = np.where(
            rows >= self.known, 0.0, self.tree.get(places)
        )  # the ring has put new rows in old ones' slots
        were, are = (collator.whole(store, rows, games, count) for count in (self.known + 1, store.count))
        self.tree.set(places.ravel(), np.where(are & ~were, self.largest, before).ravel())
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
        """The priority of each place; the largest so far, and the rows that have one."""
        return {"priority": self.tree.get(np.arange(self.places))}, {"largest": self.largest, "known": self.known}

    def set_state(self, arrays: dict[str, np.ndarray], state: dict[str, Any]) -> None:
        self.tree.set(np.arange(len(arrays["priority"])), arrays["priority"])
        self.largest, self.known = state["largest"], state["known"]


def places_of(store: Store, rows: np.ndarray, games: np.ndarray) -> np.ndarray:
    """The places in the sum tree of row numbers and games, broadcast together."""
    return rows % store.rows * store.num_envs + games


def rows_of(store: Store, slots: np.ndarray) -> np.ndarray:
    """The newest row numbers at the ring's slots [B]."""
    newest = store.count - 1
    return newest - (newest - slots) % store.rows
