"""What a reader needs to believe the answer: settings, machine and cost, tests with their files, commands."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from triptych.frameworks import title_of
from triptych.recipes import Recipe
from triptych.report import tables
from triptych.report.begun import flags
from triptych.report.command import repeat, with_switches
from triptych.report.films import link
from triptych.report.handin.document import Block, Cell, Code, Links, Table, Text
from triptych.report.handin.request import Section
from triptych.report.handin.studies import Kept
from triptych.report.logs import Log
from triptych.report.numbers import finite, percent, plain, score, whole
from triptych.report.results import moves, steps
from triptych.report.series import Series, memory_of
from triptych.utils.console import counted

MOST_SETTINGS = 40  # that differ, of a table
MOST_COLUMNS = 6  # groups beside each other
UNSAID = ("", "-", "{}", "not recorded")  # of a setting that is as good as none
ALGORITHMS = {  # for a reader who has never met them
    "dqn": "learns how much reward follows each action (its Q value) from single steps that it keeps and draws at random, and takes the action of the highest value.",
    "drqn": "learns how much reward follows each action (its Q value) from stretches of games that it keeps, and takes the action of the highest value.",
    "a2c": "learns a policy, which is a probability for each action, and a value that the policy's results are held against, from the newest steps of several games.",
    "a3c": "A2C with several workers that play and learn beside each other and change the same weights.",
    "ppo": "A2C that goes over its newest steps several times, and clips how far that may move the policy.",
}
WORDS = 99  # a table that has no column of numbers


def setup(named: list[tuple[str, Series]], sections: list[Section]) -> list[Block]:
    """What was trained: a row a group of seeds, and a row a study."""
    rows = []
    for label, series in named:
        recipe = series.logs[0].recipe
        if recipe is None:
            continue
        seeds = [str(log.recipe.seed) for log in series.logs if log.recipe]
        lengths = sorted({steps(log) for log in series.logs})
        rows.append(
            [
                Cell(label, colour=series.colour, strong=True), Cell(recipe.env.id, hidden_in(recipe)), Cell(recipe.algorithm.kind.upper()), Cell(memory_of(recipe)),
                Cell(title_of(series.framework)), Cell(", ".join(seeds)), Cell(" to ".join(dict.fromkeys(whole(length) for length in (lengths[0], lengths[-1])))),
                Cell(str(recipe.num_envs)), Cell(plain(recipe.optimiser.learning_rate)),
            ]
        )  # fmt: skip
    told = "Every run learns to play by trial and error, from random weights unless its settings say otherwise. "
    blocks: list[Block] = [Text(f"{told}A step is one decision of the agent; the reward is the game's own score.")]
    kinds = dict.fromkeys(series.logs[0].recipe.algorithm.kind for _, series in named if series.logs[0].recipe)
    blocks += [Text(f"{kind.upper()}: {ALGORITHMS[kind]}") for kind in kinds if kind in ALGORITHMS]
    if rows:
        head = [
            "",
            "game",
            "algorithm",
            "memory",
            "framework",
            "seeds",
            "steps of a run",
            "games at once",
            "learning rate",
        ]
        blocks.append(Table(head, rows, numbers=6))
    studies = [study.kept for section in sections for study in section.studies]
    if studies:
        head = ["study", "its question", "framework", "tasks", "variants", "runs"]
        told = "A study trains every variant on its tasks with several seeds; triptych study NAME makes its runs again."
        blocks.append(Table(head, [of_study(kept) for kept in studies], told, numbers=3))
    return blocks


def hidden_in(recipe: Recipe) -> str:
    """What the environment's settings keep from the agent, as far as they have standard names; "" where nothing."""
    seen, flicker = getattr(recipe.env, "observe", "all"), getattr(recipe.env, "flicker", 0.0)
    told = [f"{seen} alone are seen"] if seen != "all" else []
    told += [f"{percent(flicker)} of the pictures are black"] if flicker else []
    return ", ".join(told)


