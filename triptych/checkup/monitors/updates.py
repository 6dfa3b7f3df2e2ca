"""Whether the run learns at all, as often and as fast as its settings promise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from triptych.checkup.findings import Finding, Signal
from triptych.checkup.monitors.base import Sampled
from triptych.recipes import Recipe
from triptych.training.callbacks.base import Run
from triptych.training.counting import Tick

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
UNCOUNTED = Signal(
    "updates-uncounted",
    "stop",
    "the network learns where the run makes no update",
    ("learning goes on in test games", "an update that is made twice", "somebody else who calls the learner"),
    "whatever calls the learner's update",
)
PATIENCE = 2_000  # steps after the first that could learn in which the first update must come
ENOUGH, TIMES = 100, 12  # updates that are expected, to be compared; and of those that are made at one time
OFF, LOOSE = 0.05, 0.6  # share more or fewer: where each is counted, and of workers, whose gradients may be dropped


class Updates(Sampled):
    """Updates against steps, and against what the learner was asked for."""

    always = ("learned",)

    def __init__(self) -> None:
        self.steps = self.updates = self.rounds = 0
        self.heard = self.first = 0
        self.ticks = 0  # of the session: steps of every game
        self.run: Run | None = None  # off-policy
        self.early: tuple[int, int] | None = None  # the first update's step, and where it should have been at first

    def begin(self, run: Run) -> None:
        self.run = run if run.recipe.algorithm.family == "off-policy" else None
        self.steps, self.updates, self.rounds = run.counters.steps, run.counters.updates, 0
        self.heard, self.first, self.ticks = 0, run.counters.updates, 0

    def step(self, run: Run, tick: Tick) -> None:
        self.ticks += 1

    def learned(self, player: int, batch: Any, rate: float, scalars: dict[str, Any]) -> None:
        self.heard += 1
        if self.run is not None and not self.run.counters.updates and self.early is None:
            begins = self.run.recipe.algorithm.steps_before_updates(self.run.recipe.num_envs)
            if self.run.counters.steps < begins:
                self.early = self.run.counters.steps, begins

    def judge(self, run: Run) -> Iterator[Finding]:
        config, counters = run.recipe.algorithm, run.counters
        begins = config.steps_before_updates(run.recipe.num_envs)
        if not counters.updates:
            over = bool(run.stopped_by) and counters.steps > begins  # a warm-up beyond the run is told before it begins
            if over or counters.steps > begins + min(PATIENCE, max(begins, 500)):
                told = f"no update in {counters.steps:,} steps"
                yield Finding(NEVER, told, f"the first one soon after step {begins:,}", begins)
            return
        if self.early is not None:
            step, begins = self.early
            yield Finding(PACE, f"the first update is made at step {step:,}", f"not before step {begins:,}", step)
        made = counters.updates - self.first
        if config.family != "asynchronous" and self.heard > made + 1:  # its workers' gradients may be dropped
            told = f"{self.heard:,} updates of the learner, {made:,} of the run"
            yield Finding(UNCOUNTED, told, "as many", counters.steps)
        if not self.updates:
            self.steps, self.updates, self.rounds = counters.steps, counters.updates, self.ticks
        yield from self.paced(run)

    def paced(self, run: Run) -> Iterator[Finding]:
        counters = run.counters
        made, steps = counters.updates - self.updates, counters.steps - self.steps
        low, high = expected(run.recipe, steps, self.ticks - self.rounds)
        at_once = one_time(run.recipe)
        if high < max(ENOUGH, TIMES * at_once):
            return  # too few to be compared: they count with the next round's
        since, self.steps, self.updates, self.rounds = self.steps, counters.steps, counters.updates, self.ticks
        config: Any = run.recipe.algorithm
        off = LOOSE if config.family == "asynchronous" else OFF
        slack = 2 + at_once
        if made < low * (1 - off) - slack or made > high * (1 + off) + slack:
            wanted = f"{low:,.0f}" if round(low) == round(high) else f"{low:,.0f} to {high:,.0f}"
            yield Finding(PACE, f"{made:,} updates in {steps:,} steps", wanted, since)


def expected(recipe: Recipe, steps: int, ticks: int) -> tuple[float, float]:
    """Updates in so many steps, and so many steps of every game, at least and at most."""
    config = cast(Any, recipe.algorithm)
    if config.family == "off-policy":
        each = steps / config.update_every
        return (0.0 if config.skip_first else each), each
    if config.family == "on-policy":  # an episode's end takes a place in a rollout, and is no step
        epochs, minibatches = config.passes()
        each = epochs * minibatches * ticks / config.rollout_steps
    else:
        each = steps / (config.rollout_steps * recipe.num_envs)
    return each, each


def one_time(recipe: Recipe) -> float:
    """Updates that are made at one time, which may be just over or just to come."""
    config = cast(Any, recipe.algorithm)
    if config.family == "off-policy":
        return recipe.num_envs / config.update_every
    epochs, minibatches = config.passes() if config.family == "on-policy" else (1, 1)
    return epochs * minibatches
