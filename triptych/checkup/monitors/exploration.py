"""Whether actions are those that settings and network say: as random as epsilon, else those of the largest value; in tests too."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from triptych.checkup.audit.expected import epsilon_at
from triptych.checkup.findings import Finding, Signal
from triptych.checkup.monitors.base import Sampled
from triptych.training.callbacks.base import Run

RANDOM_SHARE = Signal(
    "random-share",
    "warn",
    "the share of random actions is not the schedule's",
    (
        "a schedule that is read at another count than the steps: of episodes, of one game, of this session",
        "epsilon that begins anew at an episode or a resume, or never falls",
        "training that always takes the best action, or never",
    ),
    "algorithm.epsilon_*, warm_up; where actions are chosen",
)
NOT_LARGEST = Signal(
    "largest-avoided",
    "stop",
    "actions avoid the largest value",
    (
        "argmin for argmax, or a sign",
        "actions that are reordered between network and game",
        "actions that belong to other games or steps",
    ),
    "where actions are chosen, and what is handed to the games",
)
EVALUATION_EXPLORES = Signal(
    "evaluation-explores",
    "warn",
    "test games are not played by the largest value",
    ("the epsilon of training is used in tests", "actions are drawn where the largest value is to be taken"),
    "the policy that plays test games",
)
TOGETHER = Signal(
    "games-explore-together",
    "warn",
    "all games act by chance in the same steps",
    ("one draw for all games decides whether chance acts", "one generator that is seeded alike for each game"),
    "where it is drawn whether chance acts: once for each game",
)
UNEVEN = Signal(
    "chance-uneven",
    "warn",
    "random actions are not drawn evenly",
    (
        "an action too few in the range that is drawn from",
        "actions that are numbered from 1",
        "a choice that is weighted",
    ),
    "where random actions are drawn: all of them, with equal chance",
)
SURE = 6.0  # standard deviations
APART = 0.04  # and at least so much of all actions
FEWEST = 150  # actions
RECENT = 8  # rounds that are looked at together


@dataclass
class Share:
    """Actions of a round that were not the largest value's, and how many should not have been."""

    count: int = 0
    other: float = 0.0
    expected: float = 0.0
    variance: float = 0.0
    first: int = 0  # step at which it begins


@dataclass
class Chance:
    """How random actions are spread over games and actions, as far as that shows."""

    steps: int = 0
    apart: float = 0.0  # squares of how many games' actions were not the largest value's, less how many should not be; each over its variance
    spread: float = 0.0  # the variance of that sum
    counts: Any = 0  # [A] of actions that all were random

    def see(self, other: float, unknown: bool, games: int, epsilon: float, others: float) -> None:
        """A step: `other` of the games' actions were not the largest value's; `unknown` if nobody asked, as all were random."""
        chance = epsilon * others
        variance = games * chance * (1 - chance)
        if games < 2 or chance * (1 - chance) < RARE:
            return
        square = (other - games * chance) ** 2 + unknown * games * others * (1 - others)
        self.steps += 1
        self.apart += square / variance
        self.spread += 2 + max(0.0, (1 - 6 * chance * (1 - chance)) / variance)

    def judge(self) -> Iterator[Finding]:
        if self.apart - self.steps > SURER * math.sqrt(self.spread) and self.apart > APART_BY * self.steps:
            told = f"how many games act by chance in one step varies {self.apart / self.steps:.1f} times as much as it should"
            yield Finding(TOGETHER, told, f"about 1.0 times, in {self.steps:,} steps")
        total = int(np.sum(self.counts))
        if total >= FEWEST:
            even, actions = total / len(self.counts), len(self.counts)
            far = np.abs(self.counts - even)
            at = int(far.argmax())
            if far[at] > SURE * math.sqrt(even * (1 - 1 / actions)) and even > RANDOM:
                told = f"action {at} is {int(self.counts[at]):,} of {total:,} actions that chance alone chose"
                yield Finding(UNEVEN, told, f"about {even:,.0f}, as each of {actions}")


RARE = 0.02  # of a game's actions, below which hardly anything is random
SURER, APART_BY = 8.0, 1.3  # standard deviations, and at least so many times
RANDOM = 20  # of each action


