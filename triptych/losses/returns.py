"""What is worked out in NumPy and never differentiated: schedules."""

from __future__ import annotations


def linear_schedule(step: int, start: float, end: float, steps: int) -> float:
    """From `start` at step 0 to `end` at `steps`, then constant. `step` counts agent steps."""
    fraction = min(step / steps, 1.0) if steps > 0 else 1.0
    return start + (end - start) * fraction
