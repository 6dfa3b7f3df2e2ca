"""What the log of a run that is over says, ours or a stranger's: the same questions as while it goes on, of a table of numbers."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import numpy as np

from triptych.checkup.afterwards import signals
from triptych.checkup.afterwards.curves import WINDOWS, Curve, array
from triptych.checkup.findings import Finding, Severity, Signal
from triptych.checkup.monitors.updates import PATIENCE
from triptych.report.logs import End, Log

FEWEST = 100  # rows, below which a curve says nothing
SMALL = (
    1e-3  # a gradient's norm, from which on its growth counts: before a sparse game's first reward there is hardly any
)
GROWN = 100.0  # times its early size, a loss or a gradient that has grown without bound
ROSE = 0.02  # of epsilon, from row to row
LOST = 0.25  # of what was gained on the way that is left at a collapsed run's end
NOISE = 4.0  # standard errors between two windows, below which they are the same
SLOWED = 0.25  # of the early speed
JUMP = 0.5  # of an update's approximate KL divergence, in nats
SURE = 0.02  # of the entropy at the start, below which nothing is tried any more
SAME = 20  # rows in a row
SELDOM = 5  # times the longest gap between two losses, from which on the rows without one are no gap
LONG = 50  # blank rows at a log's end, up to which they may be of something else, such as tests


def judge_log(log: Log) -> Iterator[Finding]:
    """What looks wrong in a log. Of a column that it has not nothing is told."""
    yield from told_before(log)
    yield from updates(log)
    yield from loss(log)
    yield from gradient(log)
    learned = yield from reward(log)
    yield from exploration(log, learned)
    yield from counters(log)
    yield from speed(log)


def told_before(log: Log) -> Iterator[Finding]:
    """The alarms that the run itself wrote."""
    for row in log.alarms:
        causes = tuple(cause for cause in str(row["causes"]).split(" | ") if cause)
        severity: Severity = "stop" if row["severity"] == "stop" else "warn"
        signal = Signal(row["signal"], severity, row["title"], causes, row["look"])
        yield Finding(signal, row["measured"], row["expected"], row["since"])


def updates(log: Log) -> Iterator[Finding]:
    count = Curve(log, "updates")
    if not len(count) or count.values.max() > 0:
        return
    steps = int(count.steps.max())
    told = f"0 updates in {steps:,} steps"
    if log.recipe is None and not log.summary:
        yield Finding(signals.NO_UPDATES_YET, told, "updates once the warm-up is over")
        return
    begins = 0 if log.recipe is None else log.recipe.algorithm.steps_before_updates(log.recipe.num_envs)
    is_late = log.recipe is not None and steps > begins + min(PATIENCE, max(begins, 500))
    if is_late or is_over(log, steps):
        yield Finding(signals.NO_UPDATES, told, f"the first one soon after step {begins:,}" if begins else "updates")


def is_over(log: Log, steps: int) -> bool:
    """Whether a run of ours has ended, and no session goes on with it: such a one writes rows behind the last summary."""
    ended = log.summary.get("stopped_by") not in (None, "interrupted", "failed")
    return ended and steps <= (log.summary.get("steps") or 0)


def loss(log: Log) -> Iterator[Finding]:
    found = Curve(log, "loss")
    yield from ended(log)
    if len(found) < FEWEST:
        return
    middles = np.abs(found.middles())
    early, late = np.median(middles[1 : WINDOWS // 2]), middles[-1]
    if early and late > GROWN * early and late > middles[-2] > middles[-3]:
        yield Finding(
            signals.LOSS_GROWS,
            f"{late:.3g} at the end, {early:.3g} before",
            f"less than {GROWN:,.0f} times as much",
            found.since(WINDOWS // 2),
        )
    repeated = np.flatnonzero(np.diff(found.values) == 0)
    if run_of(repeated) >= SAME and found.values[-1] == found.values[-SAME:].max() == found.values[-SAME:].min():
        yield Finding(
            signals.LOSS_STILL, f"{found.values[-1]:.6g} in the last {SAME} rows or more", "numbers that differ"
        )


def ended(log: Log) -> Iterator[Finding]:
    """A loss that was there and is missing in all rows behind."""
    found = [one for one in log.ends if is_told(one)]
    if found:
        yield from (Finding(signals.LOSS_ENDS, said(one), "a number in each", one.since) for one in found[:1])
        return
    yield from missing(log)


def is_told(end: End) -> bool:
    """Whether a loss is gone for good. Of a logger that writes one now and then the last rows have none either."""
    if end.broken:
        return end.rows > SELDOM * end.gap
    return end.numbers >= SAME and end.rows > max(LONG, SELDOM * end.gap)


def said(end: End) -> str:
    what = "no finite number" if end.broken else "no value"
    rows = "the last row" if end.rows == 1 else f"the last {end.rows:,} rows, from row {end.row:,} on"
    return f"{what} of {end.name} in {rows}"


def missing(log: Log) -> Iterator[Finding]:
    """A loss that is missing in all rows behind, where the run still counts updates."""
    for part in log.parts:
        if "loss" not in part or "updates" not in part:
            continue
        values, count = array(part["loss"]), array(part["updates"])
        rows = np.flatnonzero(np.isfinite(values))
        behind = count[rows[-1] + 1 :] if len(rows) else count[:0]
        if len(np.unique(behind[np.isfinite(behind)])) > SAME:
            steps = array(part["steps"]) if "steps" in part else np.arange(len(values), dtype=float)
            yield Finding(
                signals.LOSS_ENDS,
                f"no loss in the last {len(behind):,} rows, which count updates",
                "a number in each",
                int(steps[rows[-1]]),
            )
            return


def gradient(log: Log) -> Iterator[Finding]:
    found = Curve(log, "gradient_norm")
    if len(found) < FEWEST:
        return
    middles, windows = found.middles(), found.windows()
    early, (before, between, late) = np.median(middles[1 : WINDOWS // 2]), middles[-3:]
    # One that has found its size rises no more: most of the last window lies above most of the third last.
    still_rises = late > between > before and np.quantile(windows[-1], 0.25) > np.quantile(windows[-3], 0.75)
    if early and late > GROWN * max(early, SMALL) and still_rises:
        yield Finding(
            signals.GRADIENT_GROWS,
            f"{late:.3g} at the end, {early:.3g} before",
            f"less than {GROWN:,.0f} times as much",
        )
    if run_of(np.flatnonzero(found.values == 0)) >= SAME:
        yield Finding(signals.GRADIENT_ZERO, f"0 in {SAME} rows in a row or more", "above 0")


def run_of(places: np.ndarray) -> int:
    """How many of some row numbers follow each other at most."""
    if not len(places):
        return 0
    return max(len(part) for part in np.split(places, np.flatnonzero(np.diff(places) != 1) + 1))


def reward(log: Log) -> Generator[Finding, None, bool | None]:
    """The curve of the reward; returns whether something was learned: None where it cannot be told."""
    found = Curve(log, "episode_reward")
    if len(found) < FEWEST:
        return None
    windows = found.windows()
    means = np.array([window.mean() for window in windows])
    errors = np.array([window.std() / max(1, len(window)) ** 0.5 for window in windows])
    peak, (first, first_error), last = int(means.argmax()), (means[0], errors[0]), means[-1]
    gained = means[peak] - first
    learned = bool(gained > NOISE * np.hypot(errors[peak], first_error))
    if not learned:
        told = f"{last:.4g} in the last {len(windows[-1])} episodes, {first:.4g} in the first {len(windows[0])}"
        yield Finding(signals.FLAT, told, f"a rise of more than {NOISE:g} standard errors")
    elif last - first < LOST * gained and means[peak] - last > NOISE * np.hypot(errors[peak], errors[-1]):
        yield Finding(signals.COLLAPSE, f"{means[peak]:.4g} at its best, {last:.4g} at the end, {first:.4g} at the start", f"more than {LOST:.0%} of the rise kept", found.since(peak))  # fmt: skip
    tests = Curve(log, "evaluation_mean")
    if learned and len(tests) > 1 and tests.values.max() < first - NOISE * first_error:
        yield Finding(
            signals.CONTRADICTS,
            f"{tests.values.max():.4g} in the best test, {means[peak]:.4g} in training",
            "a test above the training's start",
        )
    lengths = Curve(log, "episode_length")
    if len(lengths) >= FEWEST and lengths.values.min() == lengths.values.max():
        yield Finding(signals.ONE_LENGTH, f"all {len(lengths):,} episodes are {lengths.values[0]:,.0f} steps long", "")
    return learned


def exploration(log: Log, learned: bool | None) -> Iterator[Finding]:
    epsilon = Curve(log, "epsilon")
    if len(epsilon) > 1 and epsilon.values.max() > 0:
        rises = np.flatnonzero(np.diff(epsilon.values) > ROSE)
        if len(rises):
            place = rises[0]
            before, after = epsilon.values[place], epsilon.values[place + 1]
            yield Finding(
                signals.EPSILON_RISES, f"from {before:.3g} to {after:.3g}", "a fall", int(epsilon.steps[place + 1])
            )
        if len(epsilon) >= FEWEST and epsilon.values.min() > 0.5:
            yield Finding(
                signals.EPSILON_STAYS, f"{epsilon.values.min():.3g} or more in all {len(epsilon):,} rows", "a fall"
            )
    entropy, kl = Curve(log, "entropy"), Curve(log, "approx_kl")
    if len(entropy) >= FEWEST and learned is False:
        middles = entropy.middles()
        if middles[-1] < SURE * middles[0]:
            yield Finding(
                signals.SURE_TOO_SOON,
                f"entropy {middles[-1]:.3g} at the end, {middles[0]:.3g} at the start",
                "a policy that still tries",
            )
    if len(kl) and kl.values.max() > JUMP:
        place = int(kl.values.argmax())
        yield Finding(signals.KL_JUMPS, f"{kl.values[place]:.3g}", f"less than {JUMP:g}", int(kl.steps[place]))


def counters(log: Log) -> Iterator[Finding]:
    for part in log.parts:
        for name in ("steps", "updates", "episode"):
            values = array(part[name])[np.isfinite(array(part[name]))] if name in part else np.zeros(0)
            back = np.flatnonzero(np.diff(values) < 0)
            if len(back):
                row = int(back[0])
                yield Finding(
                    signals.BACK,
                    f"{name} falls from {values[row]:,.0f} to {values[row + 1]:,.0f} at row {row + 2:,}",
                    "counters that only grow",
                )
                return


def speed(log: Log) -> Iterator[Finding]:
    """Steps a second, once updates are made."""
    seconds, count = Curve(log, "seconds"), Curve(log, "updates")
    if len(seconds) < FEWEST or len(count) != len(seconds):
        return
    kept = count.values > 0
    steps, clock = seconds.steps[kept], seconds.values[kept]
    if len(steps) < FEWEST:
        return
    windows = np.array_split(np.arange(len(steps)), 5)
    rates = [(steps[rows[-1]] - steps[rows[0]]) / max(1e-9, clock[rows[-1]] - clock[rows[0]]) for rows in windows]
    if 0 < rates[-1] < SLOWED * rates[1]:
        yield Finding(
            signals.SLOWS,
            f"{rates[-1]:,.4g} steps/s at the end, {rates[1]:,.4g} before",
            f"more than {SLOWED:.0%} of that",
        )
