"""What ended a run, and what was wrong in it, in words for people."""

from __future__ import annotations


def why(stopped_by: str, steps: int, episodes: int) -> str:
    """The reason why a run is over, as half a sentence.

    Args:
        stopped_by: of its summary: steps, episodes, solved, alarm, diverged, or what a callback said.
        steps: that it has.
        episodes: that it has.
    """
    if stopped_by == "steps":
        return f"all {steps:,} steps are done"
    if stopped_by == "episodes":
        return f"all {episodes:,} episodes are done, in {steps:,} steps"
    if stopped_by == "solved":
        return f"it is solved: its running reward passed --solved-at at step {steps:,}"
    if stopped_by == "alarm":
        return f"an alarm of the checkup stopped it at step {steps:,} (--on-alarm stop)"
    if stopped_by == "diverged":
        return f"it diverged by step {steps:,}: its numbers are no longer finite"
    return f"a callback stopped it at step {steps:,} ({stopped_by})"


def unlearned(steps: int, first: str) -> str:
    """What a run's summary says of numbers that were not finite, as a sentence; "" where all were.

    Args:
        steps: that were not learned from.
        first: the first such number, and at which step of the run.
    """
    if not steps and not first:
        return ""
    lost = "step was" if steps == 1 else "steps were"
    told = f"{steps:,} {lost} not learned from, as a reward or an observation was not finite"
    return f"{told}. The first: {first}" if first else told