class Exploration(Sampled):
    """Off-policy: what was sent against the largest of what the network answered right before."""

    def __init__(self) -> None:
        self.chance = Chance()
        self.rounds: list[Share] = []
        self.now = Share()
        self.outputs: Any = None  # of this step
        self.run: Any = None

    def begin(self, run: Run) -> None:
        self.run = run if run.recipe.algorithm.family == "off-policy" else None

    def acted(self, player: int, given: tuple[Any, ...], answer: tuple[np.ndarray, Any]) -> None:
        self.outputs = answer[0]

    def sent(self, player: int, actions: np.ndarray) -> None:
        run = self.run
        if run is None or run.counters.steps < run.recipe.teacher_plays:
            return
        alive = ~run.training.players()[player].ended
        outputs, self.outputs = self.outputs, None
        others = 1 - 1 / run.training.games.num_actions  # what chance alone gives
        actions, count = np.asarray(actions)[alive], int(alive.sum())
        unknown, epsilon = (
            outputs is None or len(outputs) != len(alive),
            epsilon_at(run.recipe.algorithm, run.counters.steps),
        )
        if unknown:  # the network was not asked: all are random
            other = count * others
        else:
            values = outputs[alive]
            other = float((values[np.arange(count), actions] < values.max(axis=1)).sum())
        if alive.all():  # else a game that only restarts was drawn for as well
            self.chance.see(other, unknown, count, epsilon, others)
        if epsilon == 1:
            self.chance.counts = self.chance.counts + np.bincount(actions, minlength=run.training.games.num_actions)
        self.now.other += other
        chance = epsilon * others
        self.now.first = self.now.first or run.counters.steps
        self.now.count += count
        self.now.expected += count * chance
        self.now.variance += count * max(chance * (1 - chance), 1e-4)

    def slept(self) -> None:
        self.outputs = None

    def judge(self, run: Run) -> Iterator[Finding]:
        if self.run is None:
            return
        yield from self.chance.judge()
        self.rounds = [*self.rounds[1 - RECENT :], self.now]
        self.now = Share()
        for recent in (self.rounds, self.rounds[-2:]):
            yield from self.compared(recent)

    def compared(self, rounds: list[Share]) -> Iterator[Finding]:
        count = sum(one.count for one in rounds)
        if count < FEWEST:
            return
        other, expected = sum(one.other for one in rounds), sum(one.expected for one in rounds)
        since = next(one.first for one in rounds if one.count)
        others = 1 - 1 / self.run.training.games.num_actions
        chance = others * count
        if other - chance > SURE * math.sqrt(chance * max(1 - others, 0.05)) and other - chance > APART * count:
            told = f"{other / count:.0%} of {count:,} actions were not those of the largest value"
            yield Finding(NOT_LARGEST, told, f"{expected / count:.0%}; chance alone gives {others:.0%}", since)
        far = abs(other - expected)
        if far > APART * count and far > SURE * math.sqrt(sum(one.variance for one in rounds)):
            told = f"{min(1.0, other / chance):.0%} of {count:,} actions were random"
            yield Finding(RANDOM_SHARE, told, f"{expected / chance:.0%} by the schedule", since)


class Evaluations(Sampled):
    """Test games of an agent that takes the largest value: each action is that one."""

    always = ("tested",)

    def __init__(self) -> None:
        self.count = self.other = 0
        self.since: int | None = None
        self.run: Any = None

    def begin(self, run: Run) -> None:
        self.run = run if run.recipe.algorithm.policy == "greedy" else None

    def tested(self, outputs: Any, actions: np.ndarray) -> None:
        if self.run is None:
            return
        values = np.asarray(outputs)
        other = int((values[np.arange(len(values)), np.asarray(actions)] < values.max(axis=1)).sum())
        self.count += len(values)
        self.other += other
        if other and self.since is None:
            self.since = self.run.counters.steps

    def judge(self, run: Run) -> Iterator[Finding]:
        if self.other:
            told = f"{self.other:,} of {self.count:,} actions in test games were not those of the largest value"
            yield Finding(EVALUATION_EXPLORES, told, "none", self.since)
