"""Whether updates move the weights: each tensor, and each unit of a layer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from triptych.checkup.findings import Finding, Signal
from triptych.checkup.monitors.base import Sampled
from triptych.training.callbacks.base import Run

ALL_STILL = Signal(
    "weights-still",
    "stop",
    "updates are made, and no weight changes",
    (
        "an optimiser that holds other tensors than the network's: a copy, or a network that was made anew behind it",
        "gradients that are cut: detach, stop_gradient, a NumPy array, `no_grad`",
        "a learning rate of 0",
    ),
    "the optimiser's parameters; the loss; optimiser.learning_rate",
)
PART_STILL = Signal(
    "layer-still",
    "warn",
    "a layer does not learn",
    (
        "it is frozen, or left out of the optimiser, though no setting says so",
        "no gradient reaches it: a detached path, an unused output, an activation that is dead everywhere",
    ),
    "freeze; the parameters that the optimiser holds; the layer's activation",
)
UNITS = Signal(
    "units-dead",
    "warn",
    "most units of a layer have stopped learning",
    ("a learning rate that is too high: ReLUs that are 0 for every input", "inputs that are not scaled"),
    "optimiser.learning_rate, the layer's initialiser; the range of what enters the network",
)
MOVED_WITHOUT = Signal(
    "weights-moved-alone",
    "stop",
    "weights change where no update is made",
    ("learning goes on in tests", "weights are set anew, as from a file or another process"),
    "whatever calls the learner's update or set_weights",
)
FEWEST = 50  # updates between two looks
LONG = 1_000  # updates in which a living unit moves
DEAD = 0.6  # of a layer's units


class Weights(Sampled):
    """The network's weights at one round of questions against those at an earlier one."""

    def __init__(self) -> None:
        self.before: dict[str, np.ndarray] = {}
        self.updates = self.at = 0
        self.old: dict[str, np.ndarray] = {}  # of many updates ago
        self.old_updates = self.old_at = 0
        self.frozen: set[str] = set()  # at either of these looks: they may have thawed since
        self.old_frozen: set[str] = set()

    def begin(self, run: Run) -> None:
        self.before = self.old = run.weights()
        self.updates = self.old_updates = run.counters.updates
        self.at = self.old_at = run.counters.steps
        self.frozen = self.old_frozen = set(run.training.frozen_now())

    def judge(self, run: Run) -> Iterator[Finding]:
        updates = run.counters.updates
        if updates - self.updates < FEWEST and updates != self.updates:
            return
        weights = run.weights()
        same_shapes = weights.keys() == self.before.keys()
        if same_shapes and updates == self.updates:
            yield from self.alone(weights)
        elif same_shapes and not fading(run):
            yield from self.still(run, weights)
        if updates != self.updates:
            self.before, self.updates, self.at = weights, updates, run.counters.steps
            self.frozen = set(run.training.frozen_now())
        if updates - self.old_updates >= LONG:
            if weights.keys() == self.old.keys() and not fading(run):
                yield from self.dead(run, weights)
            self.old, self.old_updates, self.old_at = weights, updates, run.counters.steps
            self.old_frozen = set(run.training.frozen_now())

    def alone(self, weights: dict[str, np.ndarray]) -> Iterator[Finding]:
        moved = [name for name in weights if not np.array_equal(weights[name], self.before[name], equal_nan=True)]
        if moved:
            yield Finding(MOVED_WITHOUT, f"{told(moved)} changed between two updates", "no change", self.at)

    def still(self, run: Run, weights: dict[str, np.ndarray]) -> Iterator[Finding]:
        frozen = self.frozen | set(run.training.frozen_now())
        learn = [name for name in weights if name not in frozen]
        still = [name for name in learn if np.array_equal(weights[name], self.before[name])]
        made = f"in {run.counters.updates - self.updates:,} updates"
        if still and len(still) == len(learn):
            yield Finding(ALL_STILL, f"none of {len(learn)} tensors changed {made}", "a change of each", self.at)
        elif still:
            yield Finding(
                PART_STILL, f"{told(still)} did not change {made}; all others did", "a change of each", self.at
            )

    def dead(self, run: Run, weights: dict[str, np.ndarray]) -> Iterator[Finding]:
        """Units whose weights, all that lead into them, are the same bits as many updates ago."""
        frozen, names = self.old_frozen | set(run.training.frozen_now()), layers(weights)
        for name in names[:-1]:  # not the head: an action that is never taken may rest
            kernel = weights[f"{name}/kernel"]
            if f"{name}/kernel" in frozen or kernel.shape[-1] < 4:
                continue
            same = (kernel == self.old[f"{name}/kernel"]).reshape(-1, kernel.shape[-1]).all(axis=0)
            if 1 > same.mean() > DEAD:
                told_of = f"{int(same.sum())} of {len(same)} units of {name} did not change in {LONG:,} updates"
                yield Finding(UNITS, told_of, f"at most {DEAD:.0%}", self.old_at)


def layers(weights: dict[str, np.ndarray]) -> list[str]:
    """Dense and convolutional layers, in their order."""
    found = [name.removesuffix("/kernel") for name in weights if name.endswith("/kernel")]
    return [name for name in found if name.startswith(("dense", "conv")) and "/" not in name]


def fading(run: Run) -> bool:
    """Whether the learning rate has come so near to 0 that a weight may rest."""
    final = run.recipe.optimiser.final_rate
    return (
        final is not None
        and final < 0.01 * run.recipe.optimiser.learning_rate
        and run.counters.steps > 0.95 * run.recipe.steps
    )


def told(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
