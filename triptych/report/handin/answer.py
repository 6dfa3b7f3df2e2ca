"""The first thing that a reader sees: what the groups scored, how far they are apart, and what that says."""

from __future__ import annotations

from triptych.frameworks import title_of
from triptych.report.handin.document import Block, Cell, Table, Text
from triptych.report.handin.pairs import same
from triptych.report.handin.tasks import Group, Task, normalised
from triptych.report.handin.words import FEW, SURE, between, chances, difference, estimate, joined, p_value, reading
from triptych.report.logs import Log
from triptych.report.matrix import Matrix, Score, matrix
from triptych.report.numbers import score, whole
from triptych.report.results import steps
from triptych.utils.console import counted
from triptych.utils.differences import Difference, holm, welch
from triptych.utils.reliable import Estimate, interquartile_mean

MOST_SENTENCES = 4  # of single groups; with more they are counted
HEAD = ["", "runs", "mean, 95 % interval", "IQM, 95 % interval", "difference to the first, 95 % interval", "test"]


def answer(tasks: list[Task], margin: float | None = None) -> list[Block]:
    """The answer of a section: of one task a table of its groups, of several one of tasks by groups.

    Args:
        margin: points that do not matter between frameworks; see `pairs.same`.
    """
    there = [task for task in tasks if task.groups]
    if not there:
        return [
            Text("None of these runs has a score yet: no episode has ended, or the logs hold no reward.", "warning")
        ]
    if len(there) == 1:
        equal = [block for block in same(there[0], margin) if block.kind != "note"]
        return [*(Text(line, "result") for line in sentences(there[0])), *equal[:MOST_SENTENCES], table(there[0])]
    return [*(Text(line, "result") for line in over_tasks(there)), tasks_by_groups(there)]


def against_first(task: Task) -> list[tuple[Group, Difference, float | None]]:
    """Each group but the first: how far it is from the first, and the p value, corrected as they are tested at once."""
    first, *others = task.groups
    found = [welch(group.scores, first.scores) for group in others]
    return list(zip(others, found, holm([one.p for one in found]), strict=True))


def table(task: Task) -> Table:
    """A row a group."""
    first = task.groups[0]
    rows = [[*told(first, task), Cell("-"), Cell("the first")]]
    for group, found, p in against_first(task):
        runs = min(len(group.scores), len(first.scores))
        rows.append([*told(group, task), difference(found), Cell(reading(found, p, runs), p_value(p))])
    if task.chance is not None:
        rows.append([Cell("random play"), Cell(""), Cell(score(task.chance)), Cell(""), Cell(""), Cell("")])
    return Table(HEAD, rows, caption(task), leads=True)


def told(group: Group, task: Task) -> list[Cell]:
    names = [log.name for log in group.logs]
    small = names[0] if len(names) == 1 and names[0] != group.label else ""
    return [
        Cell(group.label, small, colour=group.colour, strong=True), Cell(str(len(group.scores))),
        estimate(group.mean, strong=True), estimate(group.iqm),
    ]  # fmt: skip


def caption(task: Task) -> str:
    """How the table is to be read."""
    tests = sum(p is not None for _, _, p in against_first(task))
    few = min(len(group.scores) for group in task.groups) < FEW
    text = f"{lengths(task)}A run is one training from a seed of its own; its score is {task.measured}. Intervals of means are bootstraps over runs"
    text += f" (with fewer than {FEW} runs they are too narrow). " if few else ". "
    text += "IQM: the mean of the middle half of the runs, of fewer than four that of all. "
    if tests:
        text += f"Test: Welch's t test, two-sided; below p = {SURE} a difference is called higher or lower"
        text += f"; p is corrected for {tests} tests at once (Holm), the intervals are not." if tests > 1 else "."
    if short := [
        f"{log.name} ({whole(steps(log))} of {whole(log.recipe.steps)})"
        for log in task.logs
        if log.recipe and unfinished(log)
    ]:
        text += f" Not trained to the end, in steps: {joined(short[:5])}" + (
            f" and {len(short) - 5} more." if len(short) > 5 else "."
        )
    if task.left_out:
        text += f" Without a score, so not in the table: {joined(list(task.left_out[:5]))}"
        text += f" and {len(task.left_out) - 5} more." if len(task.left_out) > 5 else "."
    return text


