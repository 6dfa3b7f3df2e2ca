"""The document of a report: the answer, its grounds, further sections, and what lets a reader check it all."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from triptych.report import figures as live
from triptych.report import films
from triptych.report.handin import appendix
from triptych.report.handin.answer import answer
from triptych.report.handin.beside import beside
from triptych.report.handin.document import Block, Curves, Document, Films, Heading, Part, Sources, Text
from triptych.report.handin.figures import answer_figure, learning_figures
from triptych.report.handin.pairs import comparison
from triptych.report.handin.request import Request, Section
from triptych.report.handin.tasks import Task, name_of, tasks_of, told_apart
from triptych.report.handin.thresholds import none_asked, threshold_of, thresholds
from triptych.report.logs import Log
from triptych.report.page import bands
from triptych.report.published import Published
from triptych.report.series import Series, series_of
from triptych.report.show import build as show
from triptych.report.sources import sources as sources_of
from triptych.report.words import sentences

MOST_DOUBTS = 6  # runs of which something is to be doubted that are told of one by one
MOST_FIGURES = 3  # tasks whose scores have a figure each; the table tells of more


@dataclass
class Composer:
    """Makes one document.

    Args:
        sections: the question's own first.
        path: where the page will lie.
        words: the command line that makes it again.
    """

    sections: list[Section]
    request: Request
    published: Published | None
    path: Path
    words: list[str]
    charts: dict[int, dict[str, Any]] = field(default_factory=dict)  # of the tasks that have been drawn

    @cached_property
    def logs(self) -> list[Log]:
        """Every run of the page, each once."""
        return list({log.path or id(log): log for section in self.sections for log in section.logs}.values())

    @cached_property
    def random(self) -> dict[str, dict[str, Any]]:
        """What random play scores, by game."""
        return bands(self.logs)

    @cached_property
    def tasks(self) -> list[list[Task]]:
        """What was played in each section: its runs' games, then its studies' tasks."""
        return [
            told_apart(
                [("", task) for task in tasks_of(section.logs, self.random)]
                + [(study.whose, task) for study in section.studies for task in study.tasks]
            )
            for section in self.sections
        ]

    @cached_property
    def series(self) -> list[tuple[str, Series]]:
        """The groups of seeds of the whole page, each under a name that tells it from the others."""
        return named(self.logs)

    def document(self) -> Document:
        request = self.request
        parts = [
            Part(
                "setup",
                "Setup",
                [
                    *appendix.setup([(name_of(series), series) for _, series in self.series], self.sections),
                    *told(self.sections[0]),
                    *self.doubts(),
                ],
            ),
            *self.grounds(self.sections[0], self.tasks[0]),
        ]
        if self.published is not None:
            every = [task for some in self.tasks for task in some]
            parts.append(Part("published", "Published scores beside these", beside(every, self.published)))
        found = films.films(self.logs) + [
            film for section in self.sections for study in section.studies for film in study.films
        ]
        parts.append(Part("videos", "Test games", [Films(found)] if found else []))
        for number, (section, tasks) in enumerate(zip(self.sections[1:], self.tasks[1:], strict=True), 1):
            parts.append(Part(f"section-{number}", section.name, self.further(section, tasks, f"{number}-")))
        lead = [*answer(self.tasks[0], self.request.margin), *learned(self.sections[0])]
        lead += [Text(request.answer, "own")] if request.answer else []
        parts = [part for part in [*parts, *self.closing()] if part.blocks]
        return Document(request.title, request.question, request.author, appendix.today(), lead, parts)

    def doubts(self) -> list[Text]:
        """What a reader should know of single runs: one that cannot be repeated, or never left random play."""
        lines = sentences(self.logs, self.random)
        left = len(lines) - MOST_DOUBTS
        shown = [Text(line, "warning") for line in lines[:MOST_DOUBTS]]
        return shown + ([Text(f"And so of {left} more.", "warning")] if left > 0 else [])

    def grounds(self, section: Section, tasks: list[Task]) -> list[Part]:
        """What the answer rests on: curves, comparisons, and when a threshold was reached."""
        compared = [*answer_figures(tasks), *comparison(tasks, self.request.margin, section.verdicts)]
        return [
            Part("learning", "Learning", self.curves(tasks)),
            Part("comparison", "Comparison", compared),
            Part("thresholds", "Steps to a threshold", self.reached(tasks)),
        ]

    def further(self, section: Section, tasks: list[Task], prefix: str) -> list[Block]:
        """A further question or bonus: its answer and what that rests on, under one heading."""
        asked = [Text(f"Question of the study: {study.kept.question}") for study in section.studies]
        blocks: list[Block] = [*asked, *answer(tasks, self.request.margin), *learned(section), *told(section)]
        compared = [*answer_figures(tasks, prefix), *comparison(tasks, self.request.margin, section.verdicts, prefix)]
        for title, more in (
            ("Learning", self.curves(tasks, prefix)), ("Comparison", compared), ("Steps to a threshold", self.reached(tasks)),
        ):  # fmt: skip
            blocks += [Heading(title), *more] if more else []
        return blocks

    def curves(self, tasks: list[Task], prefix: str = "") -> list[Block]:
        """The learning curves of a section: of runs a figure that can be asked, of studies their means."""
        blocks: list[Block] = []
        for task in tasks:
            asked = threshold_of(task, self.request.threshold)
            drawn = learning_figures(task, f"{prefix}{task.name}", asked and asked[0])
            drawn = [
                dataclasses.replace(one, caption="") if place or blocks else one for place, one in enumerate(drawn)
            ]
            chart = self.chart(task) if task.logs else None
            if chart is None:
                blocks += drawn
            elif chart["rewards"]:
                blocks += [Heading(task.name)] if len(tasks) > 1 else []
                blocks.append(Curves(chart, drawn))
        return blocks

    def chart(self, task: Task) -> dict[str, Any]:
        """The numbers of a game's figures, which a reader can ask."""
        if id(task) not in self.charts:
            self.charts[id(task)] = {"game": task.name} | live.data(task.logs, self.random, len(self.logs))
        return self.charts[id(task)]

    def reached(self, tasks: list[Task]) -> list[Block]:
        found = [block for task in tasks for block in thresholds(task, self.request.threshold)]
        return found or ([none_asked()] if any(task.logs for task in tasks) else [])

    def recorded(self) -> list[Block]:
        """Every column of the logs, a figure each, game by game; on a screen and on paper alone."""
        tasks = [task for tasks in self.tasks for task in tasks if task.logs and self.chart(task)["columns"]]
        blocks: list[Block] = []
        for task in tasks:
            blocks += [Heading(task.name)] if len(tasks) > 1 else []
            blocks.append(Curves(self.chart(task), [], recorded=True))
        return blocks

    def settings(self) -> list[Block]:
        """The settings of each section's runs: those of one question are held against each other."""
        there = [section for section in self.sections if any(log.recipe for log in section.logs)]
        blocks: list[Block] = []
        for section in there:
            blocks += [Heading(section.name or "The question's runs")] if len(there) > 1 else []
            blocks += appendix.settings(named(section.logs))
        return blocks

    def closing(self) -> list[Part]:
        """What lets a reader check and repeat it."""
        known = [(label, series) for label, series in self.series if series.logs[0].recipe]
        agents = sources_of([dataclasses.replace(series, label=label) for label, series in known])
        notes = dict.fromkeys(note for log in self.logs for note in log.notes)
        return [
            Part("settings", "Settings", self.settings()),
            Part("machine", "Machine, date and cost", appendix.machine(self.logs, self.series, self.sections)),
            Part(
                "evaluations",
                "Evaluations",
                appendix.evaluations(self.logs, self.sections, self.path, self.request.addresses),
            ),
            Part("repeat", "Repeat it", appendix.repeated(known, self.sections, self.words)),
            Part("notes", "Notes", [Text(note, "note") for note in notes]),
            Part("everything", "Everything recorded", self.recorded()),
            Part(
                "sources",
                "The same agents in three frameworks",
                [Sources(agents, show.names_table())] if agents else [],
            ),
        ]


