"""What was played and what the groups of runs scored there: a task is a game, or a study's task."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from triptych.frameworks import title_of
from triptych.report.figures import by_game
from triptych.report.handin.document import Line
from triptych.report.handin.rewards import rewards_of
from triptych.report.logs import Log
from triptych.report.numbers import finite
from triptych.report.results import FULL, best_tests, last_test, moves, repeated
from triptych.report.series import Series, kind_of, series_of, settings_key
from triptych.utils.console import counted
from triptych.utils.statistics import bootstrap_iqm, bootstrap_mean

MOST_TOLD = 4  # logs whose rewards are told of one by one


@dataclass(frozen=True)
class Group:
    """Runs that differ in nothing but their seed."""

    label: str
    colour: str
    scores: list[float]  # a run each
    framework: str = ""
    algorithm: str = ""
    settings: str = ""  # the same where recipes are the same, in whatever framework
    logs: list[Log] = field(default_factory=list)  # [] where only the numbers are there, as in a study's results
    dash: str = "solid"

    @cached_property
    def mean(self) -> tuple[float, float, float]:
        """Mean, and its 95 % bootstrap interval over runs."""
        return bootstrap_mean([[score] for score in self.scores] if len(self.scores) > 1 else [self.scores])

    @cached_property
    def iqm(self) -> tuple[float, float, float]:
        return bootstrap_iqm(self.scores)


@dataclass(frozen=True)
class Task:
    """A game, or a study's task, and the groups of runs that played it."""

    name: str
    groups: list[Group]  # with scores
    measured: str  # what a score is
    chance: float | None = None  # mean score of random play
    threshold: float | None = None  # mean reward of training that a study asks for
    curves: list[Line] = field(default_factory=list)  # a study's, which come as means
    reached: dict[str, list[int | None]] = field(default_factory=dict)  # by label: a study's steps to the threshold
    logs: list[Log] = field(default_factory=list)  # all of them, those without a score too
    left_out: tuple[str, ...] = ()  # runs without a score

    @property
    def best(self) -> Group:
        return max(self.groups, key=lambda group: group.mean[0])


def tested(log: Log) -> float | None:
    return finite(tests[0]["mean"]) if (tests := best_tests(log)) else None


def tested_while_training(log: Log) -> float | None:
    found = last_test(log)
    return None if found is None else finite(found["evaluation_mean"])


def trained(log: Log) -> float | None:
    found = rewards_of(log)
    return None if found is None else finite(found.last)


MEASURES: dict[str, Callable[[Log], float | None]] = {
    "tests": tested, "tests while training": tested_while_training, "training": trained,
}  # fmt: skip


def tasks_of(logs: list[Log], random: dict[str, dict[str, Any]]) -> list[Task]:
    """The games of some runs, and what their groups scored in each."""
    return [task_of(game, members, random) for game, members in by_game(logs).items()] if logs else []


def task_of(game: str, logs: list[Log], random: dict[str, dict[str, Any]]) -> Task:
    name, score = measure_of(logs)
    groups = [group for series in series_of(logs) if (group := group_of(series, score)).scores]
    keys = {log.random_key for log in logs if log.recipe}
    chance = random.get(next(iter(keys))) if len(keys) == 1 else None
    left_out = tuple(log.name for log in logs if score(log) is None)
    told = measured(name, [log for log in logs if score(log) is not None])
    if name == "training" and any(best_tests(log) for log in logs):
        told += " (not every run was tested: triptych evaluate RUN)"
    return Task(
        game or "the runs", groups, told, None if chance is None else chance["mean"], logs=logs, left_out=left_out
    )


def measure_of(logs: list[Log]) -> tuple[str, Callable[[Log], float | None]]:
    """What all runs are judged by: the best measure that every one has, else the one that most have."""
    return max(MEASURES.items(), key=lambda pair: sum(pair[1](log) is not None for log in logs))


