"""The studies, by name: one question each, the runs that answer it, and what they are measured by."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import Any

from triptych.checks import InputError
from triptych.studies.published import Published

NAMES = (
    "memory-kinds", "sequences", "losses", "flicker", "attention", "visual-attention", "partial-cartpole", "q-learning",
    "atari57", "memory-loses",
)  # fmt: skip


@dataclass(frozen=True)
class Arm:
    """One way of doing it, on one task."""

    task: str
    label: str
    recipe: str
    changes: dict[str, Any] = field(default_factory=dict)
    quick: dict[str, Any] = field(default_factory=lambda: {"steps": 1_500, "warm_up": 200})  # what --quick changes too


@dataclass(frozen=True)
class Study:
    """A question and the runs that answer it."""

    question: str
    arms: tuple[Arm, ...]
    seeds: int = 5
    games: int = 50  # whole games that judge each run's best weights
    epsilon: float = 0.0  # share of random actions in those games
    flicker: tuple[float, ...] = ()  # chances of a blank observation that the weights are judged under, too
    reading: str = ""  # what its numbers mean, told under the figure
    published: tuple[Published, ...] = ()  # scores of others to lay its own over; then only the tasks asked for are run


def load_study(name: str) -> Study:
    """A study by its name.

    Raises:
        InputError: there is none of that name.
    """
    if name not in NAMES:
        raise InputError(f"study is {name!r}; allowed: {', '.join(NAMES)}")
    return importlib.import_module(f"triptych.studies.{name.replace('-', '_')}").study
