"""Whether the network acts as it learns: the same observations through both ways in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from triptych.checkup.findings import Finding, Signal
from triptych.checkup.monitors.base import Sampled
from triptych.frameworks import numpy_ops
from triptych.spec import each, first_of
from triptych.training.callbacks.base import Run

PATHS = Signal(
    "acts-otherwise",
    "stop",
    "the network answers otherwise when it acts than when it learns",
    (
        "observations that are scaled, stacked or cast in one of the two ways alone",
        "another network that acts: the target, a copy, or old weights",
        "a layer that does other things in training than in play",
    ),
    "the learner's act and update; what is done to an observation before each",
)
FIRST = 4  # updates that are compared one a round; then one in so many rounds
SELDOM = 5
MOST_CALLS = 64  # of the network for one comparison
TOLERANCE = {"float64": 1e-6, "float32": 5e-3}  # of the numbers' size


class Paths(Sampled):
    """What an update reports of its batch, mean value or entropy, against what the acting network says of the same batch."""

    def __init__(self) -> None:
        self.run: Any = None
        self.rounds = self.due = 0
        self.wanted: float | None = None
        self.wrong: tuple[int, float, float] | None = None
        self.count = 0

    def begin(self, run: Run) -> None:
        fits = not (
            run.recipe.algorithm.samples_on_device or run.recipe.has_memory or run.recipe.precision == "bfloat16"
        )
        if fits and run.training.players() and run.recipe.algorithm.family != "asynchronous":
            self.run = run

    def fed(self, player: int, batch: Any) -> None:
        self.wanted = None
        batch = getattr(batch, "batch", batch)
        if self.run is None or self.rounds < self.due or self.wrong is not None:
            return
        if hasattr(batch, "ahead") or (self.rounds >= FIRST and not self.budget.affords()):
            return
        self.wanted = self.entropy(batch) if hasattr(batch, "returns") else self.value(batch)

    def value(self, batch: Any) -> float | None:
        """The mean of the largest values of a batch of transitions."""
        outputs = self.answers(batch.obs)
        return None if outputs is None else float(outputs.max(axis=1).mean())

    def entropy(self, batch: Any) -> float | None:
        """The mean entropy of the policies of a batch of single steps."""
        if len(batch.mask) != 1:
            return None
        outputs = self.answers(each(lambda part: part[0], batch.obs))
        if outputs is None:
            return None
        log_probs, mask = numpy_ops.log_softmax(outputs[:, :-1]), np.asarray(batch.mask[0], np.float64)
        return float(-((np.exp(log_probs) * log_probs).sum(axis=1) * mask).sum() / mask.sum())

    def answers(self, obs: Any) -> np.ndarray | None:
        """[B, ...] of the network for observations, so many at a time as there are games: a shape that it knows already."""
        games, count = self.run.recipe.num_envs, len(first_of(obs))
        starts = range(0, count, games)
        if len(starts) > MOST_CALLS and self.rounds:
            return None
        agent, found = self.run.agent, []
        for start in starts:
            places = np.minimum(np.arange(start, start + games), count - 1)
            given = agent.taken(each(lambda part, at=places: np.asarray(part)[at], obs), None, None)
            found.append(np.asarray(type(agent.learner).act(agent.learner, *given)[0], np.float64))
        return np.concatenate(found)[:count]

    def learned(self, player: int, batch: Any, rate: float, scalars: dict[str, Any]) -> None:
        wanted, self.wanted = self.wanted, None
        if wanted is None:
            return
        self.due = self.rounds + (1 if self.rounds < FIRST else SELDOM)
        found = float(scalars["entropy" if "entropy" in scalars else "q_mean"])
        if abs(found - wanted) > TOLERANCE.get(self.run.recipe.precision, 5e-3) * (abs(wanted) + 0.02):
            self.count += 1
            if self.count > 1:
                self.wrong = self.run.counters.steps, wanted, found
        else:
            self.count = 0

    def judge(self, run: Run) -> Iterator[Finding]:
        self.rounds += 1
        if self.wrong is not None:
            step, acts, learns = self.wrong
            yield Finding(
                PATHS,
                f"a mean of {acts:.4g} over a batch where it acts, {learns:.4g} where it learns",
                "the same",
                step,
            )
