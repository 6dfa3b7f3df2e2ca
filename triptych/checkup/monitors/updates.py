"""Whether the run learns at all, as often and as fast as its settings promise."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, cast

from triptych.checkup.findings import Finding, Signal
from triptych.checkup.monitors.base import Sampled
from triptych.training.callbacks.base import Run

NEVER = Signal(
    "no-updates",
    "stop",
    "nothing is learned",
    (
        "a warm-up, `learn_from` or a batch that is larger than the replay, or than the whole run",
        "an update that is never reached: a condition that is never true",
    ),
    "algorithm.warm_up, learn_from, batch_size, replay_size; the place that calls the learner's update",
)
PACE = Signal(
    "updates-pace",
    "warn",
    "updates are not as frequent as the settings say",
    (
        "steps of all games are counted where those of one were meant, or the other way round",
        "credit for updates that is lost or counted twice",
        "rollouts or minibatches that are left out",
    ),
    "algorithm.update_every, rollout_steps, epochs, minibatches; num_envs",
)
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
UNCOUNTED = Signal(
    "updates-uncounted",
    "stop",
    "the network learns where the run makes no update",
    ("learning goes on in test games", "an update that is made twice", "somebody else who calls the learner"),
    "whatever calls the learner's update",
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
PATIENCE = 2_000  # steps after the first that could learn in which the first update must come
ENOUGH = 100  # updates that are expected, to be compared
OFF = 1.6  # times more or fewer


class Updates(Sampled):
    """Updates against steps, and against what the learner was asked for."""

    always = ("learned",)

    def __init__(self) -> None:
        self.steps = self.updates = 0
        self.heard = self.first = 0

    def begin(self, run: Run) -> None:
        self.steps, self.updates = run.counters.steps, run.counters.updates
        self.heard, self.first = 0, run.counters.updates

    def learned(self, player: int, batch: Any, rate: float, scalars: dict[str, Any]) -> None:
        self.heard += 1

    def judge(self, run: Run) -> Iterator[Finding]:
        config, counters = run.recipe.algorithm, run.counters
        begins = config.steps_before_updates(run.recipe.num_envs)
        if not counters.updates:
            over = bool(run.stopped_by) and counters.steps > begins  # a warm-up beyond the run is told before it begins
            if over or counters.steps > begins + min(PATIENCE, max(begins, 500)):
                told = f"no update in {counters.steps:,} steps"
                yield Finding(NEVER, told, f"the first one soon after step {begins:,}", begins)
            return
        made = counters.updates - self.first
        if config.family != "asynchronous" and self.heard > made + 1:  # its workers' gradients may be dropped
            told = f"{self.heard:,} updates of the learner, {made:,} of the run"
            yield Finding(UNCOUNTED, told, "as many", counters.steps)
        if not self.updates:
            self.steps, self.updates = counters.steps, counters.updates
        yield from self.paced(run)

    def paced(self, run: Run) -> Iterator[Finding]:
        made, steps = run.counters.updates - self.updates, run.counters.steps - self.steps
        low, high = (each * steps for each in pace(run))
        if high < ENOUGH:
            return  # too few to be compared: they count with the next round's
        since, self.steps, self.updates = self.steps, run.counters.steps, run.counters.updates
        if made < low / OFF - 2 or made > high * OFF + 2:
            expected = f"{low:,.0f}" if round(low) == round(high) else f"{low:,.0f} to {high:,.0f}"
            yield Finding(PACE, f"{made:,} updates in {steps:,} steps", expected, since)


def pace(run: Run) -> tuple[float, float]:
    """Updates a step, at least and at most."""
    config = cast(Any, run.recipe.algorithm)
    if config.family == "off-policy":
        each = 1 / config.update_every
        return (0.0 if config.skip_first else each), each
    epochs, minibatches = config.passes() if config.family == "on-policy" else (1, 1)
    each = epochs * minibatches / (config.rollout_steps * run.recipe.num_envs)
    return 0.5 * each, 1.5 * each  # an episode's end takes a place in a rollout, and is no step


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