def lengths(task: Task) -> str:
    """`300,000 steps a run, in PyTorch. `; "" where no log says it."""
    found = [steps(log) for log in task.logs if steps(log)]
    if not found:
        return ""
    few, many = whole(min(found)), whole(max(found))
    used = joined(list(dict.fromkeys(title_of(log.framework) for log in task.logs if log.framework)))
    return f"{few if few == many else f'{few} to {many}'} steps a run{', in ' * bool(used)}{used}. "


def unfinished(log: Log) -> bool:
    """Whether a run has neither made all of its steps nor ended by a rule of its own."""
    assert log.recipe is not None
    return steps(log) < log.recipe.steps and log.summary.get("stopped_by") in (None, "", "failed", "interrupted")


def sentences(task: Task) -> list[str]:
    """What came out on one task."""
    best = task.best
    where = f"On {task.name}, " if task.name != "the runs" else ""
    mean, low, high = best.mean
    runs = counted(len(best.scores), "run")
    if len(task.groups) == 1:
        text = f"{where}{best.label} scores {score(mean)} on average over {runs}"
        return [text + (f" (95 % interval {between(low, high)})." if between(low, high) else ".")]
    tied = [group for group in task.groups if group.mean[0] == mean]
    if len(task.groups) == 2 and (alike := not_told_apart(task)):
        return [f"{where}{alike}"]
    if len(tied) > 1:
        found = f"{where}{joined([group.label for group in tied])} score the same, {score(mean)} on average, and none scores more."
    else:
        found = f"{where}{best.label} has the highest mean score: {score(mean)} over {runs}"
        found += f" (95 % interval {between(low, high)})." if between(low, high) else "."
    return [found, *compared(task)]


def not_told_apart(task: Task) -> str:
    """What is said of two groups whose test finds no difference: that first, as a higher mean alone would be read as an answer."""
    first, other = task.groups
    _, found, p = against_first(task)[0]
    if p is None or p < SURE or found.low is None or found.high is None:
        return ""
    told = f"{first.label} and {other.label} cannot be told apart by these runs: {score(first.mean[0])} over {counted(len(first.scores), 'run')} "
    told += f"and {score(other.mean[0])} over {counted(len(other.scores), 'run')}, a difference of {score(abs(found.mean))}. "
    low, high = sorted((found.low, found.high)) if found.mean >= 0 else sorted((-found.low, -found.high))
    return f"{told}Its 95 % interval is {between(low, high)} ({p_value(p)}), so it may be chance."


def compared(task: Task) -> list[str]:
    """How the others stand to the first group."""
    first, found = task.groups[0], against_first(task)
    if all(p is None for _, _, p in found):
        if min(len(group.scores) for group in task.groups) < 2:
            return [
                "With one run of a group their difference may be luck: more seeds would tell (triptych compare --seeds 5)."
            ]
        return ["Within each group all runs score the same, so a test has no spread to weigh."]
    if len(found) > MOST_SENTENCES:
        words = [reading(one, p, min(len(group.scores), len(first.scores))) for group, one, p in found]
        counts = [f"{words.count(word)} {word}" for word in dict.fromkeys(words)]
        return [f"Against {first.label}, the first: of {len(found)} other groups {joined(counts)}."]
    return [against(group, first, one, p) for group, one, p in found]


