"""What the log of a run that is over says, ours or a stranger's: the same questions as while it goes on, of a table of numbers."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import numpy as np

from triptych.checkup.afterwards import signals
from triptych.checkup.afterwards.curves import FEWEST, Curve, array
from triptych.checkup.afterwards.losses import gradient, loss
from triptych.checkup.findings import Finding, Severity, Signal
from triptych.checkup.monitors.updates import PATIENCE
from triptych.report.logs import Log

NEVER = ("never-trains", "no-updates")  # alarms of a run itself that say that nothing is learned
ROSE = 0.02  # of epsilon, from row to row
LOST = 0.25  # of what was gained on the way that is left at a collapsed run's end
NOISE = 4.0  # standard errors between two windows, below which they are the same
HEADS = (3, 5, 10)  # rows within the first window, behind which the reward may have risen already
CEILING = 0.8  # of the rows, at least, are at the highest reward of a run that was good from its first row on
SLOWED = 0.25  # of the early speed
JUMP = 0.5  # of an update's approximate KL divergence, in nats
SURE = 0.02  # of the entropy at the start, below which nothing is tried any more


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
    if not len(count) or count.values.max() > 0 or any(row["signal"] in NEVER for row in log.alarms):
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


def reward(log: Log) -> Generator[Finding, None, bool | None]:
    """The curve of the reward; returns whether something was learned: None where it cannot be told."""
    found = Curve(log, "episode_reward")
    if len(found) < FEWEST:
        return None
    windows = found.windows()
    means = np.array([window.mean() for window in windows])
    errors = np.array([window.std() / max(1, len(window)) ** 0.5 for window in windows])
    peak, last = int(means.argmax()), means[-1]
    first, first_error = began(windows, means[peak], errors[peak])
    gained = means[peak] - first
    learned = bool(gained > NOISE * np.hypot(errors[peak], first_error))
    if not learned and (share := at_ceiling(found.values)):
        told = f"the reward is {found.values.max():.4g} in {share:.0%} of {len(found):,} rows, from the first on, and never above it"
        yield Finding(signals.CEILING, f"{told}: solved from the beginning, or nothing else is found")
        return None
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


def began(windows: list[np.ndarray], peak: float, peak_error: float) -> tuple[float, float]:
    """Where the reward began, and how sure that is: the first window's mean, or that of its first rows where it rose within that."""
    first, spread = windows[0], windows[-1].std()
    whole = (float(first.mean()), float(first.std() / max(1, len(first)) ** 0.5))
    for rows in (rows for rows in HEADS if rows < len(first)):
        head = first[:rows]
        error = float(max(head.std(), spread) / rows**0.5)  # a few rows may be alike by chance
        if (
            peak - head.mean() > NOISE * np.hypot(peak_error, error)
            and first[rows:].mean() > head.mean() + NOISE * error
        ):
            return float(head.mean()), error
    return whole


def at_ceiling(values: np.ndarray) -> float:
    """The share of rows at the highest reward, where that is paid in nearly all of them and some lie below it; else 0."""
    best = values.max()
    share = float((values == best).mean())
    return share if best > 0 and share >= CEILING and values.min() < best else 0.0


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
            low, high = epsilon.values.min(), epsilon.values.max()
            told = f"{low:.3g} in all" if low == high else f"never below {low:.3g} in"
            yield Finding(signals.EPSILON_STAYS, f"{told} {len(epsilon):,} rows", "a fall")
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
    if log.back is not None:  # its rows were sorted since
        yield fallen(log.back.name, log.back.before, log.back.after, log.back.row)
        return
    for part in log.parts:
        for name in ("steps", "updates", "episode"):
            values = array(part[name])[np.isfinite(array(part[name]))] if name in part else np.zeros(0)
            back = np.flatnonzero(np.diff(values) < 0)
            if len(back):
                row = int(back[0])
                yield fallen(name, values[row], values[row + 1], row + 2)
                return


def fallen(name: str, before: float, after: float, row: int) -> Finding:
    told = f"{name} falls from {before:,.0f} to {after:,.0f} at row {row:,}"
    return Finding(signals.BACK, told, "counters that only grow")


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
