"""Whether an update moves the weights as the optimiser's equations say, worked out in float64 from its state before and after."""

from __future__ import annotations

import math
import zlib
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from triptych.checkup.findings import Finding, Signal
from triptych.checkup.monitors.base import Sampled
from triptych.checkup.monitors.weights import MOVED_WITHOUT
from triptych.checkup.monitors.weights import told as named
from triptych.training.callbacks.base import Run

WRONG = Signal(
    "step-wrong",
    "stop",
    "an update moves the weights otherwise than the optimiser's equations say",
    (
        "gradients that are cut one by one, not by the norm of all of them, or not at all",
        "an epsilon at another place, or of another size; other decays of the moments",
        "a learning rate, weight decay or momentum that the settings do not name",
    ),
    "how the optimiser is made; optimiser.*, max_norm",
)
OTHER = Signal(
    "gradient-changed",
    "stop",
    "the gradient that is applied is none that was taken",
    (
        "gradients of several workers that are added up, or scaled, on the way",
        "a gradient that is cut, rounded or applied to other tensors",
    ),
    "what brings a worker's gradient to the run's own network",
)
LARGE = Signal(
    "step-too-large",
    "warn",
    "single updates change the weights by a large part of their size",
    ("a learning rate that is too high", "a step that is scaled by the number of samples or steps"),
    "optimiser.learning_rate",
)
FIRST, SELDOM = 8, 10  # rounds with updates in which it is looked at: the first ones, then one in so many
EACH, BIG = 4, 200_000  # looks in a round, where a network has fewer weights than that; else one
SURE = 4  # looks that are taken whatever they cost, in a small network eight times as many
KEPT = 64  # gradients that are remembered until one is applied
IN_A_ROW = 3  # looks at large steps, one after the other
SHARE = 0.1  # of the weights' size, which no healthy update comes near
OFF, OF_RATE = 0.01, 0.005  # of a weight's move, and of the learning rate, that rounding may be
MADE = 10  # updates, after which moments are not 0
ROUNDED = 1.2e-7  # of a moment in float32
State = dict[str, np.ndarray]


class Judged(NamedTuple):
    """What an update did."""

    wrong: tuple[str, str] | None  # measured, expected
    share: float  # the size of its step, of the weights' size


class Steps(Sampled):
    """The learner's state before an update and after it."""

    def __init__(self) -> None:
        self.run: Any = None
        self.rounds = self.due = self.looks = self.here = self.copies = 0
        self.before: State | None = None
        self.after: State | None = None  # the weights right after the update before
        self.wrong: list[tuple[int, tuple[str, str]]] = []
        self.large: list[tuple[int, float]] = []
        self.moved: tuple[int, str] | None = None
        self.small = True
        self.taken: deque[int] = deque(maxlen=KEPT)  # checksums of the gradients that were taken
        self.changed: int | None = None  # steps at which the first one was applied that nobody took
        self.strange = 0  # of these

    def begin(self, run: Run) -> None:
        self.run = run
        self.small = sum(array.size for array in run.weights().values()) < BIG

    def slept(self) -> None:
        self.before = self.after = None
        self.taken.clear()

    def state(self) -> State:
        return {name: np.array(array) for name, array in self.run.training.learner.get_state().items()}

    def fed(self, player: int, batch: Any) -> None:
        if self.run.recipe.algorithm.family != "asynchronous":
            self.take()

    def differentiated(self, player: int, gradients: Any) -> None:
        self.taken.append(checksum(gradients))

    def applying(self, gradients: Any) -> None:
        self.take()
        if self.taken and checksum(gradients) not in self.taken:
            self.strange += 1
            self.changed = self.changed or self.run.counters.steps

    def synced(self, player: int) -> None:
        """What comes right after a copy into the target is looked at too, of the 1st, 2nd, 4th, ..."""
        self.copies += 1
        if not self.copies & (self.copies - 1):
            self.due, self.here = self.rounds, 0

    def take(self) -> None:
        """The state before an update, if it is looked at."""
        if self.after is not None:
            self.alone(self.after)
            self.after = None
        if self.rounds < self.due or (self.looks >= (8 * SURE if self.small else SURE) and not self.budget.affords()):
            return
        self.before = self.state()

    def alone(self, after: State) -> None:
        now = self.run.training.learner.get_weights()
        moved = [name for name in after if name in now and not np.array_equal(after[name], now[name], equal_nan=True)]
        if moved and self.moved is None:
            self.moved = self.run.counters.steps, named(moved)

    def learned(self, player: int, batch: Any, rate: float, scalars: dict[str, Any]) -> None:
        if math.isnan(float(rate)):  # gradients alone
            return
        if self.before is None:
            self.after = None  # an update that was not looked at, as those of A3C's workers without a delay
        else:
            self.look(float(rate), scalars.get("gradient_norm"))

    def applied(self, rate: float, norm: Any) -> None:
        if self.before is not None:
            self.look(float(rate), norm)

    def look(self, rate: float, norm: Any) -> None:
        before, self.before = self.before, None
        assert before is not None
        after = self.state()
        self.looks += 1
        self.here += 1
        if self.here >= (EACH if self.small else 1):
            self.due = self.rounds + (1 if self.rounds < FIRST else SELDOM)
        made = self.run.counters.updates
        found = judged(self.run.recipe.optimiser, before, after, rate, None if norm is None else float(norm), made)
        steps = self.run.counters.steps
        self.wrong = [*self.wrong, (steps, found.wrong)] if found.wrong else self.wrong
        if len(self.large) < IN_A_ROW:
            self.large = [*self.large, (steps, found.share)] if found.share > SHARE else []
        self.after = {
            name.removeprefix("online/"): array for name, array in after.items() if name.startswith("online/")
        }

    def judge(self, run: Run) -> Iterator[Finding]:
        self.rounds += 1 if run.counters.updates else 0
        self.here = 0
        if len(self.wrong) >= 2:
            step, (measured, expected) = self.wrong[0]
            yield Finding(WRONG, measured, expected, step)
        if self.moved is not None:
            yield Finding(MOVED_WITHOUT, f"{self.moved[1]} changed between two updates", "no change", self.moved[0])
        if self.changed is not None and self.strange > 1:
            told = f"{self.strange:,} gradients that were applied are not bit by bit one of those taken right before"
            yield Finding(OTHER, told, "none", self.changed)
        if len(self.large) >= IN_A_ROW:
            step, share = self.large[0]
            yield Finding(LARGE, f"one update moves them by {share:.0%} of their size", f"at most {SHARE:.0%}", step)


