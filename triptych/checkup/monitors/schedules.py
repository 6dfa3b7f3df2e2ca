"""Whether what changes while a run goes on changes as its settings say, worked out a second time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from triptych.checkup.audit.expected import epsilon_at
from triptych.checkup.findings import Finding, Signal
from triptych.checkup.monitors.base import Monitor, Sampled
from triptych.training.callbacks.base import Run

RATE = Signal(
    "learning-rate",
    "warn",
    "the learning rate is not the schedule's",
    (
        "a schedule that is read at updates where steps were meant",
        "a rate that is left at its start or is 0",
        "a schedule that begins anew",
    ),
    "optimiser.learning_rate, final_rate; where the rate is handed to the optimiser",
)
SCHEDULE = Signal(
    "coefficient-schedule",
    "warn",
    "a coefficient of the loss is not the schedule's",
    (
        "a schedule that is never read, or at another count than the steps",
        "a number that stands where the setting was meant",
    ),
    "algorithm.entropy_weight, entropy_end, clip, clip_end; where a batch is given them",
)
EPSILON = Signal(
    "epsilon-schedule",
    "warn",
    "the share of random actions is chosen by another schedule than the settings'",
    (
        "a fall that is too slow or too fast, or stops above its floor",
        "epsilon that is read at another count than the steps: of episodes, of one game, of this session",
        "a number that stands where the setting was meant",
    ),
    "algorithm.epsilon_*, warm_up; where epsilon is worked out",
)
POINTS = 64  # steps of the run at which the schedule is looked up
CLOSE = 1e-6


class Epsilon(Monitor):
    """Epsilon over the whole run before it begins, and as it was logged, against the settings."""

    def __init__(self) -> None:
        self.wrong: tuple[int, float, float] | None = None
        self.run: Any = None

    def begin(self, run: Run) -> None:
        config: Any = run.recipe.algorithm
        self.run = run if config.family == "off-policy" and hasattr(config, "epsilon") else None
        if self.run is not None:
            first, last = run.counters.steps, max(run.recipe.steps, run.counters.steps + 1)
            for at in sorted({first + (last - first) * place // POINTS for place in range(POINTS + 1)}):
                self.compare(at, float(config.epsilon(at)), at)

    def row(self, run: Run, table: str, row: dict[str, Any]) -> None:
        found = row.get("epsilon")
        if self.run is not None and found is not None and run.counters.steps > 2 * run.recipe.num_envs:
            self.compare(run.counters.steps, float(found), run.counters.steps - run.recipe.num_envs)

    def compare(self, step: int, found: float, begun: int) -> None:
        """`found`, of an action that was chosen at step `begun` to `step`."""
        if self.wrong is None and not math.isnan(found):
            wanted = [epsilon_at(self.run.recipe.algorithm, at) for at in (max(0, begun), step)]
            if not min(wanted) - CLOSE <= found <= max(wanted) + CLOSE:
                self.wrong = step, found, wanted[0]

    def judge(self, run: Run) -> Iterator[Finding]:
        if self.wrong is not None:
            step, found, wanted = self.wrong
            yield Finding(EPSILON, f"epsilon is {found:.3g} at step {step:,}", f"{wanted:.3g}", step)


class Rate(Sampled):
    """The learning rate of updates, and the coefficients that batches bring, against the recipe's schedules, worked out again."""

    def __init__(self) -> None:
        self.run: Any = None
        self.wrong: dict[str, tuple[int, float, float]] = {}
        self.count: dict[str, int] = {}

    def begin(self, run: Run) -> None:
        self.run = run

    def learned(self, player: int, batch: Any, rate: float, scalars: dict[str, Any]) -> None:
        recipe, batch = self.run.recipe, getattr(batch, "batch", batch)
        config: Any = recipe.algorithm
        if not math.isnan(rate := float(rate)):
            self.compare("", rate, recipe.optimiser.learning_rate, recipe.optimiser.final_rate)
        ours = type(config).__module__.startswith("triptych.")  # an algorithm of the user's may have other schedules
        for name, last in COEFFICIENTS.items():
            if ours and hasattr(batch, name) and hasattr(config, last):
                self.compare(name, float(getattr(batch, name)), getattr(config, name), getattr(config, last))

    def compare(self, name: str, found: float, first: float, last: float | None) -> None:
        recipe, steps = self.run.recipe, self.run.counters.steps
        config: Any = recipe.algorithm
        lag = 0 if config.family == "off-policy" else 3 * config.rollout_steps * config.games_at_once(recipe.num_envs)
        wanted = [scheduled(recipe, first, last, at) for at in (max(0, steps - lag), steps)]
        if not min(wanted) * 0.99 <= found <= max(wanted) * 1.01:
            self.count[name] = self.count.get(name, 0) + 1
            if self.count[name] > 2 and name not in self.wrong:
                self.wrong[name] = steps, found, wanted[-1]

    def judge(self, run: Run) -> Iterator[Finding]:
        for name, (step, found, expected) in self.wrong.items():
            told = f"{name} is {found:.3g}" if name else f"{found:.3g}"
            yield Finding(SCHEDULE if name else RATE, told, f"{expected:.3g}", step)


COEFFICIENTS = {
    "entropy_weight": "entropy_end",
    "clip": "clip_end",
}  # of a batch's loss, and the setting of their last value


def scheduled(recipe: Any, first: float, last: float | None, step: int) -> float:
    """What a setting is at a step: constant, or on a straight line to its last value."""
    return float(first if last is None else first + (last - first) * min(1.0, step / recipe.steps))
