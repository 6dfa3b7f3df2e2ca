"""The figures of a report as numbers: whoever draws them, they say the same."""

from __future__ import annotations

import math

import numpy as np

from triptych.report.curves import MOST_POINTS, over_seeds, thin
from triptych.report.handin.document import Figure, Line, Point
from triptych.report.handin.rewards import rewards_of
from triptych.report.handin.tasks import Group, Task, group_of, trained
from triptych.report.logs import AXES
from triptych.report.numbers import score
from triptych.report.series import series_of
from triptych.utils.reliable import Estimate, performance_profile

PROFILE_POINTS = 101  # scores at which a profile is drawn
ALONG = ("steps", "seconds")  # sample efficiency, and by the clock
MOST_BARS = 30  # groups of one figure


def answer_figure(task: Task, name: str) -> Figure:
    """Each group's mean with its interval, over the scores of its runs."""
    points = [Point(group.label, group.colour, *group.mean, each=group.scores) for group in task.groups[:MOST_BARS]]
    marks = [] if task.chance is None else [("random play", task.chance)]
    text = "Dots: a run each. Bar: the mean and its 95 % bootstrap interval over runs."
    return Figure(f"answer-{name}", f"Scores: {task.name}", "score", caption=text, points=points, marks=marks)


def learning_figures(task: Task, name: str, goal: float | None = None) -> list[Figure]:
    """The learning curves, along steps and along seconds; those of a study come along steps alone."""
    if task.curves:
        return [curves(f"learning-{name}", task.name, "steps", task.curves, marks_of(task, task.curves, goal))]
    found = {axis: [line for group in groups_to_draw(task) if (line := curve_of(group, axis))] for axis in ALONG}
    return [
        curves(f"learning-{name}-{axis}", task.name, axis, lines, marks_of(task, lines, goal))
        for axis, lines in found.items()
        if lines
    ]


def marks_of(task: Task, lines: list[Line], goal: float | None) -> list[tuple[str, float]]:
    """Random play, and the threshold where it is not so far above the curves that it would press them flat."""
    marks = [] if task.chance is None else [("random play", task.chance)]
    values = [value for line in lines for value in (*line.y, *(line.high or ()))]
    if goal is None or not values:
        return marks
    size = max(values) - min(values)
    return [*marks, ("threshold", goal)] if goal <= max(values) + size / 2 else marks


def groups_to_draw(task: Task) -> list[Group]:
    """The groups that have runs, those without a score too."""
    return [group_of(series, trained) for series in series_of(task.logs)] if task.logs else []


def curves(name: str, task: str, axis: str, lines: list[Line], marks: list[tuple[str, float]]) -> Figure:
    text = "Mean reward of the last 100 training episodes, in which the agent also explores. "
    text += "Means over seeds with their 95 % bootstrap interval; a single run as it is."
    return Figure(name, f"Learning: {task}, by {AXES[axis]}", AXES[axis], "reward", text, lines=lines, marks=marks)


def curve_of(group: Group, axis: str) -> Line | None:
    """A group's training reward along an axis: of several seeds their mean where all have one; a seed without any is left out."""
    there = [
        (log.columns[axis], rewards.values)
        for log in group.logs
        if axis in log.columns and (rewards := rewards_of(log))
    ]
    if not there:
        return None
    if len(there) == 1:
        pairs = [
            (x, y) for x, y in zip(*there[0], strict=True)
            if x is not None and y is not None and math.isfinite(x) and math.isfinite(y)
        ]  # fmt: skip
        if not pairs:
            return None
        kept = [pairs[index] for index in thin(len(pairs), MOST_POINTS)]
        return Line(group.label, group.colour, [x for x, _ in kept], [y for _, y in kept], dash=group.dash)
    found = over_seeds(there)
    if found is None:
        return None
    return Line(group.label, group.colour, found["x"], found["mean"], found["low"], found["high"], group.dash)


def profile_figure(tasks: list[list[Group]], name: str, x: str, chance: float | None = None) -> Figure:
    """Which share of the runs scores more than so much; over tasks, the groups come in the same order in each."""
    every = [score for groups in tasks for group in groups for score in group.scores]
    low, high = min(every), max(every)
    room = (high - low or abs(high) or 1.0) * 0.04
    points = np.linspace(low - room, high + room, PROFILE_POINTS)
    lines = []
    for place, group in enumerate(tasks[0][:MOST_BARS]):
        found = performance_profile([groups[place].scores for groups in tasks], points.tolist())
        sides = [[float(f"{value:.6g}") for value in side] for side in (points, found.share, found.low, found.high)]
        at, share, lowest, highest = sides
        lines.append(Line(group.label, group.colour, at, share, lowest, highest, group.dash))
    text = "Performance profile (Agarwal et al. 2021): the share of runs that score more than the number below, with its 95 % bootstrap band. "
    text += "A curve that is above another everywhere is better from its worst run to its best."
    marks = [] if chance is None or not low <= chance <= high else [("random play", chance)]
    return Figure(
        name,
        "Performance profile",
        x,
        "share of runs above",
        text,
        lines=lines,
        steps=True,
        limits=(0.0, 1.0),
        marks=marks,
    )


def improvement_figure(pairs: list[tuple[str, str, Estimate]], name: str, over: str = "") -> Figure:
    """How likely a run of one group scores more than a run of another."""
    points = [Point(label, colour, *found) for label, colour, found in pairs[:MOST_BARS]]
    text = f"How likely a run of the one scores more than a run of the other, ties counted half{over}, with its 95 % bootstrap interval. "
    text += "0.5: as likely as not."
    return Figure(
        name,
        "Probability of improvement",
        "probability",
        caption=text,
        points=points,
        marks=[("as likely as not", 0.5)],
        limits=(0.0, 1.0),
    )


def described(figure: Figure) -> str:
    """A figure in words, for those who cannot see it."""
    if figure.points:
        return f"{figure.title}: " + "; ".join(f"{point.label} {score(point.value)}" for point in figure.points)
    return f"{figure.title}, a curve each: {', '.join(line.label for line in figure.lines)}"