def checksum(gradients: Mapping[str, np.ndarray]) -> int:
    """Of some numbers of each tensor."""
    some = [np.ravel(gradients[name])[:: max(1, np.size(gradients[name]) // 64)] for name in sorted(gradients)]
    return zlib.crc32(b"".join(np.ascontiguousarray(part, np.float64).tobytes() for part in some))


def judged(spec: Any, before: State, after: State, rate: float, norm: float | None, made: int = 0) -> Judged:
    """One update against Adam's or RMSprop's equations.

    Args:
        spec: the recipe's optimiser.
        before: a learner's state, `online/NAME` and the optimiser's moments; `after`: the one after the update.
        norm: of the gradient before it was cut, as the update reports it.
        made: updates of the run before this one.
    """
    kind = spec.kind
    names = [name.removeprefix("online/") for name in before if name.startswith("online/")]
    learn = [name for name in names if f"{kind}/v/{name}" in before and f"{kind}/v/{name}" in after]
    squares, moves, sizes = 0.0, 0.0, 0.0
    wrong: tuple[str, str] | None = None
    if learn and made > MADE and not any(before[f"{kind}/v/{name}"].any() for name in learn):
        wrong = f"the moments that {kind} keeps are 0 before an update", f"those of the {made:,} updates before it"
    for name in learn:
        old, new = (np.asarray(state[f"online/{name}"], np.float64) for state in (before, after))
        square, step = (adam if kind == "adam" else rmsprop)(spec, before, after, name, rate)
        moved = new - old
        # Against the mean gradient; of RMSprop only the step's size is known.
        moved = -moved * np.sign(np.asarray(after[f"adam/m/{name}"])) if kind == "adam" else np.abs(moved)
        ulp = float(np.spacing(np.abs(before[f"online/{name}"]).max(initial=0).astype(before[f"online/{name}"].dtype)))
        rounding = OF_RATE if kind == "adam" else max(OF_RATE, 2 * (ROUNDED / (1 - spec.decay)) ** 0.5)
        apart = np.abs(moved - step) > OFF * step + rounding * rate + 4 * ulp
        if wrong is None and apart.mean() > 0.01:
            at = np.unravel_index(np.argmax(np.abs(moved - step)), moved.shape)
            told = f"a weight of {name} moves by {moved[at]:.3g} at a learning rate of {rate:.3g}"
            wrong = (
                told,
                f"{step[at]:.3g}, from the moments that {kind} keeps ({apart.mean():.0%} of its weights differ)",
            )
        squares, moves, sizes = squares + square, moves + float((moved**2).sum()), sizes + float((old**2).sum())
    total = squares**0.5
    if wrong is None and norm and math.isfinite(norm):
        cut = norm if spec.max_norm is None else min(norm, spec.max_norm)
        if abs(total - cut) > 0.03 * cut + 1e-7:
            told = f"the optimiser was given a gradient of norm {total:.4g}, and the loss' has {norm:.4g}"
            wrong = (
                told,
                f"{cut:.4g}" + ("" if spec.max_norm is None else f", cut to {spec.max_norm:g} over all tensors"),
            )
    return Judged(wrong, (moves / sizes) ** 0.5 if sizes else 0.0)


def adam(spec: Any, before: State, after: State, name: str, rate: float) -> tuple[float, np.ndarray]:
    """The gradient's squared norm as the moments tell it, and how far each weight must move."""
    m0, m1 = (np.asarray(state[f"adam/m/{name}"], np.float64) for state in (before, after))
    v0 = np.asarray(before[f"adam/v/{name}"], np.float64)
    since = f"adam/since/{name}"
    count = int(after["adam/step"]) - int(after.get(since, 0))
    gradient = (m1 - spec.beta_1 * m0) / (1 - spec.beta_1)
    v1 = spec.beta_2 * v0 + (1 - spec.beta_2) * gradient**2
    mean, square = m1 / (1 - spec.beta_1**count), v1 / (1 - spec.beta_2**count)
    return float((gradient**2).sum()), rate * np.abs(mean) / (np.sqrt(square) + spec.epsilon)


def rmsprop(spec: Any, before: State, after: State, name: str, rate: float) -> tuple[float, np.ndarray]:
    """The same; of the gradient only its square is known, and not where it drowns in the moment's rounding (then NaN)."""
    v0, v1 = (np.asarray(state[f"rmsprop/v/{name}"], np.float64) for state in (before, after))
    square = np.maximum(0, v1 - spec.decay * v0) / (1 - spec.decay)
    drowned = square.sum() < 100 * ROUNDED * v1.sum() / (1 - spec.decay)
    return float("nan") if drowned else float(square.sum()), rate * np.sqrt(square) / np.sqrt(v1 + spec.epsilon)
