"""What the loss and the gradient in a log say."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from triptych.checkup.afterwards import signals
from triptych.checkup.afterwards.curves import FEWEST, WINDOWS, Curve, array
from triptych.checkup.findings import Finding
from triptych.report.logs import End, Log

SMALL = (
    1e-3  # a gradient's norm, from which on its growth counts: there is hardly any before a sparse game's first reward
)
GROWN = 100.0  # times its early size, a loss or a gradient that has grown without bound
SAME = 20  # rows in a row
SELDOM = 5  # times the longest gap between two losses, from which on the rows without one are no gap
LONG = 50  # blank rows at a log's end, up to which they may be of something else, such as tests


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
