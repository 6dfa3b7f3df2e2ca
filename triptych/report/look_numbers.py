"""What the numbers of a game's observations are, and what random play scores: for games that draw no pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from triptych import envs
from triptych.envs import GameConfig
from triptych.report.random_play import cached, random_play
from triptych.spec import Shape, parts_of
from triptych.utils.seeds import game_seeds, generator

STEPS = 1_000  # of random play in which the numbers are looked at
MOST_NAMED = 6  # constant numbers that are named by their places


@dataclass(frozen=True)
class PartSeen:
    """What was seen of one part of an observation."""

    part: str  # its name; an observation of one part has none
    shape: Shape  # of one observation
    min: float
    max: float
    constant: list[int]  # places of the numbers that never changed, counted through all axes

    def told(self) -> str:
        """Which of its numbers never changed, in words."""
        count = int(np.prod(self.shape))
        if not self.constant:
            return "no"
        if len(self.constant) == count:
            return "yes"
        named = [f"[{place}]" for place in self.constant[:MOST_NAMED]]
        more = ", ..." if len(self.constant) > MOST_NAMED else ""
        return f"{len(self.constant)} of {count}: {', '.join(named)}{more}"


@dataclass(frozen=True)
class Numbers:
    """What random play showed of a game's numbers."""

    steps: int  # in which the parts were looked at
    parts: list[PartSeen]
    random: float  # mean reward of random play
    low: float  # its 95 % bootstrap interval
    high: float
    games: int

    def score(self) -> str:
        """What random play scores, in words."""
        return f"random play scores {self.random:,.4g} (95 % interval {self.low:,.4g} to {self.high:,.4g}, {self.games} games)"

    def table(self) -> list[list[str]]:
        """Lines of cells: a line for each part below their titles, then lines of one cell."""
        cells = [
            [one.part or "observation", str(one.shape), f"{one.min:.5g}", f"{one.max:.5g}", one.told()]
            for one in self.parts
        ]
        head = ["part", "shape", "min", "max", "constant"]
        return [head, *cells, [f"seen in {self.steps:,} steps of random play; it draws no pictures"], [self.score()]]


def numbers_of(config: GameConfig, seed: int) -> Numbers:
    """Plays a game at random and says what its numbers were.

    Raises:
        InputError: it cannot be made.
        EnvironmentFailed: it raised.
    """
    parts = parts_seen(config, seed)
    found = random_play(config, cached(config))
    return Numbers(STEPS, parts, found["mean"], found["low"], found["high"], found["games"])


def parts_seen(config: GameConfig, seed: int) -> list[PartSeen]:
    """The smallest and largest number of each part in random play, and which of them never changed."""
    games = envs.make(config, 1)
    try:
        rng = generator(seed, "look at numbers")
        seen = parts_of(games.reset(game_seeds(seed, "look", 0, 1)))
        low = {name: part[0].copy() for name, part in seen.items()}
        high = {name: part.copy() for name, part in low.items()}
        for _ in range(STEPS):
            games.send(rng.integers(games.num_actions, size=1))
            for name, part in parts_of(games.recv().obs).items():
                np.minimum(low[name], part[0], out=low[name])
                np.maximum(high[name], part[0], out=high[name])
    finally:
        games.close()
    return [
        PartSeen(
            name,
            part.shape,
            float(part.min()),
            float(high[name].max()),
            [int(place) for place in np.flatnonzero(part == high[name])],
        )
        for name, part in low.items()
    ]
