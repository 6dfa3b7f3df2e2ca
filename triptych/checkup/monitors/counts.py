"""Whether batches, running means, test games and the run's end come as the settings say, counted a second time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np

from triptych.checkup.audit.expected import periods
from triptych.checkup.findings import Finding, Signal
from triptych.checkup.monitors.base import Sampled
from triptych.spec.batches import Sequence, Taught, Transition
from triptych.training.callbacks.base import Run
from triptych.training.counting import Episode, Tick

SIZE = Signal(
    "batch-size",
    "warn",
    "batches are not as large as the settings say",
    ("a number that stands where the setting was meant", "samples that are dropped on the way to the learner"),
    "algorithm.batch_size; where a batch is drawn",
)
MEAN = Signal(
    "running-reward",
    "warn",
    "the running reward is not the mean of the last 100 episodes",
    (
        "a mean over another number of episodes, or over all of them",
        "clipped rewards, or episodes of some games that are left out",
    ),
    "where episodes are counted; stop_running_reward reads it, and the best weights are kept by it",
)
EARLY = Signal(
    "ends-early",
    "warn",
    "the run ends before its limit is reached",
    ("a limit that is read in another unit, or compared with another count",),
    "steps; where the run's limits are looked at",
)
TESTS = Signal(
    "tests-pace",
    "warn",
    "test games are not as many, or as often, as the settings say",
    ("a period counted in another unit: updates, episodes, frames", "a condition that is never true"),
    "evaluate_every, evaluate_games; the callback that plays test games",
)
RECENT = 100  # episodes
CLOSE = 1e-6


class Counts(Sampled):
    """What needs no more than to be counted."""

    always = ("tests_begin",)

    def __init__(self) -> None:
        self.run: Any = None
        self.size: tuple[int, int] | None = None
        self.recent: deque[float] | None = None  # of the last episodes; None: earlier ones are not known
        self.mean: tuple[int, float, float] | None = None
        self.tests = self.due = self.period = 0
        self.few: tuple[int, int] | None = None  # steps, and games of a test

    def begin(self, run: Run) -> None:
        self.run, self.tests, self.due = run, 0, 0
        known = run.counters.episodes == 0 and not run.recipe.teacher_plays  # what a teacher earns counts otherwise
        self.recent = deque(maxlen=RECENT) if known else None
        self.every = run.recipe.evaluation_period
        self.period = periods(self.every, run.counters)

    def step(self, run: Run, tick: Tick) -> None:
        period = periods(self.every, run.counters)
        self.due += period > self.period
        self.period = max(period, self.period)

    def tests_begin(self) -> None:
        self.tests += 1

    def fed(self, player: int, batch: Any) -> None:
        batch = batch.batch if isinstance(batch, Taught) else batch
        if self.size is None and isinstance(batch, (Transition, Sequence)):
            found, wanted = int(np.shape(batch.action)[-1]), self.run.recipe.algorithm.batch_size
            if found != wanted:
                self.size = self.run.counters.steps, found

    def episode(self, run: Run, episode: Episode) -> None:
        if self.recent is None:
            return
        self.recent.append(episode.reward)
        mean = float(np.mean(self.recent))
        if self.mean is None and abs(mean - episode.running_reward) > CLOSE * max(1.0, abs(mean)):
            self.mean = run.counters.steps, episode.running_reward, mean

    def row(self, run: Run, table: str, row: dict[str, Any]) -> None:
        games = row.get("evaluation_games")
        if self.few is None and games is not None and games != run.recipe.evaluate_games:
            self.few = run.counters.steps, int(games)

    def forget_scores(self) -> None:
        """The run goes on with another network, whose scores begin anew."""
        if self.recent is not None:
            self.recent.clear()

    def judge(self, run: Run) -> Iterator[Finding]:
        if self.size is not None:
            step, found = self.size
            yield Finding(SIZE, f"a batch of {found:,}", f"{run.recipe.algorithm.batch_size:,}", step)  # type: ignore[attr-defined]
        if self.mean is not None:
            step, found_mean, mean = self.mean
            yield Finding(MEAN, f"{found_mean:.6g}", f"{mean:.6g}", step)
        if run.stopped_by == "steps" and run.counters.steps < run.recipe.steps:
            told = f"it ends by its steps at {run.counters.steps:,} of them"
            yield Finding(EARLY, told, f"{run.recipe.steps:,}", run.counters.steps)
        if self.few is not None:
            yield Finding(TESTS, f"{self.few[1]:,} games", f"{run.recipe.evaluate_games:,}", self.few[0])
        elif abs(self.tests - self.due) > 1:
            told = f"{self.tests:,} times, where they were due {self.due:,} times"
            yield Finding(TESTS, told, "as often", run.counters.steps)
