"""A user's exploration: where its epsilon goes over a run, and whether the loop acts at random as often as it says."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any

import numpy as np

from triptych.checkup.findings import Finding
from triptych.checkup.looks import NotSeen
from triptych.checkup.monitors.exploration import RANDOM_SHARE, SURE
from triptych.checkup.own import signals
from triptych.checkup.own.protocol import Own
from triptych.checkup.settings import EARLY_FLOOR, EPSILON, FLOOR, MOSTLY_RANDOM, RANDOM, RISING, TOO_SOON

POINTS = 2_000  # of the schedule that are asked for
LEAST = 20  # random actions apart from the schedule's number


def epsilon_at(own: Own, step: int) -> float:
    found = own.array("epsilon", own.call("epsilon", step))
    own.shaped("epsilon", found, ())
    return float(found)


def exploration(own: Own) -> Iterator[Finding]:
    """Epsilon over the run, as the user's own method says."""
    steps = own.settings["steps"]
    if steps is None:
        raise NotSeen("settings say no steps: how long the run is that epsilon is meant for")
    at = np.unique(np.linspace(0, steps - 1, POINTS).astype(int))
    found = np.array([epsilon_at(own, int(step)) for step in at])
    if not np.isfinite(found).all() or found.min() < 0 or found.max() > 1:
        worst = int(np.abs(found - 0.5).argmax())
        yield Finding(signals.EPSILON, f"epsilon is {found[worst]:.4g} at step {at[worst]:,}", "0 to 1")
        return
    rises = np.flatnonzero(np.diff(found) > 1e-9)
    if len(rises):
        before, after = rises[0], rises[0] + 1
        told = f"from {found[before]:.3g} at step {at[before]:,} to {found[after]:.3g} at step {at[after]:,}"
        yield Finding(RISING, told, "a fall")
    elif found[0] > found[-1]:
        low = found[-1] + FLOOR * (found[0] - found[-1])
        first = int(np.flatnonzero(found <= low)[0])
        between = range(int(at[first - 1]), int(at[first]))
        floor = between.start + bisect_left(between, True, key=lambda step: epsilon_at(own, step) <= low)
        yield Finding(
            EPSILON, f"epsilon reaches its floor, {found[-1]:.3g}, after {100 * floor / steps:.2g} % of the run"
        )
        if floor < TOO_SOON * steps:
            told = f"at {found[-1]:.3g} after {floor:,} of {steps:,} steps"
            yield Finding(EARLY_FLOOR, told, f"a fall over {TOO_SOON:.0%} of the run at least")
    if found[-1] >= MOSTLY_RANDOM:
        yield Finding(RANDOM, f"epsilon is {found[-1]:.3g} at the run's last step", f"below {MOSTLY_RANDOM:g}")


class Choices:
    """The actions of a loop beside the largest of the user's own values."""

    def __init__(self, own: Own):
        self.own = own
        self.steps = self.others = 0
        self.wanted = self.spread = 0.0

    def heard(self, step: int, obs: Any, action: int) -> None:
        """An action other than the best one is taken with epsilon's chance, but for the draws that hit it."""
        values = self.own.values(np.asarray(obs)[None])[0]
        best = np.flatnonzero(values >= values.max() - 1e-6 * max(1e-6, float(np.abs(values).max())))
        if len(best) > 1:  # which of them is taken says nothing
            return
        chance = epsilon_at(self.own, step) * (1 - 1 / self.own.actions)
        self.steps += 1
        self.others += action != best[0]
        self.wanted, self.spread = self.wanted + chance, self.spread + chance * (1 - chance)

    def judge(self) -> Iterator[Finding]:
        apart = abs(self.others - self.wanted)
        if self.steps and apart > LEAST and apart > SURE * self.spread**0.5:
            told = f"{self.others} of {self.steps} actions are not the best one"
            yield Finding(RANDOM_SHARE, told, f"about {self.wanted:.0f}, as epsilon says")