def group_of(series: Series, score: Callable[[Log], float | None]) -> Group:
    first = series.logs[0]
    return Group(
        label=name_of(series), colour=series.colour, dash=series.dash,
        scores=[found for log in series.logs if (found := score(log)) is not None], framework=title_of(first.framework) if first.framework else "",
        algorithm=kind_of(first).upper(), settings=settings_key(first) if first.recipe else "", logs=series.logs,
    )  # fmt: skip


def name_of(series: Series) -> str:
    """A series' label without how many seeds there are."""
    return series.label.removesuffix(f", {counted(len(series.logs), 'seed')}")


def measured(name: str, logs: list[Log]) -> str:
    """What a run's score is, in words."""
    if name == "tests" and logs:
        tests = [best_tests(log)[0] for log in logs]
        few, many = min(test["games"] for test in tests), max(test["games"] for test in tests)
        games = counted(many, "test game") if few == many else f"{few} to {many} test games"
        return f"the mean reward of its best weights in {games}{played(logs, tests)}"
    if name == "tests while training":
        return "the mean reward of its last test games while training"
    return f"the mean reward of its last 100 training episodes, in which it also explores{otherwise(logs)}"


def otherwise(logs: list[Log]) -> str:
    """Whose training reward is another mean than that of the last 100 episodes; "" where nobody's is."""
    found = [(log.name, rewards) for log in logs if (rewards := rewards_of(log))]
    told = [f"of {name} {rewards.told}" for name, rewards in found if rewards.told]
    if any(rewards.before == FULL and not rewards.whole for _, rewards in found):
        told.append("of shorter runs as many as there are")
    return f" ({'; '.join(told[:MOST_TOLD])})" if told else ""


def played(logs: list[Log], tests: list[dict[str, Any]]) -> str:
    """How the moves of tests were chosen; where runs differ in it, which algorithm did what: `, the best ones (DQN), drawn (A2C)`."""
    chosen: dict[str, list[str]] = {}
    for log, test in zip(logs, tests, strict=True):
        chosen.setdefault(moves(test), []).append(kind_of(log).upper())
    several = len(chosen) > 1
    told = "".join(
        f"{how or ', the best move each time'} ({' and '.join(dict.fromkeys(kinds))})" if several else how
        for how, kinds in chosen.items()
    )
    return told + (" (some of a run's games went alike)" if any(repeated(test) for test in tests) else "")


def normalised(tasks: list[Task]) -> tuple[list[dict[str, list[float]]], str]:
    """Each task's scores by label on a scale that tasks share, and what 0 and 1 are on it.

    A task on which no mean is above the scale's 0 has none and is left out; so the list may be shorter.
    """
    chance = all(task.chance is not None for task in tasks)
    found = []
    for task in tasks:
        means = [group.mean[0] for group in task.groups]
        zero = task.chance if chance and task.chance is not None else min(means)
        size = max(means) - zero
        if size > 0:
            found.append({group.label: [(score - zero) / size for score in group.scores] for group in task.groups})
    told = f"0 is {'random play' if chance else 'the lowest mean of a task'}, 1 its highest mean"
    left = len(tasks) - len(found)
    why = "nobody scores more than random play" if chance else "all score the same"
    return found, told + (f"; without {counted(left, 'task')} on which {why}" if left else "")


def told_apart(tasks: list[tuple[str, Task]]) -> list[Task]:
    """Tasks of which some may be called the same, as one study's in two frameworks: those get whose they are behind their name.

    Args:
        tasks: whose a task is, and the task.
    """
    often = Counter(task.name for _, task in tasks)
    found: list[Task] = []
    for whose, task in tasks:
        name = f"{task.name} ({whose})" if often[task.name] > 1 and whose else task.name
        same = sum(other.name == name or other.name.startswith(f"{name}, ") for other in found)
        found.append(dataclasses.replace(task, name=f"{name}, {same + 1}" if same else name))
    return found
