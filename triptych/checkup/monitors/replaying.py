"""Whether the replay draws as the settings say: by priority, weighed for it, and from all that is kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from triptych.checkup.findings import Finding, Signal
from triptych.checkup.monitors.base import Sampled
from triptych.checkup.monitors.games import checksum
from triptych.envs import Step
from triptych.spec import parts_of
from triptych.training.callbacks.base import Run

WEIGHTS_ONE = Signal(
    "importance-weights-one",
    "warn",
    "priorities make no difference",
    ("errors that are never handed to the replay", "priorities that are all alike", "weights that are not computed"),
    "where the TD errors of an update are handed to the replay; algorithm.alpha",
)
BETA = Signal(
    "beta-schedule",
    "warn",
    "the weights of samples do not rise with their schedule",
    ("beta is left at its start", "a schedule that is read at another count than the steps"),
    "algorithm.beta_start, beta_steps; where a batch is drawn",
)
UNRELATED = Signal(
    "priorities-unrelated",
    "warn",
    "priorities are not those of the errors",
    (
        "errors that are handed to the slots of another batch",
        "errors with a sign",
        "an order that was changed on the way",
    ),
    "where the TD errors of an update are handed to the replay",
)
REPEATS = Signal(
    "samples-repeat",
    "warn",
    "the same few samples are drawn again and again",
    (
        "a write position that does not move on",
        "indices that are drawn from a part of the buffer",
        "one generator that is seeded anew for each batch",
    ),
    "how the replay stores, and how it draws",
)
FEWEST = 20  # batches


class Priorities(Sampled):
    """The weights of prioritised samples against the priorities that they were drawn by."""

    def __init__(self) -> None:
        self.run: Any = None
        self.batches = self.ones = 0
        self.betas: list[tuple[float, float]] = []  # as measured, and as scheduled
        self.before: Any = None  # places and errors of the batch before
        self.related: list[float] = []
        self.places: Any = None

    def begin(self, run: Run) -> None:
        config: Any = run.recipe.algorithm
        if config.family == "off-policy" and config.prioritised and config.alpha > 0:
            self.run = run

    def slept(self) -> None:
        self.before = None

    def fed(self, player: int, batch: Any) -> None:
        weight = getattr(getattr(batch, "batch", batch), "weight", None)
        if self.run is None or weight is None or self.run.counters.updates < 100:
            return
        weight = np.asarray(weight, np.float64)
        self.batches += 1
        self.ones += bool((weight == 1).all())
        sampler = self.run.training.replay.sampler
        self.places = np.array(sampler.drawn)
        if len(self.places) != len(weight):
            return
        self.measure(np.asarray(sampler.tree.get(self.places), np.float64), weight)
        if self.before is not None:
            places, errors = self.before
            self.relate(np.asarray(sampler.tree.get(places), np.float64), places, errors)

    def measure(self, priority: np.ndarray, weight: np.ndarray) -> None:
        """Beta is how fast weights fall with priorities, on logarithmic scales."""
        if (priority <= 0).any() or (weight <= 0).any() or np.ptp(np.log(priority)) < 0.5:
            return
        config, steps = self.run.recipe.algorithm, self.run.counters.steps
        share = min(1.0, steps / config.beta_steps) if config.beta_steps else 1.0
        slope = np.polyfit(np.log(priority), np.log(weight), 1)[0]
        self.betas = [*self.betas[-50:], (-float(slope), config.beta_start + share * (1 - config.beta_start))]

    def relate(self, priority: np.ndarray, places: np.ndarray, errors: np.ndarray) -> None:
        """How far priorities go with the errors that they were given for."""
        once = np.array([np.count_nonzero(places == place) == 1 for place in places])
        if once.sum() < 8 or np.ptp(errors[once]) == 0:
            return
        ranks = (np.argsort(np.argsort(values[once])).astype(float) for values in (priority, errors))
        one, other = ranks
        self.related = [*self.related[-50:], float(np.corrcoef(one, other)[0, 1])]

    def learned(self, player: int, batch: Any, rate: float, scalars: dict[str, Any]) -> None:
        if self.run is None or self.places is None:
            return
        errors = np.abs(np.asarray(self.run.training.learner.to_numpy(scalars["td_error"]), np.float64))
        self.before = (self.places, errors) if errors.shape == self.places.shape else None

    def judge(self, run: Run) -> Iterator[Finding]:
        if self.run is None or self.batches < FEWEST:
            return
        if self.ones == self.batches:
            yield Finding(
                WEIGHTS_ONE,
                f"weights of 1 alone in {self.batches:,} batches",
                "smaller ones where a priority is larger",
            )
        if len(self.betas) >= 10:
            found, wanted = (float(np.median(values)) for values in zip(*self.betas[-20:], strict=True))
            if abs(found - wanted) > 0.05:
                yield Finding(BETA, f"beta is {found:.2f}", f"{wanted:.2f}", run.counters.steps)
        if len(self.related) >= 10 and (found := float(np.median(self.related))) < 0.7:
            told = f"a rank correlation of {found:.2f} between errors and the priorities after them"
            yield Finding(UNRELATED, told, "about 1", run.counters.steps)


class Repeats(Sampled):
    """How many samples are the same as others, where the game itself does not repeat."""

    def __init__(self) -> None:
        self.run: Any = None
        self.seen: set[int] = set()
        self.drawn: set[int] = set()
        self.frames = self.samples = 0

    def begin(self, run: Run) -> None:
        if run.recipe.algorithm.family == "off-policy" and not run.recipe.algorithm.samples_on_device:
            self.run = run

    def received(self, player: int, step: Step) -> None:
        if self.run is not None and self.frames < 500:
            part = next(iter(parts_of(step.obs).values()))
            self.frames += len(part)
            self.seen.update(checksum(part, game) for game in range(len(part)))

    def fed(self, player: int, batch: Any) -> None:
        batch = getattr(batch, "batch", batch)
        if self.run is None or hasattr(batch, "mask") or not hasattr(batch, "obs") or self.samples >= 1_000:
            return
        part = next(iter(parts_of(batch.obs).values()))
        self.samples += len(part)
        self.drawn.update(checksum(part, game) for game in range(len(part)))

    def judge(self, run: Run) -> Iterator[Finding]:
        if self.run is None or self.samples < 1_000:
            return
        kept = len(run.training.replay)  # type: ignore[attr-defined]
        distinct, varied = len(self.drawn) / self.samples, len(self.seen) / max(1, self.frames)
        if kept > self.samples and varied > 0.9 and distinct < 0.4:
            told = f"{len(self.drawn):,} different ones among {self.samples:,}"
            yield Finding(REPEATS, told, f"most of them, as {kept:,} are kept", run.counters.steps)
        self.seen, self.drawn, self.frames, self.samples = set(), set(), 0, 0