def of_study(kept: Kept) -> list[Cell]:
    """A study's row of the table."""
    runs = sum(len(row.scores) for row in kept.rows if row.flicker in (None, first_flicker(kept)))
    return [
        Cell(kept.study, strong=True), Cell(kept.question), Cell(title_of(kept.framework)), Cell(str(len({row.task for row in kept.rows}))),
        Cell(str(len({row.label for row in kept.rows}))), Cell(str(runs)),
    ]  # fmt: skip


def first_flicker(kept: Kept) -> float | None:
    """The first chance of a hidden observation that its weights were tested under: each run stands in the rows once under each."""
    return next((row.flicker for row in kept.rows), None)


def settings(named: list[tuple[str, Series]]) -> list[Block]:
    """What differs between the groups of a section, and what does not."""
    groups = [(label, series) for label, series in named if series.logs[0].recipe]
    found = tables.settings([series.logs for _, series in groups])
    differing = [row for row in found if row["differs"] and row["name"] not in ("framework", "seed")]
    same = [row for row in found if not row["differs"]]
    shared = [row for row in differing if all(value not in UNSAID[:1] for value in row["values"])]
    blocks: list[Block] = []
    if len(groups) > 1 and not differing:
        blocks.append(Text("The groups differ in their framework alone: every other setting is the same, seeds apart."))
    for start in range(0, len(groups) if differing else 0, MOST_COLUMNS):
        blocks.append(side_by_side(groups[start : start + MOST_COLUMNS], shared, start, len(found)))
    for place, (label, _) in enumerate(groups):
        own = [
            f"{row['name']} {row['values'][place]}"
            for row in differing
            if row not in shared and row["values"][place] not in UNSAID
        ]
        blocks += [Text(f"Settings of {label} that not every group has: {'; '.join(own)}.", "note")] if own else []
    told = [f"{row['name']} {row['values'][0]}" for row in same if row["values"][0] not in UNSAID]
    if told:
        blocks.append(Text(f"{'The same in all' if len(groups) > 1 else 'Settings'}: {'; '.join(told)}.", "note"))
    return blocks


def side_by_side(groups: list[tuple[str, Series]], differing: list[dict[str, Any]], start: int, count: int) -> Table:
    """Settings that differ, a column a group; `start`: the first group's place in each row's values."""
    rows = [
        [Cell(row["name"], strong=True), *(Cell(value or "-") for value in row["values"][start : start + len(groups)])]
        for row in differing[:MOST_SETTINGS]
    ]
    more = len(differing) - MOST_SETTINGS
    left = f" {more} more differ: config.json of each run has them." if more > 0 else ""
    told = f"{counted(len(differing), 'setting')} of {count} {'differs' if len(differing) == 1 else 'differ'} among those that all have, framework and seed apart.{left}"
    return Table(["setting", *(label for label, _ in groups)], rows, told, numbers=WORDS)


def machine(logs: list[Log], named: list[tuple[str, Series]], sections: list[Section]) -> list[Block]:
    """Where the runs were made, when, and what they cost."""
    rows = []
    for label, series in named:
        seconds = [found for log in series.logs if (found := finite(log.summary.get("seconds")))]
        speed = [found for log in series.logs if (found := finite(log.summary.get("steps_per_second")))]
        memory = [found for log in series.logs if (found := finite(log.summary.get("peak_memory")))]
        rows.append(
            [
                Cell(label, colour=series.colour, strong=True), Cell(str(len(series.logs))), Cell(whole(sum(map(steps, series.logs)))),
                Cell(whole(median(seconds)) if seconds else "-"), Cell(whole(sum(seconds)) if seconds else "-"),
                Cell(whole(median(speed)) if speed else "-"), Cell(whole(max(memory) / 1e6) if memory else "-"),
            ]
        )  # fmt: skip
    blocks: list[Block] = []
    if rows:
        head = [
            "",
            "runs",
            "steps, all runs",
            "seconds of a run, median",
            "seconds, all runs",
            "steps/s, median",
            "peak memory, MB",
        ]
        blocks.append(
            Table(
                head,
                rows,
                "Seconds are those of training, tests and checkpoints among them; steps/s is without these. Only numbers of one machine compare.",
            )
        )
    made = [
        [
            Cell(shortened(row["names"]), strong=True),
            Cell(row["processor"]),
            Cell(row["versions"]),
            Cell(row["commit"] if row["commit"] == tables.UNKNOWN else row["commit"][:8]),
        ]
        for row in tables.machines(logs)
    ]
    made += [
        [Cell(study.kept.study, strong=True), Cell(study.kept.processor or "not known"), Cell(f"in {title_of(study.kept.framework)}"), Cell("-")]
        for section in sections for study in section.studies
    ]  # fmt: skip
    if made:
        blocks.append(Table(["runs", "processor", "versions", "commit"], made, dates(logs), numbers=WORDS))
    return blocks


