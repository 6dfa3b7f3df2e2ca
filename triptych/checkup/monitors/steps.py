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
from triptych.checkup.probes.learning import LARGE, WHOLE
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
MOMENTS = Signal(
    "moments-changed",
    "stop",
    "the optimiser's moments change otherwise than by updates",
    (
        "an optimiser that is made anew on the way: at a copy of the target, a test, a new rate",
        "moments that are zeroed, or loaded from an earlier checkpoint",
    ),
    "where the optimiser is made, and whatever sets its state",
)
FIRST, SELDOM = (
    8,
    10,
)  # rounds with updates in which it is looked at: the first ones, then one in so many of a large network
EACH, BIG = 2, 200_000  # looks in a first round, where a network has fewer weights than that; else one
SURE = 4  # looks that are taken whatever they cost, in a small network sixteen times as many
KEPT = 64  # gradients that are remembered until one is applied
IN_A_ROW = 3  # looks at large steps, one after the other
SHARE = 0.1  # of the weights' size, which no healthy update comes near
OFF, OF_RATE = 0.01, 0.005  # of a weight's move, and of the learning rate, that rounding may be
ROUNDED = 1.2e-7  # of a moment in float32
LOST, TINY = 1e-2, 1e-30  # of a moment, and of it altogether, that rounding over many updates may take
ZERO = np.zeros(())
State = dict[str, np.ndarray]


class Judged(NamedTuple):
    """What an update did."""

    wrong: tuple[str, str] | None  # measured, expected
    share: float  # the size of its step, of the weights' size


class Steps(Sampled):
    """The learner's state before an update and after it."""

    def __init__(self) -> None:
        self.run: Any = None
        self.rounds = self.due = self.looks = self.here = 0
        self.before: State | None = None
        self.after: State | None = None  # right after the update before
        self.known: tuple[int, State] | None = None  # updates, and the moments at an earlier look
        self.forgot: tuple[int, str, str] | None = None
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

    def take(self) -> None:
        """The state before an update, if it is looked at."""
        after, self.after = self.after, None
        if after is not None:
            self.alone(after)
        if self.rounds < self.due or (self.looks >= (16 * SURE if self.small else SURE) and not self.budget.affords()):
            return
        self.before = self.state()
        self.remember(self.before)
        moments = f"{self.run.recipe.optimiser.kind}/"
        moved = [
            name for name, old in (after or {}).items() if name.startswith(moments) and not same(old, self.before[name])
        ]
        if moved and self.forgot is None:
            told = f"{named(moved)} changed between two updates"
            self.forgot = self.run.counters.steps, told, "no change"

    def alone(self, after: State) -> None:
        """The weights against those right after the update before."""
        now = self.run.training.learner.get_weights()
        moved = [name for name in now if (own := after.get(f"online/{name}")) is not None and not same(own, now[name])]
        if moved and self.moved is None:
            self.moved = self.run.counters.steps, named(moved)

    def remember(self, now: State) -> None:
        """The squares' mean against what an earlier look saw: an update may add to it, and shrinks it by its decay alone."""
        updates, spec = self.run.counters.updates, self.run.recipe.optimiser
        if self.known is not None and self.forgot is None:
            before, then = self.known
            lost = forgotten(spec, then, now, updates - before)
            if lost is not None:
                self.forgot = self.run.counters.steps, *lost
        kept = {name: now[name] for name in now if name.startswith((f"{spec.kind}/v/", f"{spec.kind}/s"))}
        self.known = updates, kept

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
        early = self.rounds < FIRST
        if self.here >= (EACH if self.small and early else 1):
            self.due = self.rounds + (1 if self.small or early else SELDOM)
        found = judged(self.run.recipe.optimiser, before, after, rate, None if norm is None else float(norm))
        steps = self.run.counters.steps
        self.wrong = [*self.wrong, (steps, found.wrong)] if found.wrong else self.wrong
        if len(self.large) < IN_A_ROW:
            self.large = [*self.large, (steps, found.share)] if found.share > SHARE else []
        if found.share > WHOLE:
            self.large = IN_A_ROW * [(steps, found.share)]
        self.after = after

    def judge(self, run: Run) -> Iterator[Finding]:
        self.rounds += 1 if run.counters.updates else 0
        self.here = 0
        if len(self.wrong) >= 2:
            step, (measured, expected) = self.wrong[0]
            yield Finding(WRONG, measured, expected, step)
        if self.forgot is not None:
            step, measured, wanted = self.forgot
            yield Finding(MOMENTS, measured, wanted, step)
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


def same(one: np.ndarray, other: np.ndarray) -> bool:
    return np.array_equal(one, other, equal_nan=True)


def forgotten(spec: Any, then: State, now: State, updates: int) -> tuple[str, str] | None:
    """What of an optimiser's moments is gone since an earlier look; None: nothing is.

    Each update takes `decay * v + (1 - decay) * g**2` for the mean of squares v, so none makes it less than `decay * v`.

    Args:
        then, now: `KIND/v/NAME`, and Adam's count of updates; `updates`: of the run between them.
    """
    kind, decay = spec.kind, spec.beta_2 if spec.kind == "adam" else spec.decay
    count, made = f"{kind}/step", updates
    if count in then and count in now:
        made = int(now[count]) - int(then[count])
        if made < updates - 1:
            return f"{kind} counts {int(now[count]):,} updates", f"{int(then[count]) + updates:,}"
    for name, old in then.items():
        since = name.replace("/v/", "/since/")  # a tensor that was thawed meanwhile begins anew
        new = now.get(name)
        if "/v/" not in name or new is None or not same(then.get(since, ZERO), now.get(since, ZERO)):
            continue
        least = (decay ** (made + 1)) * np.asarray(old, np.float64)
        gone = np.asarray(new, np.float64) < (1 - LOST) * least - TINY
        if gone.any():
            told = f"{gone.mean():.0%} of the mean squares of {name.split('/v/')[1]} fell lower"
            return told, f"at least {decay:g} of what they were at each of {made:,} updates"
    return None


def judged(spec: Any, before: State, after: State, rate: float, norm: float | None) -> Judged:
    """One update against Adam's or RMSprop's equations.

    Args:
        spec: the recipe's optimiser.
        before: a learner's state, `online/NAME` and the optimiser's moments; `after`: the one after the update.
        norm: of the gradient before it was cut, as the update reports it.
    """
    kind = spec.kind
    names = [name.removeprefix("online/") for name in before if name.startswith("online/")]
    learn = [name for name in names if f"{kind}/v/{name}" in before and f"{kind}/v/{name}" in after]
    squares, moves, sizes = 0.0, 0.0, 0.0
    wrong: tuple[str, str] | None = None
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
