"""The measures of learning in words and in the cells of a table: what they say to somebody who must choose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from triptych.experiments.studies import Study
from triptych.experiments.studies.measures import Interval, Measures
from triptych.utils.console import counted

FEWEST = 4  # seeds of a variant below which intervals say nothing


def known(rows: Sequence[Any]) -> dict[str, list[Any]]:
    """The rows of which the measures are known, one a variant, by task."""
    found: dict[str, list[Any]] = {}
    for row in rows:
        mine = found.setdefault(row.task, [])
        if row.measures is not None and row.label not in {other.label for other in mine}:
            mine.append(row)
    return {task: mine for task, mine in found.items() if mine}


def tables(study: Study, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """A table a task, its cells as text: `task`, `chance` and `threshold` where the study names them, `rows`."""
    found = []
    for task, mine in known(rows).items():
        goal = study.goals.get(task)
        found.append(
            {
                "task": task,
                "chance": None if goal is None else number(goal.chance),
                "threshold": None if goal is None else number(goal.threshold),
                "rows": [[row.label, *cells(row, goal is not None)] for row in mine],
            }
        )
    return found


def cells(row: Any, has_goal: bool) -> list[str]:
    """Final score, area, its share, steps and seconds to the threshold, seconds of a run."""
    measures: Measures = row.measures
    found = [told(Interval(row.iqm, row.low, row.high)), told(measures.area)]
    if has_goal:
        assert measures.share is not None
        found += [told(measures.share), reached(measures), told(measures.seconds_to_goal, "-")]
    return [*found, told(measures.seconds)]


def reached(measures: Measures) -> str:
    """The steps to the threshold; where not every seed has reached it, how many have, and when."""
    if measures.steps_to_goal is not None:
        return told(measures.steps_to_goal)
    steps = [step for step in measures.reached if step is not None]
    if not steps:
        return "never reached"
    return f"in {len(steps)} of {len(measures.reached)} seeds: {', '.join(f'{step:,}' for step in sorted(steps))}"


def told(interval: Interval | None, otherwise: str = "") -> str:
    """`0.61 (0.50 to 0.70)`; one number where the interval has no width."""
    if interval is None:
        return otherwise
    mean, low, high = (number(value) for value in interval)
    return mean if low == high else f"{mean} ({low} to {high})"


def number(value: float) -> str:
    return f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"


def sentences(study: Study, rows: Sequence[Any]) -> list[str]:
    """What the measures say, task by task, then over all tasks. Nothing is said that they do not."""
    found, first = [], {"most reward from the same steps": Counter[str](), "shortest run": Counter[str]()}
    by_task = known(rows)
    for task, mine in by_task.items():
        if len(mine) < 2:
            continue
        areas = {row.label: row.measures.area for row in mine}
        seconds = {row.label: row.measures.seconds for row in mine}
        seeds = min(len(row.scores) for row in mine)
        first["most reward from the same steps"][max(areas, key=lambda label: areas[label].mean)] += 1
        first["shortest run"][min(seconds, key=lambda label: seconds[label].mean)] += 1
        found.append(f"{task}. Mean reward on the way, from the same steps: {standing(areas, seeds)}")
        if task in study.goals:
            found[-1] += f" {at_threshold(number(study.goals[task].threshold), mine)}"
        found[-1] += f" {by_the_clock(seconds)}"
    if len(found) > 1:
        counts = [
            f"{what}: {', '.join(f'{label} in {count}' for label, count in counter.most_common())}"
            for what, counter in first.items()
        ]
        found.append(f"Over the {len(found)} tasks, {'; '.join(counts)} (by the means, whatever the intervals say).")
    return found


def standing(values: dict[str, Interval], seeds: int) -> str:
    """Which variant is the highest, and which cannot be told from it."""
    best = max(values, key=lambda label: values[label].mean)
    text = f"highest is {best} with {told(values[best])}"
    others = {label: value for label, value in values.items() if label != best}
    if seeds < FEWEST:
        return (
            f"{text}; then {listed(others)}; with {counted(seeds, 'seed')} a variant that is no more than a first look."
        )
    near = {label: value for label, value in others.items() if value.high >= values[best].low}
    below = {label: value for label, value in others.items() if value.high < values[best].low}
    text += f"; its interval overlaps with {listed(near)}" if near else ""
    return text + (f"; below it, intervals apart: {listed(below)}." if below else ".")


def listed(values: dict[str, Interval]) -> str:
    return ", ".join(f"{label} {told(value)}" for label, value in values.items())


def at_threshold(threshold: str, rows: Sequence[Any]) -> str:
    """Who reached the threshold, after how many steps and seconds."""
    parts = []
    for row in rows:
        measures: Measures = row.measures
        if measures.steps_to_goal is None:
            parts.append(f"{row.label} {reached(measures)}")
            continue
        clock = "" if measures.seconds_to_goal is None else f", {number(measures.seconds_to_goal.mean)} seconds"
        parts.append(f"{row.label} after {told(measures.steps_to_goal)} steps{clock}")
    return f"A mean of {threshold}: {'; '.join(parts)}."


def by_the_clock(seconds: dict[str, Interval]) -> str:
    """How long a run takes, beside the shortest."""
    least = min(seconds, key=lambda label: seconds[label].mean)
    others = [
        f"{label} {value.mean / seconds[least].mean:,.1f} times as long"
        for label, value in seconds.items()
        if label != least
    ]
    return f"By the clock a run of {least} took {number(seconds[least].mean)} seconds, {', '.join(others)}."
