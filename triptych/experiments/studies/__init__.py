"""The studies, by name: one question each, the runs that answer it, and what they are measured by."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

from triptych.experiments.studies import catalogue
from triptych.experiments.studies.published import Published
from triptych.recipes import Recipe
from triptych.recipes.load import run_file
from triptych.utils.checks import InputError, check, one_of
from triptych.utils.words import likely, plain, shown

NAMES = tuple(module.name.replace("_", "-") for module in pkgutil.iter_modules(catalogue.__path__))


@dataclass(frozen=True)
class Begins:
    """What a variant's runs begin with: the run of the same seed of another variant, or one that is stored; its best weights count."""

    task: str = ""  # of that variant, which begins with nothing itself
    label: str = ""
    # weights: those that fit; grown: a larger network that computes the same; taught: that run is the teacher beside the
    # losses; distilled: nothing is learned but from it
    by: Literal["weights", "grown", "taught", "distilled"] = "weights"
    take: tuple[str, ...] = ()  # layers or kinds of layers, by weights; none: all that fit
    wider: dict[str, int] = field(
        default_factory=dict
    )  # grown: units of layers; the recipe's layers are the larger ones
    deeper: tuple[str, ...] = ()  # grown: layers behind which one is put
    noise: float = 0.0  # grown: by which copies part
    share: float = 0.5  # distilled: of the steps, at first, in which the teacher plays; 0 for A2C, A3C and PPO
    settings: dict[str, Any] = field(
        default_factory=dict
    )  # taught, distilled: of the recipe's teacher, such as teacher_until
    stored: str = ""  # instead of a variant: the folder of a run, or a weights file, as seen from the working folder

    def __post_init__(self) -> None:
        one_of(self, "by", ("weights", "grown", "taught", "distilled"))
        told = self.stored or f"{self.task}: {self.label}"
        check(bool(self.stored) != bool(self.task), "begins", told, "either another variant or a stored run")


@dataclass(frozen=True)
class Arm:
    """A variant: one way of doing it, on one task."""

    task: str
    label: str
    recipe: str | Recipe  # its name, its file, or itself
    changes: dict[str, Any] = field(default_factory=dict)
    quick: dict[str, Any] | None = None  # what --quick changes too; None: 1,500 steps
    seeds: int | None = None  # runs of it; None: as its study says
    begins: Begins | None = None  # with what of another variant; None: with nothing


@dataclass(frozen=True)
class Goal:
    """What a study asks of a task, named before its runs are made."""

    chance: float  # mean raw reward of random play
    threshold: float  # mean raw reward of `Study.window` training episodes whose first step is told

    def __post_init__(self) -> None:
        check(self.threshold != self.chance, "threshold", self.threshold, "another score than that of random play")


@dataclass(frozen=True)
class Study:
    """A question and the runs that answer it."""

    question: str
    arms: tuple[Arm, ...]
    seeds: int = 5
    games: int = 50  # whole games that judge each run's best weights
    epsilon: float = 0.0  # share of random actions in those games
    flicker: tuple[float, ...] = ()  # chances of a hidden observation that the weights are judged under, too
    # by task: settings of the environment in the games that judge, where they are others than in training, such as held-out mazes
    tests: dict[str, dict[str, Any]] = field(default_factory=dict)
    reading: str = ""  # what its numbers mean, told under the figure
    goals: dict[str, Goal] = field(default_factory=dict)  # by task; a task without one has no steps to a threshold
    window: int = 100  # episodes whose mean is a point of the learning curve
    films: tuple[str, ...] = ()  # tasks of which a game of each variant is filmed, side by side
    learned: str = ""  # what its runs have taught, in a sentence or two; written once they are made
    choice: str = ""  # what it means for somebody who must choose; written once the runs are made
    published: tuple[Published, ...] = ()  # scores of others to lay its own over; then only the tasks asked for are run


def load_study(name: str) -> Study:
    """A study by its name, or from a Python file that defines `study`.

    Raises:
        InputError: there is none of that name, or the file defines none.
    """
    if name.endswith(".py"):
        check(Path(name).is_file(), "study", name, "a Python file that is there")
        study = getattr(run_file(Path(name), what="study"), "study", None)
        check(isinstance(study, Study), "study file", name, "one that defines study = triptych.Study(...)")
        return cast(Study, study)
    known = {plain(one): one for one in NAMES}
    if plain(name) not in known:
        allowed = f"{', '.join(NAMES)}, or a Python file that defines `study`"
        raise InputError(f"study is {shown(name)}; allowed: {allowed}{likely(name, NAMES)}")
    return importlib.import_module(f"{catalogue.__name__}.{known[plain(name)].replace('-', '_')}").study
