"""Whether the games of a run have seeds of their own, and other ones than the runs beside it."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from triptych.checkup.findings import Finding, Signal
from triptych.checkup.monitors.base import Sampled
from triptych.checkup.monitors.games import SAME_START
from triptych.training import playing
from triptych.training.callbacks.base import Run

SHARED = Signal(
    "seeds-shared",
    "warn",
    "runs with neighbouring seeds play the same games",
    ("game i has the run's seed and i: seeds 0 and 1 share all games but one", "a seed that is cut, or does not enter"),
    "how seeds of games and generators come of the run's; seeds that are compared are no independent runs",
)
NEIGHBOURS = 10  # seeds of other runs
SEEDS = 2**31 - 1  # that a game may have
RARE = 1e-6  # of healthy runs may alarm


class Seeds(Sampled):
    """Asks what hands out the games' seeds, for this run's seed and for the next ones."""

    def __init__(self) -> None:
        self.found: list[Finding] = []

    def begin(self, run: Run) -> None:
        for player in run.training.players()[:1]:
            count, name = player.recipe.num_envs, player.stream("games")
            seeds = [
                np.asarray(playing.game_seeds(run.recipe.seed + ahead, name, 0, count)).tolist()
                for ahead in range(NEIGHBOURS + 1)
            ]
            self.found = list(compared(seeds))
            for what in (*player.generators, "weights"):
                self.found += drawn_alike(run.recipe.seed, player.stream(what))

    def judge(self, run: Run) -> Iterator[Finding]:
        yield from self.found


def compared(seeds: list[list[int]]) -> Iterator[Finding]:
    """The seeds of the games of a run, and of the runs with the next seeds. What chance explains is no finding: of a thousand games
    two have the same seed in one run of four thousand."""
    own, count = set(seeds[0]), len(seeds[0])
    if not by_chance(count - len(own), count * (count - 1) / 2):
        yield Finding(SAME_START, f"{count} games have {len(own)} seeds between them", "a seed each", 0)
    shared = [len(own & set(others)) for others in seeds[1:]]
    if not by_chance(sum(shared), count * count * len(shared)):
        ahead, games = next((ahead, games) for ahead, games in enumerate(shared, 1) if games)
        told = f"{games} of {count} games have the seed of a game of the run whose seed is {ahead} higher"
        yield Finding(SHARED, told, "none", 0)


def by_chance(found: int, pairs: float) -> bool:
    """Whether so many of these pairs of seeds may well be equal where each is drawn by itself (Poisson's bound)."""
    return found == 0 or (pairs / SEEDS) ** found / math.factorial(min(found, 100)) > RARE


def drawn_alike(seed: int, name: str) -> Iterator[Finding]:
    """A generator of this run, and that of the run whose seed is one higher."""
    own, other = (playing.generator(each, name).random(4).tolist() for each in (seed, seed + 1))
    if own == other:
        told = f"the generator `{name}` draws the same numbers in the run whose seed is 1 higher"
        yield Finding(SHARED, told, "others", 0)
