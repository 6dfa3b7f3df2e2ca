"""Runs as curves: those that differ in nothing but their seed are one, with a label, a colour and a dash of its own."""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass
from typing import Any

from triptych.frameworks import FRAMEWORKS, title_of
from triptych.recipes import Recipe
from triptych.recipes.serialise import to_dict
from triptych.report import colours
from triptych.report.begun import origin_of
from triptych.report.command import flat
from triptych.report.logs import Log
from triptych.report.numbers import plain
from triptych.spec import Conv, Memory
from triptych.utils.console import counted

MOST_IN_A_LABEL = 2  # settings that it names; with more to tell, it is the run's name


@dataclass(frozen=True)
class Series:
    """One run, or several that differ in nothing but their seed."""

    label: str  # what tells it from the others
    logs: list[Log]
    colour: str
    dash: str

    @property
    def framework(self) -> str:
        return self.logs[0].framework

    @property
    def is_seeds(self) -> bool:
        return len(self.logs) > 1


def series_of(logs: list[Log]) -> list[Series]:
    """The series of some runs of one game: an algorithm after the other, and the frameworks of each in their usual order."""
    groups = grouped(logs)
    kinds = sorted(
        dict.fromkeys(kind_of(group[0]) for group in groups), key=lambda kind: not kind
    )  # logs of others last
    groups.sort(key=lambda group: kinds.index(kind_of(group[0])))
    if len({(kind_of(group[0]), group[0].framework) for group in groups}) == len(groups):  # a framework each
        groups.sort(key=lambda group: (kinds.index(kind_of(group[0])), place_of(group[0].framework)))
    given = colours.give([group[0].framework for group in groups])
    found = []
    for label, group, (colour, dash) in zip(labels(groups), groups, given, strict=True):
        kind = kind_of(group[0])  # algorithms differ in their dashes too
        place = (kinds.index(kind) if kind else 0) or colours.DASHES.index(dash)
        found.append(Series(label, group, colour, colours.DASHES[place % len(colours.DASHES)]))
    return found


def place_of(framework: str) -> int:
    """A framework's place among them, the same on every page."""
    return list(FRAMEWORKS).index(framework) if framework in FRAMEWORKS else len(FRAMEWORKS)


def kind_of(log: Log) -> str:
    """A run's algorithm; "" where it is not known."""
    return log.recipe.algorithm.kind if log.recipe else ""


def grouped(logs: list[Log]) -> list[list[Log]]:
    """Runs that differ in their seed alone stand together. The same seed twice is no second seed: those stand alone."""
    found: dict[Any, list[Log]] = {}
    for number, log in enumerate(logs):
        found.setdefault(number if log.recipe is None else (log.framework, settings_key(log)), []).append(log)
    groups = []
    for members in found.values():
        seeds = {log.recipe.seed for log in members if log.recipe}
        groups += [members] if len(seeds) == len(members) else [[log] for log in members]
    return groups


def settings_key(log: Log) -> str:
    """A run's settings without its seed, and what it began with."""
    assert log.recipe is not None
    origin = origin_of(log)
    begun = "" if origin is None else f"{origin['sha256']} {origin.get('take', [])}"
    return repr(dataclasses.replace(log.recipe, seed=0)) + begun


def labels(groups: list[list[Log]]) -> list[str]:
    """A label for each group: framework, algorithm and settings as far as they tell it from another, else its run's name."""
    firsts = [group[0] for group in groups]
    frameworks = {log.framework for log in firsts if log.recipe}
    kinds = {log.recipe.algorithm.kind for log in firsts if log.recipe}
    found = [label(log, [*firsts], len(frameworks) > 1, len(kinds) > 1) for log in firsts]
    often = Counter(found)
    told = [
        text if often[text] == 1 else f"{text}, {log.name}" if text != log.name else text
        for text, log in zip(found, firsts, strict=True)
    ]
    return [
        f"{text}, {counted(len(group), 'seed')}" if len(group) > 1 else text
        for text, group in zip(told, groups, strict=True)
    ]


def label(log: Log, others: list[Log], with_framework: bool, with_kind: bool) -> str:
    if log.recipe is None:
        return log.name
    rivals = [other for other in others if other.recipe and other.recipe.algorithm.kind == log.recipe.algorithm.kind]
    differing = differing_settings(rivals)
    own = flat(to_dict(log.recipe))
    settings = [f"{setting_name(path)} {plain(own.get(path))}" for path in differing]
    if len(differing) > MOST_IN_A_LABEL:
        # Without its memory a network's layers move up, so many settings differ where one thing does.
        memories = {memory_of(other.recipe) for other in rivals if other.recipe}
        if len(memories) == 1 or not all(path.startswith("network.") for path in differing):
            return log.name
        settings = [memory_of(log.recipe).replace("none", "no memory")]
    who = [log.recipe.algorithm.kind.upper()] if with_kind else []
    who += [title_of(log.framework)] if with_framework or not (with_kind or settings) else []
    return ", ".join([*([" in ".join(who)] if who else []), *settings])


def memory_of(recipe: Recipe) -> str:
    """What of its network remembers: `lstm 256`, `attention`; `none`, and then how many observations it sees at once."""
    kinds = [
        f"{layer.kind} {getattr(layer, 'units', '')}".strip() for layer in recipe.network if isinstance(layer, Memory)
    ]
    stack = getattr(recipe.env, "stack", 1) if any(isinstance(layer, Conv) for layer in recipe.network) else 1
    return " and ".join(kinds) or (f"none, but {stack} observations at once" if stack > 1 else "none")


def differing_settings(logs: list[Log]) -> list[str]:
    """The settings, seed left out, that are not the same in some runs."""
    tables = [flat(to_dict(log.recipe)) for log in logs if log.recipe]
    paths = dict.fromkeys(path for table in tables for path in table if path not in ("seed", "source"))
    return [path for path in paths if len({repr(table.get(path, "")) for table in tables}) > 1]


def setting_name(path: str) -> str:
    """`optimiser.learning_rate` -> `learning rate`; what has a number before it keeps the number's list: `network 0 units`."""
    parts = path.split(".")
    start = next((index - 1 for index, part in enumerate(parts) if part.isdigit()), len(parts) - 1)
    return " ".join(parts[max(0, start) :]).replace("_", " ")
