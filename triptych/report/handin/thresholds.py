"""After how many steps, and how many seconds, runs reached a score that is asked of them."""

from __future__ import annotations

import contextlib
from statistics import median

from triptych.envs.registry import find
from triptych.report.handin.document import Block, Cell, Table, Text
from triptych.report.handin.rewards import rewards_of
from triptych.report.handin.tasks import Group, Task
from triptych.report.logs import Log
from triptych.report.numbers import score, whole
from triptych.utils.checks import InputError

HEAD = ["", "runs that reach it", "steps, median", "seconds, median"]


def threshold_of(task: Task, named: float | None) -> tuple[float, str] | None:
    """What is asked of a task, and who asks it; None: there is no curve to ask."""
    if task.threshold is not None:
        return task.threshold, "which the study named before its runs"
    if named is not None:
        return named, "named by the author"
    own = next((found for log in task.logs if log.recipe and (found := own_threshold(log)) is not None), None)
    return halfway(task) if own is None else (own, "at which this game counts as solved")


def halfway(task: Task) -> tuple[float, str] | None:
    """What some runs reach in any case: half of what was learned; None where no curve rises above random play."""
    curves = [whole_windows(log) for log in task.logs]
    if not any(curves):
        return None
    highest = max(max(curve) for curve in curves if curve)
    low = task.chance if task.chance is not None else min(curve[0] for curve in curves if curve)
    if highest <= low:
        return None
    start = "random play" if task.chance is not None else "the lowest start"
    who = f"half of the way from {start} to the highest of these curves, so chosen after the runs (--threshold names another)"
    return (low + highest) / 2, who


def own_threshold(log: Log) -> float | None:
    """The mean at which the recipe ends its run as solved, or Gymnasium calls the game solved."""
    assert log.recipe is not None
    if log.recipe.solved_at is not None:
        return log.recipe.solved_at
    if not log.playable:
        return None
    with contextlib.suppress(InputError, ImportError, AttributeError):
        return getattr(find(log.recipe.env.id), "reward_threshold", None)
    return None


def whole_windows(log: Log) -> list[float]:
    """The rewards that are means of a whole window of episodes."""
    found = rewards_of(log)
    return [] if found is None else found.whole


def first_reach(log: Log, threshold: float) -> tuple[float, float | None] | None:
    """The step and the second at which a run's mean reward first reaches it, over a whole window; None: never."""
    rewards, steps = rewards_of(log), log.columns.get("steps")
    if rewards is None or steps is None:
        return None
    for place in range(rewards.before, len(rewards.values)):
        value, step = rewards.values[place], steps[place]
        if value is not None and value >= threshold and step is not None:
            return step, log.columns["seconds"][place] if "seconds" in log.columns else None
    return None


def thresholds(task: Task, named: float | None) -> list[Block]:
    """The table of a task, and where no run gets there a second one of half the way; [] where nothing is known of it."""
    asked = threshold_of(task, named)
    if asked is None:
        return []
    found = table(task, *asked)
    nobody = all(row[1].text.startswith("0 of") for row in found.rows)
    lower = halfway(task) if nobody and found.rows else None
    blocks = [found, table(task, *lower)] if lower else [found]
    return [block for block in blocks if block.rows]


def table(task: Task, threshold: float, who: str) -> Table:
    """When the runs of each group reached a threshold."""
    rows = [of_study(group, task) if not group.logs else of_runs(group, threshold) for group in task.groups]
    told = f"{task.name}: a mean reward of {score(threshold)} over 100 training episodes, {who}. "
    return Table(
        HEAD, [row for row in rows if row], f"{told}Of the runs that reach it; in brackets the first and the last."
    )


def of_study(group: Group, task: Task) -> list[Cell]:
    """A study's row; [] where its folder does not tell."""
    if group.label not in task.reached:
        return []
    reached = task.reached[group.label]
    steps = [float(step) for step in reached if step is not None]
    return [
        Cell(group.label, colour=group.colour, strong=True),
        Cell(f"{len(steps)} of {len(reached)}"),
        spread(steps),
        Cell("-"),
    ]


def of_runs(group: Group, threshold: float) -> list[Cell]:
    reached = [first_reach(log, threshold) for log in group.logs]
    steps = [found[0] for found in reached if found]
    seconds = [found[1] for found in reached if found and found[1] is not None]
    return [
        Cell(group.label, colour=group.colour, strong=True), Cell(f"{len(steps)} of {len(reached)}"), spread(steps), spread(seconds),
    ]  # fmt: skip


def spread(values: list[float]) -> Cell:
    if not values:
        return Cell("-")
    return Cell(whole(median(values)), f"({whole(min(values))} to {whole(max(values))})" if len(values) > 1 else "")


def none_asked() -> Text:
    return Text("No run has a learning curve of 100 episodes yet.", "note")
