"""Where samples come from: a replay draws from all that it keeps, and from every game."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from triptych.checkup.audit import signals
from triptych.checkup.audit.verdict import Differs
from triptych.checkup.stream import Stream

QUARTERS = ("oldest", "second oldest", "second newest", "newest")  # of the rows that are kept
EACH = 8  # samples of a batch
NEWEST, MOST = 96, 400  # samples that are looked at together: soon, and for what shows only in many
SURE = 23.0  # nats: chance does less than once in 10^10 times what is told
PLACES = 128  # that are told apart, where a replay is drawn from alike each time
ENOUGH = 512  # samples that it must hold for that


class Draws:
    """Rows and games of samples, as the stream tells them.

    Args:
        kept: rows that the replay keeps.
        evenly: whether all are drawn with equal chance; else by priority, where old ones may become rare, new ones and whole games not.
        apart: steps from one sample to the next.
    """

    def __init__(self, kept: int, games: int, evenly: bool, apart: int = 1):
        self.kept, self.games, self.evenly, self.apart, self.turn = kept, games, evenly, apart, 0
        # How far from the oldest row to the newest one, and the game; None: the stream shows it in several places, or in none.
        self.places: deque[tuple[float, int] | None] = deque(maxlen=MOST)
        self.among_many: deque[float] = deque(maxlen=MOST)  # the former, where chance hardly draws a sample twice
        self.known = self.twice = 0  # samples whose place is known, and those of them that their batch has already
        self.hoped = 0.0  # as many of the latter as chance makes

    def see(self, stream: Stream, said: Sequence[Any]) -> None:
        """What the audit said of some samples of one batch that were not chosen by what is in them."""
        newest = stream.count - 1
        oldest = max(0, newest - self.kept)
        apart = max(1, len(said) // EACH)
        self.turn = (self.turn + 1) % apart
        places = [one for one in said if type(one) is tuple and one[0] >= oldest]
        self.known += len(places)
        self.twice += len(places) - len(set(places))
        pairs = len(places) * (len(places) - 1) / 2
        self.hoped += pairs * self.apart / max(1, (newest - oldest) * self.games)
        for one in said[self.turn :: apart][:EACH]:  # a prioritised batch is ordered by place
            known = type(one) is tuple and one[0] >= oldest
            age = (one[0] - oldest + one[1] / self.games) / max(1, newest - oldest) if known else 0.0
            self.places.append((age, one[1]) if known else None)
            if known and (newest - oldest) * self.games >= ENOUGH * self.apart:
                self.among_many.append(age)

    def judge(self) -> Iterator[Differs]:
        """A sample whose place is not known may be of any: it counts where one is missed."""
        every = [*self.places]
        for some in (every[-NEWEST:], every):
            quarters = [min(3, int(4 * one[0])) for one in some if one is not None]
            for part in range(4) if self.evenly else (3,):
                found, least = quarters.count(part), quarters.count(part) + len(some) - len(quarters)
                yield from missing(found, least, len(some), 4, f"the {QUARTERS[part]} quarter of what is kept")
        games = [one[1] for one in every if one is not None]
        for game in range(self.games) if self.games > 1 else ():
            found, least = games.count(game), games.count(game) + len(every) - len(games)
            yield from missing(found, least, len(every), self.games, f"game {game}")
        if self.evenly:
            yield from self.alike(self.among_many)
            chance = self.hoped - self.twice + self.twice * math.log(max(1, self.twice) / max(1e-9, self.hoped))
            if self.twice > self.hoped and chance > SURE:  # Chernoff's bound
                told = f"{self.twice:,} of {self.known:,} samples are in their batch already"
                yield Differs(signals.DRAWN, told, f"about {self.hoped:,.0f}, by chance")

    def alike(self, ages: Sequence[float]) -> Iterator[Differs]:
        """Whether samples come from the same places, counted from the oldest row to the newest, each time."""
        distinct, count = len(np.unique((PLACES * np.array(ages)).astype(int))), len(ages)
        expected = PLACES * (1 - math.exp(-count / PLACES))
        if count > NEWEST and distinct < 0.75 * expected:
            told = f"the last {count:,} samples came from {distinct} of {PLACES} equal parts of what is kept"
            yield Differs(signals.DRAWN, told, f"about {expected:,.0f}")


def missing(found: int, most: int, samples: int, parts: float, where: str) -> Iterator[Differs]:
    """Whether a part of what is kept, one of so many alike, has fewer samples than chance would give it: `most` at most."""
    share, even = most / max(1, samples), 1 / parts
    if share >= even:
        return
    surprise = (1 - share) * math.log((1 - share) / (1 - even)) + (share * math.log(share / even) if share else 0.0)
    if samples * surprise > SURE:  # Chernoff's bound
        measured = f"{found or 'none'} of the last {samples:,} samples came from {where}"
        yield Differs(signals.DRAWN, measured, f"about {samples / parts:,.0f}")
