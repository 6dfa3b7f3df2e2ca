"""Whether an actor-critic's actions are drawn from its policy, and whether that policy stays a policy."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from triptych.checkup.findings import Finding, Signal
from triptych.checkup.monitors.base import Sampled
from triptych.frameworks import numpy_ops
from triptych.training.callbacks.base import Run

NOT_DRAWN = Signal(
    "policy-not-followed",
    "stop",
    "actions are not drawn from the policy",
    (
        "the likeliest action is taken where one is to be drawn",
        "actions drawn from other numbers than the logits: from probabilities, from another game's, from the value",
        "actions that are reordered, or drawn uniformly",
    ),
    "where actions are drawn, and what is handed to the games",
)
ENTROPY = Signal(
    "entropy-collapse",
    "warn",
    "the policy is certain almost at once",
    ("a learning rate that is too high", "no entropy bonus, or one with the wrong sign", "rewards that are not scaled"),
    "algorithm.entropy_weight, optimiser.learning_rate, reward_scale",
)
KL = Signal(
    "kl-jump",
    "warn",
    "one update moves the policy far",
    (
        "a learning rate that is too high, or too many epochs",
        "log probabilities of another policy, step or action than the one that acted",
        "no clipping",
    ),
    "optimiser.learning_rate, algorithm.epochs, clip; the log_prob of a rollout",
)
SURE, APART, FEWEST = 6.0, 0.05, 300
CERTAIN, AT_ONCE = 0.02, 0.25  # of the largest entropy; of the budget
FAR = 0.3  # nats


class Drawn(Sampled):
    """The mean log probability of the actions against what the policies' own entropies say."""

    def __init__(self) -> None:
        self.count, self.found, self.expected, self.variance = 0, 0.0, 0.0, 0.0
        self.outputs: Any = None
        self.since = 0
        self.run: Any = None

    def begin(self, run: Run) -> None:
        self.run = run if run.recipe.algorithm.policy == "sample" else None

    def acted(self, player: int, given: tuple[Any, ...], answer: tuple[np.ndarray, Any]) -> None:
        self.outputs = answer[0]

    def sent(self, player: int, actions: np.ndarray) -> None:
        outputs, self.outputs = self.outputs, None
        if self.run is None or outputs is None or self.run.counters.steps < self.run.recipe.teacher_plays:
            return
        if len(outputs) != len(actions) or outputs.shape[1] != self.run.training.games.num_actions + 1:
            return
        log_probs = numpy_ops.log_softmax(outputs[:, :-1].astype(np.float64))
        probs = np.exp(log_probs)
        mean = (probs * log_probs).sum(axis=1)
        self.since = self.since or self.run.counters.steps
        self.count += len(actions)
        self.found += float(log_probs[np.arange(len(actions)), np.asarray(actions)].sum())
        self.expected += float(mean.sum())
        self.variance += float(((probs * log_probs**2).sum(axis=1) - mean**2).sum())

    def slept(self) -> None:
        self.outputs = None

    def judge(self, run: Run) -> Iterator[Finding]:
        far = self.found - self.expected
        if self.count < FEWEST:
            return
        if abs(far) > SURE * math.sqrt(max(self.variance, 1e-9)) and abs(far) > APART * self.count:
            told = f"the mean log probability of {self.count:,} actions was {self.found / self.count:.2f}"
            yield Finding(NOT_DRAWN, told, f"{self.expected / self.count:.2f}, less the policies' entropy", self.since)
        if self.count > 20 * FEWEST:  # so that what begins later is not lost among what was
            self.count, self.found, self.expected, self.variance, self.since = 0, 0.0, 0.0, 0.0, 0


class Certain(Sampled):
    """Entropy and KL divergence, as the updates report them."""

    def __init__(self) -> None:
        self.low: list[tuple[int, float]] = []
        self.far: list[tuple[int, float]] = []

    def row(self, run: Run, table: str, row: dict[str, Any]) -> None:
        if table != "metrics" or row.get("loss") is None:
            return
        most = math.log(run.training.games.num_actions)
        entropy, moved = row.get("entropy"), row.get("approx_kl")
        if entropy is not None and most and run.counters.steps < AT_ONCE * run.recipe.steps:
            self.low = [*self.low, (run.counters.steps, entropy / most)] if entropy < CERTAIN * most else []
        if moved is not None:
            self.far = [*self.far, (run.counters.steps, moved)] if moved > FAR else []

    def judge(self, run: Run) -> Iterator[Finding]:
        if len(self.low) >= 2:
            step, share = self.low[0]
            yield Finding(
                ENTROPY,
                f"an entropy of {share:.1%} of the largest",
                f"{CERTAIN:.0%} at least in a run's first quarter",
                step,
            )
        if self.far and (len(self.far) >= 2 or self.far[-1][1] > 10 * FAR):
            step, moved = self.far[0]
            yield Finding(
                KL,
                f"a mean KL divergence of {moved:.2g} to the policy that acted",
                f"below {FAR}, most often below 0.05",
                step,
            )
