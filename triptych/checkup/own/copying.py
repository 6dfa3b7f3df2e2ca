"""The target network of a user's loop: how often it was copied while the loop ran."""

from __future__ import annotations

import time
from collections.abc import Iterator
from math import ceil

import numpy as np

from triptych.checkup.findings import Finding
from triptych.checkup.looks import NotSeen
from triptych.checkup.own import signals
from triptych.checkup.own.made import made
from triptych.checkup.own.protocol import Own

INPUTS, SAME = 4, 1e-6  # observations that both networks are asked; share of the largest value that may differ
# Updates without a copy that are too many where no setting says how many: more than the 10,000 of Mnih et al. 2015.
MANY = 10_500
FEW = 10  # looks that say something
MORE, SECONDS = 12_000, 30.0  # steps, and seconds, for which a loop goes on until its first copy at most
COUNTED = 4  # copies that are expected, from which on they are counted


class Copies:
    """Online and target network beside each other, before each update: what was copied since the last one shows there."""

    def __init__(self, own: Own):
        self.own, self.obs = own, made(own, INPUTS, 31)
        self.every: int | None = own.settings["target_every"]
        self.begun = time.monotonic()
        self.target, self.online = self.ask()
        again, _ = self.ask()
        self.repeats = self.near(self.target, again)  # not of a network that draws noise
        self.looks = self.updates = self.moves = self.equal = 0
        self.first = self.last = 0  # steps of the loop, at the first look and now

    def ask(self) -> tuple[np.ndarray, np.ndarray]:
        return self.own.values(self.obs, "target_values"), self.own.values(self.obs)

    @staticmethod
    def near(one: np.ndarray, other: np.ndarray) -> bool:
        return bool(np.abs(one - other).max() <= SAME * max(1e-3, float(np.abs(other).max())))

    def look(self, step: int) -> None:
        """Before an update, or a step of the environment."""
        target, online = self.ask()
        self.first = step if not self.looks else self.first
        self.looks, self.last = self.looks + 1, step
        learned, moved = not np.array_equal(online, self.online), not np.array_equal(target, self.target)
        self.updates += learned
        self.moves += moved
        # a learner may copy first and learn then: its target is the online network of one update ago
        self.equal += moved and (self.near(target, online) or self.near(target, self.online))
        self.target, self.online = target, online

    @property
    def due(self) -> int | None:
        """The step at which a copy is overdue, where the settings say how often there is one."""
        return None if self.every is None else self.first + ceil(1.5 * self.every) + 1

    def waits(self) -> bool:
        """Whether the loop should go on: there was no copy yet, and it would be overdue soon enough."""
        if not self.repeats or not self.updates or self.moves:
            return False
        each = (time.monotonic() - self.begun) / self.looks
        if self.due is None:
            left: float = MANY - self.updates
        else:
            left = (self.due - self.last) * self.looks / max(1, self.last - self.first)
            left = left if self.due - self.last <= MORE else 0
        return left > 0 and left * each < SECONDS

    def judge(self) -> Iterator[Finding]:
        """What the copies of the loop were.

        Raises:
            NotSeen: nothing can be said of them.
        """
        if not self.repeats:
            raise NotSeen("target_values says something else of the same observations when it is asked again")
        if not self.looks or not self.updates:
            raise NotSeen("no update was seen in the loop, so that no copy was due")
        if not self.moves:
            yield from self.never()
        elif self.equal >= FEW and self.equal >= 0.9 * self.updates:
            told = f"in the loop it was the online network again after {self.equal:,} of {self.updates:,} updates"
            yield Finding(signals.ONLINE, told, "as it was at the last copy, for many updates")
        elif self.every is not None and self.equal >= 0.9 * self.moves:  # else it is moved by parts
            yield from self.counted(self.every)
        elif self.updates < FEW:
            raise NotSeen(f"only {self.updates} updates were seen in the loop")

    def never(self) -> Iterator[Finding]:
        told = f"no copy in {self.updates:,} updates of the loop, {self.last:,} steps"
        if self.due is None and self.updates >= MANY:
            allowed = "one by then, or the setting target_every: steps of train from one copy to the next"
            yield Finding(signals.NEVER, told, allowed)
        elif self.due is not None and self.last >= self.due:
            yield Finding(signals.NEVER, told, f"one each {self.every:,} steps, as the setting target_every says")
        else:
            told += ": whether there is one later was not seen"
            if self.every is None:
                told += ". The setting target_every says after how many steps one is due"
            raise NotSeen(told)

    def counted(self, every: int) -> Iterator[Finding]:
        span = self.last - self.first
        wanted = span / max(every, span / max(1, self.looks - 1))
        if (wanted >= COUNTED and self.moves < wanted / 2) or self.moves > 2 * wanted + 2:
            told = f"{self.moves:,} copies in {span:,} steps of the loop"
            yield Finding(
                signals.COPIES, told, f"about {wanted:.0f}, one each {every:,} steps: the setting target_every"
            )


def copies_in_loop(own: Own) -> Iterator[Finding]:
    """What was seen of the target while the loop was looked at."""
    if own.copies is None:
        raise NotSeen("the loop was not looked at")
    yield from own.copies.judge()
