"""The audit of a whole short run: every step, every batch, every sample."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from triptych import frameworks
from triptych.checkup.audit.monitor import Audit
from triptych.checkup.findings import Finding, Signal
from triptych.checkup.listening import listen
from triptych.recipes import Recipe
from triptych.recipes.feasibility import prepare
from triptych.recipes.override import override
from triptych.training.base import Counters, Training
from triptych.training.build import compile_learner, make_training

CUTS = 3  # checkpoints on the way, at which games that cannot be saved are cut
LEAST = 100  # steps
AUDITED = Signal("audited", "note", "what the audit looked up", (), "")


@dataclass(frozen=True)
class Audited:
    """What an audit came to."""

    findings: tuple[Finding, ...]
    steps: int
    updates: int
    samples: int  # that were looked up
    unknown: int  # of these, about which nothing could be said

    def told(self) -> tuple[Finding, ...]:
        """The findings, and a note of what was looked up."""
        return (*self.findings, Finding(AUDITED, self.line()))

    def line(self) -> str:
        """For people."""
        told = f"audited {self.steps:,} steps, {self.updates:,} updates and {self.samples:,} samples"
        return told + (f" ({self.unknown:,} could not be judged)" if self.unknown else "")


class Short:
    """As much of a run as an audit asks for."""

    def __init__(self, recipe: Recipe, training: Training):
        self.recipe, self.training = recipe, training

    @property
    def counters(self) -> Counters:
        return self.training.counters


def shortened(recipe: Recipe, steps: int) -> Recipe:
    """The recipe with a warm-up that leaves three quarters of so few steps for updates. Nothing else is changed."""
    settings, most = asdict(recipe.algorithm), steps // 4
    late = [name for name in ("warm_up", "learn_from") if (settings.get(name) or 0) > most]
    changes: dict[str, Any] = {"steps": steps} | {f"algorithm.{name}": most for name in late}
    return override(recipe, changes)


def audit(recipe: Recipe, framework: str, steps: int) -> Audited:
    """Trains for so many steps, in memory, and audits all of it.

    Raises:
        InputError: the recipe cannot be trained here.
        EnvironmentFailed: the games failed.
    """
    prepared = prepare(shortened(recipe, max(LEAST, steps)), framework)
    try:
        frameworks.set_threads(prepared.threads)
        learner_class = frameworks.load(framework).Learner
        training = make_training(prepared.recipe, prepared.games, learner_class, teacher=prepared.teacher)
        try:
            compile_learner(training)
            return listened(prepared.recipe, training)
        finally:
            training.close()
    except BaseException:
        prepared.games.close()
        raise


def listened(recipe: Recipe, training: Training, cuts: int = CUTS) -> Audited:
    """Plays a training to the recipe's last step, with checkpoints on the way, and audits it."""
    monitor, run = Audit(full=True), Short(recipe, training)
    monitor.begin(run)  # type: ignore[arg-type]
    listen(training, monitor)
    crossed = 0
    for tick in training.ticks():
        for episode in tick.episodes:
            monitor.episode(run, episode)  # type: ignore[arg-type]
        steps = training.counters.steps
        if steps >= recipe.steps:
            break
        if steps * (cuts + 1) >= (crossed + 1) * recipe.steps and training.can_checkpoint:
            crossed += 1
            training.cross_checkpoint()
    findings = tuple(monitor.judge(run))  # type: ignore[arg-type]
    return Audited(findings, training.counters.steps, training.counters.updates, monitor.audited, monitor.unknown)
