"""Scores that others published, beside one's own."""

from __future__ import annotations

from triptych.report.handin.document import Block, Cell, Table, Text
from triptych.report.handin.tasks import Task
from triptych.report.handin.words import estimate, joined
from triptych.report.numbers import score
from triptych.report.published import Published

MOST_NAMED = 8  # games without a published score that are named


def beside(tasks: list[Task], published: Published) -> list[Block]:
    """A row for each group of these runs and for each published score, task by task."""
    rows, missing = [], []
    for task in tasks:
        theirs = published.of(task.name)
        if not theirs:
            missing.append(task.name)
            continue
        for group in task.groups:
            rows.append(
                [
                    Cell(task.name, strong=True),
                    Cell(group.label, colour=group.colour),
                    estimate(group.mean, strong=True),
                    Cell("these runs"),
                ]
            )
        for who, value in sorted(theirs.items(), key=lambda pair: -pair[1]):
            rows.append([Cell(task.name, strong=True), Cell(who), Cell(score(value)), Cell("published")])
    blocks: list[Block] = []
    if rows:
        head = ["game", "", "mean, 95 % interval", "from"]
        blocks.append(
            Table(head, rows, f"{published.source} They were made with other steps, settings and code.", numbers=2)
        )
    if missing:
        more = f" and {len(missing) - MOST_NAMED} more" if len(missing) > MOST_NAMED else ""
        blocks.append(Text(f"No published score for {joined(missing[:MOST_NAMED])}{more} in what was given.", "note"))
    return blocks
