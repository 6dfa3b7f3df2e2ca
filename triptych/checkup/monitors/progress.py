"""Whether the agent has become better than chance."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np

from triptych.checkup.findings import Finding, Signal
from triptych.checkup.monitors.base import Sampled
from triptych.training.base import Episode
from triptych.training.callbacks.base import Run

FLAT = Signal(
    "no-better-than-random",
    "warn",
    "the agent scores no better than random play",
    (
        "a budget that is too short for this game",
        "rewards or actions that do not belong to the observations that are learned from",
        "a learning rate, a target period or an exploration that does not fit",
    ),
    "the other alarms first; then `triptych compare` with another setting",
)
COLLAPSE = Signal(
    "action-collapse",
    "warn",
    "one action is taken nearly always, and the score does not rise",
    ("a learning rate that is too high", "values or logits that have run away", "no exploration"),
    "optimiser.learning_rate, the entropy bonus or epsilon",
)
FEWEST = 10  # episodes of each kind
UPDATES = 1_000  # before which nothing is expected of a network that sees all there is as a few numbers
HARDER = 20_000  # of one with a memory or pictures
BEGUN = 0.05  # of the budget, in which the agent is as good as untrained
LATE = 0.9  # of the budget
ACTIONS = 1_000
CLEARLY = 0.5  # of the spread of chance's episodes


class Progress(Sampled):
    """The last episodes against the first ones, which chance played."""

    def __init__(self) -> None:
        self.chance: list[float] = []  # rewards of the first episodes
        self.last: deque[float] = deque(maxlen=100)
        self.counts: np.ndarray | None = None  # [A] of the newest windows
        self.rounds = 0
        self.run: Any = None

    def begin(self, run: Run) -> None:
        self.run = run
        self.counts = np.zeros(run.training.games.num_actions, np.int64)

    def episode(self, run: Run, episode: Episode) -> None:
        if run.counters.updates == 0 or run.counters.steps <= BEGUN * run.recipe.steps:
            if len(self.chance) < 200:
                self.chance.append(episode.reward)
        else:
            self.last.append(episode.reward)

    def sent(self, player: int, actions: np.ndarray) -> None:
        if self.counts is not None and self.run.counters.updates:
            self.counts += np.bincount(np.asarray(actions), minlength=len(self.counts))[: len(self.counts)]

    def is_flat(self) -> bool:
        """Whether the last episodes scored no more than chance, as far as so few can tell, and no clearly larger mean either."""
        if len(self.chance) < FEWEST or len(self.last) < FEWEST:
            return False
        first, last = np.array(self.chance), np.array(self.last)
        spread = float(np.sqrt(first.var() / len(first) + last.var() / len(last)))
        better = last.mean() - first.mean()
        return bool(better <= 2 * spread and better <= CLEARLY * first.std())

    def judge(self, run: Run) -> Iterator[Finding]:
        hard = run.recipe.has_memory or run.training.games.observation.is_picture
        learned = run.counters.updates >= (HARDER if hard else UPDATES)
        if learned and run.counters.steps >= LATE * run.recipe.steps and self.is_flat():
            told = f"a mean of {np.mean(self.last):,.4g} over the last {len(self.last):,} episodes"
            wanted = f"clearly more than the {np.mean(self.chance):,.4g} of the first {len(self.chance):,}"
            yield Finding(FLAT, told, wanted, run.counters.steps)
        if self.counts is not None and self.counts.sum() >= ACTIONS:
            most = float(self.counts.max() / self.counts.sum())
            if most > 0.995 and learned and self.is_flat():
                yield Finding(
                    COLLAPSE,
                    f"action {int(self.counts.argmax())} is {most:.1%} of {int(self.counts.sum()):,}",
                    "several actions",
                    run.counters.steps,
                )
            self.counts[:] = 0

    def get_state(self) -> dict[str, Any]:
        return {"chance": self.chance, "last": list(self.last)}

    def set_state(self, state: dict[str, Any]) -> None:
        self.chance = state["chance"]
        self.last.extend(state["last"])
