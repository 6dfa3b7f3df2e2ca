"""Whether values are such as the rewards can bring, and gradients such as before."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from statistics import median
from typing import Any

import numpy as np

from triptych.checkup.findings import Finding, Signal
from triptych.checkup.monitors.base import Sampled
from triptych.training.callbacks.base import Run

BOUND = Signal(
    "values-over-bound",
    "stop",
    "values are larger than any rewards can bring",
    (
        "no target network, or one that follows each update",
        "a learning rate that is too high",
        "a discount that is not set to 0 at an episode's end, or rewards that are not scaled alike everywhere",
    ),
    "algorithm.target_every, gamma, reward; optimiser.learning_rate",
)
HEAD_ZERO = Signal(
    "values-never-negative",
    "stop",
    "values are never negative, and often exactly 0",
    ("a ReLU behind the last layer", "an absolute value, or a clip at 0"),
    "the network's head: it must be linear",
)
HEAD_SUM = Signal(
    "values-sum-to-one",
    "stop",
    "the values of each observation sum up to 1",
    ("a softmax behind the last layer",),
    "the network's head: it must be linear",
)
HEAD_BOUNDED = Signal(
    "values-squashed",
    "stop",
    "values press against 1 and never pass it",
    ("a tanh or a sigmoid behind the last layer", "a clip to 1"),
    "the network's head: it must be linear",
)
EXPLODES = Signal(
    "gradient-explodes",
    "warn",
    "the gradient's norm grew by orders of magnitude",
    (
        "a learning rate that is too high",
        "targets that grow without bound",
        "observations or rewards of another scale than before",
    ),
    "optimiser.learning_rate, max_norm; the target network; rewards",
)
GONE = Signal(
    "gradient-zero",
    "stop",
    "the gradient is 0",
    (
        "ReLUs that are 0 for every input",
        "a loss whose parts cancel or are masked",
        "rewards and values that are all 0",
    ),
    "the loss, the masks of a batch, the activations",
)
SAMPLES = 200
ZEROS = 3  # a linear head gives none, unless nothing enters it
ROWS = 5


class Heads(Sampled):
    """What the Q network answers while it acts: a range that no linear head has."""

    def __init__(self) -> None:
        self.run: Any = None
        self.count = self.zeros = self.pressed = 0
        self.lowest, self.highest, self.sums = 0.0, 0.0, True
        self.largest_reward = self.largest_discount = 0.0
        self.over = 0  # rounds in which values were over the bound
        self.peak = 0.0  # of this round
        self.first = 0.0  # of the first round: what the network answers before it has learned
        self.since = 0

    def begin(self, run: Run) -> None:
        self.run = run if run.recipe.algorithm.policy == "greedy" and not run.recipe.teacher_alone else None

    def acted(self, player: int, given: tuple[Any, ...], answer: tuple[np.ndarray, Any]) -> None:
        if self.run is None:
            return
        values = np.asarray(answer[0])
        self.count += len(values)
        self.zeros += int((values == 0).any(axis=1).sum())
        self.pressed += int((np.abs(values) > 0.98).any(axis=1).sum())
        self.lowest, self.highest = (
            min(self.lowest, float(values.min())),
            max(self.highest, float(np.abs(values).max())),
        )
        self.peak = max(self.peak, float(np.abs(values).max()))
        self.sums = self.sums and values.shape[1] > 1 and bool(np.allclose(values.sum(axis=1), 1, atol=1e-3))

    def fed(self, player: int, batch: Any) -> None:
        reward, discount = getattr(batch, "reward", None), getattr(batch, "discount", None)
        if reward is None or discount is None:
            return
        self.largest_reward = max(self.largest_reward, float(np.abs(np.asarray(reward)).max()))
        self.largest_discount = max(self.largest_discount, float(np.asarray(discount).max()))

    def judge(self, run: Run) -> Iterator[Finding]:
        if self.run is None or self.count < SAMPLES:
            return
        if self.lowest >= 0 and self.zeros >= ZEROS:
            yield Finding(
                HEAD_ZERO,
                f"none below 0 in {self.count:,} answers, and exact zeros in {self.zeros:,}",
                "values of both signs, and no exact zero",
            )
        if self.sums and self.lowest >= 0:
            yield Finding(HEAD_SUM, f"a sum of 1 in each of {self.count:,} answers", "any sum")
        if 0.98 < self.highest <= 1 + 1e-6 and self.pressed > 0.2 * self.count and not self.sums:
            told = f"values beyond 0.98 in {self.pressed:,} of {self.count:,} answers, and none beyond 1"
            yield Finding(HEAD_BOUNDED, told, "values beyond 1 too")
        yield from self.bounded(run)

    def bounded(self, run: Run) -> Iterator[Finding]:
        peak, self.peak = self.peak, 0.0
        if not 0 < self.largest_discount < 1 or not self.largest_reward:
            return
        self.first = self.first or peak
        bound = self.largest_reward / (1 - self.largest_discount)
        if peak <= FACTOR * max(bound, 2 * self.first):
            self.over = 0
            return
        self.over += 1
        self.since = run.counters.steps if self.over == 1 else self.since
        if self.over >= 2:
            told = f"a value of {peak:,.4g}"
            yield Finding(
                BOUND, told, f"at most {bound:,.4g}, the largest reward ({self.largest_reward:g}) for ever", self.since
            )


FACTOR = 2.0  # of the bound, over which is no estimation error any more


class Gradients(Sampled):
    """The rows of metrics.csv: the norm of the gradient."""

    def __init__(self) -> None:
        self.norms: deque[float] = deque(maxlen=50)
        self.large: list[tuple[int, float]] = []
        self.zero: list[int] = []

    def row(self, run: Run, table: str, row: dict[str, Any]) -> None:
        norm = row.get("gradient_norm") if table == "metrics" else None
        if norm is None:
            return
        usual = median(self.norms) if len(self.norms) >= ROWS else None
        if usual is not None and norm > TIMES * max(usual, 1e-3):
            self.large.append((run.counters.steps, norm))
        else:
            self.norms.append(norm)
            self.large = []
        self.zero = [*self.zero, run.counters.steps] if norm == 0 else []

    def judge(self, run: Run) -> Iterator[Finding]:
        if len(self.large) >= 3:
            step, norm = self.large[0]
            yield Finding(EXPLODES, f"a mean norm of {norm:,.4g}", f"about {median(self.norms):.3g}, as before", step)
        if len(self.zero) >= 3:
            yield Finding(
                GONE, f"0 in {len(self.zero):,} rows of metrics.csv, one after the other", "above 0", self.zero[0]
            )


TIMES = 300.0  # the usual norm, which is no healthy growth any more
