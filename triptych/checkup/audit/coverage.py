"""Whether all of a rollout is learned from, once in each pass over it, and cut anew each time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from triptych.checkup.audit import signals
from triptych.checkup.audit.rollouts import Played
from triptych.checkup.audit.verdict import Differs
from triptych.checkup.budget import Budget
from triptych.checkup.stream import fingerprints
from triptych.spec import parts_of

FIRST, SMALL = 4, 2_000_000  # rollouts that are counted in any case, where all passes show no more numbers than that
SURE = 20.0  # nats: how unlikely it must be that chance cuts all passes alike


class Coverage:
    """Counts the steps of a rollout in all minibatches that are learned from: of the first ones, then of one in twice as many.

    Args:
        epochs: passes over a rollout.
        minibatches: that each pass is cut into.
        whole: whole games are dealt out to the minibatches, as of a network with memory; else steps.
    """

    def __init__(self, epochs: int, minibatches: int, whole: bool):
        self.epochs, self.minibatches, self.whole = epochs, minibatches, whole
        self.begins = True  # the next batch is a rollout's first one
        self.rollouts = 0
        self.table: Played | None = None  # of the rollout that is counted; None: none is
        self.seen: list[np.ndarray] = []  # fingerprints of the steps of each minibatch at which an action was taken

    def fed(self, batch: Any, newest: Callable[[], Played | None], full: bool, budget: Budget) -> None:
        """A batch is about to be learned from. `newest` gives what was just played, where it was heard whole."""
        if self.begins:
            number, self.begins, self.rollouts, self.seen = self.rollouts, False, self.rollouts + 1, []
            numbers = sum(np.size(part) for part in parts_of(batch.obs).values()) * self.minibatches * self.epochs
            always = full or (number < FIRST and numbers <= SMALL)
            wanted = always or (not number & (number - 1) and budget.affords())
            self.table = newest() if wanted else None
        if self.table is not None:
            prints = fingerprints(batch.obs, 2)
            self.seen.append(np.sort(prints[np.asarray(batch.mask) > 0]))

    def forget(self) -> None:
        self.table, self.begins = None, True

    def end(self) -> Iterator[Differs]:
        """The games go on: all that is learned from the rollout was seen."""
        table = self.table
        self.forget()
        if table is None or not self.seen:
            return
        steps, wanted = np.unique(table.prints[table.mask.astype(bool)], return_counts=True)
        kinds, found = np.unique(np.concatenate(self.seen), return_counts=True)
        place = np.minimum(np.searchsorted(steps, kinds), max(0, len(steps) - 1))
        counts, there = np.zeros(len(steps), np.int64), steps[place] == kinds
        counts[place[there]] = found[there]
        wrong = counts != self.epochs * wanted
        if wrong.any():
            told = f"{int(wanted[wrong].sum()):,} of a rollout's {int(wanted.sum()):,} steps are not learned from once a pass"
            never = int(wanted[counts == 0].sum())
            yield Differs(signals.UNEVEN, f"{told}, {never:,} of them never", f"each of them {self.epochs} times")
        elif self.is_cut_alike(self.singles(table, steps[wanted == 1])):
            told = f"each of {self.epochs} passes cuts a rollout into the same {self.minibatches} minibatches"
            yield Differs(signals.UNEVEN, told, "others in each pass")

    def singles(self, table: Played, steps: np.ndarray) -> int:
        """How many of the parts that are dealt out show what no other one does: only of these it is known where they went.

        Args:
            steps: fingerprints that one step alone has.
        """
        if not self.whole:
            return len(steps)
        games = np.sort(np.where(table.mask > 0, table.prints, np.uint64(0)), axis=0)
        _, counts = np.unique(games, axis=1, return_counts=True)
        return int((counts == 1).sum())

    def is_cut_alike(self, parts: int) -> bool:
        """Whether the minibatches of all passes hold the same steps, which chance does not do where so many parts are told apart."""
        count = self.epochs * self.minibatches
        if len(self.seen) != count or self.minibatches < 2 or self.epochs < 2:
            return False
        keys = [part.tobytes() for part in self.seen]
        passes = {tuple(sorted(keys[at : at + self.minibatches])) for at in range(0, count, self.minibatches)}
        return len(passes) == 1 and self.ways(parts) * (self.epochs - 1) > SURE

    def ways(self, parts: int) -> float:
        """The logarithm of how many ways there are to cut so many parts into minibatches."""
        each = self.minibatches * math.lgamma(parts / self.minibatches + 1)
        return math.lgamma(parts + 1) - each - math.lgamma(self.minibatches + 1)