def against(group: Group, first: Group, found: Difference, p: float | None) -> str:
    """How one group stands to the first, in a sentence."""
    if p is None or found.low is None:
        if min(len(group.scores), len(first.scores)) < 2:
            return (
                f"{group.label} and {first.label} cannot be tested against each other: there is one run of one of them."
            )
        return (
            f"{group.label} and {first.label}: within each all runs score the same, so a test has no spread to weigh."
        )
    apart = f"{score(abs(found.mean))} {'more' if found.mean >= 0 else 'less'}"
    told = f"(95 % interval of the difference {between(found.low, found.high)}; {p_value(p)})"
    if p >= SURE:
        return f"{group.label} cannot be told from {first.label}: its mean is {score(abs(found.mean))} {'higher' if found.mean >= 0 else 'lower'} {told}, which chance alone may do."
    return f"{group.label} scores {apart} than {first.label} {told}: more than chance would put between them."


def scores_of(tasks: list[Task]) -> dict[str, dict[str, tuple[float, float, float]]]:
    return {task.name: {group.label: group.iqm for group in task.groups} for task in tasks}


def tasks_by_groups(tasks: list[Task]) -> Table:
    """Tasks by groups, and below them all tasks on one scale."""
    found = matrix(scores_of(tasks))
    rows = [[Cell(name, strong=True), *map(cell, cells)] for name, cells in found.rows]
    overall, scale = aggregated(tasks)
    if overall:
        values = [overall.get(label) for label in found.labels]
        rows.append(
            [
                Cell("all tasks, on one scale", strong=True),
                *(Cell("-") if one is None else chances(one) for one in values),
            ]
        )
    return Table(["", *found.labels], rows, matrix_caption(tasks, found, scale if overall else ""), leads=True)


def cell(found: Score | None) -> Cell:
    if found is None:
        return Cell("-")
    return Cell(
        score(found.value),
        between(found.low, found.high),
        strong=found.is_best or found.is_near,
    )


def matrix_caption(tasks: list[Task], found: Matrix, scale: str) -> str:
    few = min(len(group.scores) for task in tasks for group in task.groups)
    text = "Interquartile mean over runs, the mean of the middle half of them, and its 95 % bootstrap interval. "
    text += "In bold: the highest of a task, and those whose interval overlaps with its. "
    text += f"A run's score is {joined(list(dict.fromkeys(task.measured for task in tasks)))}. "
    if few < FEW:
        text += f"With {counted(few, 'run')} of some variants, and fewer than {FEW}, intervals are too narrow. "
    return text + (f"On one scale: {scale}; of the variants that every task has." if scale else "")


def aggregated(tasks: list[Task]) -> tuple[dict[str, Estimate], str]:
    """The IQM over the runs of all tasks, of each group that is in every task, on a scale that they share."""
    scores, scale = normalised(tasks)
    labels = [label for label in scores[0] if all(label in one for one in scores)] if scores else []
    return {label: interquartile_mean([one[label] for one in scores]) for label in labels}, scale


def highest(row: dict[str, tuple[float, float, float]]) -> str:
    """The highest score of a task as the table shows it: what looks alike there is a tie."""
    return score(max(told[0] for told in row.values()))


def over_tasks(tasks: list[Task]) -> list[str]:
    """Which group is the highest how often, and over all tasks."""
    firsts = [
        label for row in scores_of(tasks).values() for label, told in row.items() if score(told[0]) == highest(row)
    ]
    counts = sorted(dict.fromkeys(firsts), key=lambda label: -firsts.count(label))
    times = "; ".join(f"{label} in {firsts.count(label)}" for label in counts)
    ties = " (ties count for each)" if len(firsts) > len(tasks) else ""
    lines = [f"Highest score in the {len(tasks)} tasks: {times}{ties}."]
    overall, scale = aggregated(tasks)
    if len(overall) > 1:
        best = max(overall, key=lambda label: overall[label].value)
        rest = [label for label in overall if label != best]
        near = [label for label in rest if overall[label].high >= overall[best].low]
        lines.append(
            f"Over all tasks on one scale ({scale}), {best} is highest with {overall[best].value:.2f} ({overall[best].low:.2f} to {overall[best].high:.2f})"
            + (
                f"; its interval overlaps with {joined([f'{label} ({overall[label].value:.2f})' for label in near])}."
                if near
                else "; no other interval overlaps."
            )
        )
    return lines
