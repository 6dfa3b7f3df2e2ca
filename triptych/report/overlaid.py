"""Curves that lie exactly upon each other: a reader sees one of them, and would miss the others."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from triptych.report.series import Series
from triptych.utils.console import shortened

WIDTH, WIDER = 1.8, 2.6  # pixels: of a curve, and how much wider each is than the one that lies on it
LONGEST = 400  # letters of all labels in a sentence


def overlaid(series: list[Series]) -> list[list[int]]:
    """Places of the series whose rewards are the same at each step: those of two or more that are."""
    alike: dict[bytes, list[int]] = {}
    for place, one in enumerate(series):
        told = [(log.columns.get("steps"), log.columns.get("running_reward")) for log in one.logs]
        if all(steps and rewards for steps, rewards in told):
            alike.setdefault(b"".join(map(whole, told)), []).append(place)
    return [places for places in alike.values() if len(places) > 1]


def whole(columns: Sequence[Sequence[float | None] | None]) -> bytes:
    """Every number of some columns, to tell them from others."""
    return b"".join(np.array([*(column or []), math.inf], np.float64).tobytes() for column in columns)


def sentence(series: list[Series]) -> str:
    """That there are such curves, for below the figure; "" where there are none."""
    groups = [", ".join(series[place].label for place in places) for places in overlaid(series)]
    return (
        f"Exactly the same rewards, so these curves lie on each other: {shortened('; '.join(groups), LONGEST)}."
        if groups
        else ""
    )


def widths(series: list[Series]) -> list[float]:
    """Of each series' curve, in pixels: of those upon each other the ones below are wider, so that all are seen."""
    found = [WIDTH] * len(series)
    for places in overlaid(series):
        for below, place in enumerate(reversed(places)):
            found[place] += WIDER * min(below, 4)
    return found
