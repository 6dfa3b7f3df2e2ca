"""Settings that change while a run goes on."""

from __future__ import annotations

import math


def linear_schedule(step: int, start: float, end: float, steps: int) -> float:
    """From `start` at step 0 to `end` at `steps`, then constant. `step` counts agent steps."""
    if step >= steps:
        return end
    return start + (end - start) * (step / steps)


def exponential_schedule(step: int, start: float, end: float, steps: int) -> float:
    """From `start` at step 0 towards `end`; the distance shrinks to 1/e every `steps`. `step` counts agent steps."""
    return end + (start - end) * math.exp(-step / steps) if steps else end