def shortened(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def dates(logs: list[Log]) -> str:
    """On which days the runs began, as far as they say it."""
    days = sorted({str(log.config["date"])[:10] for log in logs if log.config and log.config.get("date")})
    told = f"The runs began on {days[0]}" + (f" to {days[-1]}" if len(days) > 1 else "") + ". " if days else ""
    return f"{told}This page was written on {today()}."


def today() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d")


def evaluations(logs: list[Log], sections: list[Section], page: Path, links: list[tuple[str, str]]) -> list[Block]:
    """The tests of the weights, with links to their files; the studies' own pages; what else the author names."""
    rows = []
    for log in logs:
        files = sorted((log.path / "evaluations").glob("*.json")) if log.path else []  # in the order of the tests
        for place, test in enumerate(log.evaluations):
            address = link(files[place], page) if place < len(files) else ""
            how = f"{test['env']}{moves(test)}" + (f", {percent(test['flicker'])} hidden" if test["flicker"] else "")
            how += "".join(f", {name} {value}" for name, value in test.get("settings", {}).items())
            rows.append(
                [
                    Cell(log.name, strong=True), Cell(f"{test['weights']} weights", link=address), Cell(how), Cell(str(test["games"])),
                    Cell(score(test["mean"]), f"{score(test['low'])} to {score(test['high'])}"),
                ]
            )  # fmt: skip
    blocks: list[Block] = []
    if rows:
        caption = "Whole games by triptych evaluate, each from a seed of its own; the interval is a bootstrap over these games. The links lead to the files, which hold every game."
        blocks.append(Table(["run", "tested", "game", "games", "mean, 95 % interval"], rows, caption, numbers=3))
    items = [*links]
    for study in (study for section in sections for study in section.studies):
        for file, what in ((study.page, "the study's own page"), (study.path / "runs.csv", "every run of it")):
            if file is not None and file.is_file():
                items.append((f"{study.kept.study}: {what}", link(file, page)))
    return [*blocks, *([Links(items)] if items else [])]


def repeated(named: list[tuple[str, Series]], sections: list[Section], words: list[str]) -> list[Block]:
    """What makes the runs again, and then this page."""
    commands = [
        (
            label,
            "\n".join(
                dict.fromkeys(
                    with_switches(repeat(log.recipe, log.framework, flags(log)), log.config)
                    for log in series.logs
                    if log.recipe
                )
            ),
        )
        for label, series in named
    ]
    blocks: list[Block] = [Code(label, text, "sh") for label, text in commands if text]
    for study in (study for section in sections for study in section.studies):
        text = [
            "triptych",
            "study",
            study.kept.study,
            "--framework",
            study.kept.framework,
            *(["--quick"] if study.kept.quick else []),
        ]
        text += ["--steps", str(study.kept.steps)] if study.kept.steps else []
        blocks.append(Code(f"study {study.kept.study}", shlex.join(text), "sh"))
    return [*blocks, Code("this page", shlex.join(words), "sh")] if words else blocks