def named(logs: list[Log]) -> list[tuple[str, Series]]:
    """The groups of seeds of some runs, with their game where there are several."""
    found = [one for runs in live.by_game(logs).values() for one in series_of(runs)] if logs else []
    several = len({log.game for log in logs if log.game}) > 1
    return [(f"{one.logs[0].game}: {name_of(one)}" if several else name_of(one), one) for one in found]


def learned(section: Section) -> list[Block]:
    """What studies have taught."""
    found: list[Block] = []
    for study in section.studies:
        if study.kept.quick:
            found.append(
                Text(f"{study.kept.study} is a quick pass: its runs are too short to answer anything.", "warning")
            )
        if study.kept.learned:
            found.append(Text(f"Learned from the runs that Triptych ships: {study.kept.learned}"))
    return found


def told(section: Section) -> list[Block]:
    """What else studies say of themselves."""
    lines = ("How to read it", "reading"), ("For somebody who must choose", "choice")
    return [
        Text(f"{what}: {text}")
        for study in section.studies
        for what, name in lines
        if (text := getattr(study.kept, name))
    ]


def answer_figures(tasks: list[Task], prefix: str = "") -> list[Block]:
    found = [task for task in tasks if task.groups]
    return [answer_figure(task, f"{prefix}{task.name}") for task in found] if len(found) <= MOST_FIGURES else []
