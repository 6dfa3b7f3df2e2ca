"""A run's moving parts, made at step 0."""

from __future__ import annotations

import time
from functools import partial

from triptych.envs import Games
from triptych.frameworks import Learner
from triptych.recipes import Recipe
from triptych.recipes.teacher import TeacherWeights, read_teacher
from triptych.runs.folder import RUNNING as RUNNING
from triptych.spec.weights import Weights
from triptych.training.actors import Actors, Crew
from triptych.training.agent import make_learner
from triptych.training.asynchronous import Scheduled
from triptych.training.base import Counters as Counters
from triptych.training.base import Training
from triptych.training.off_policy import OffPolicy
from triptych.training.on_policy import OnPolicy
from triptych.training.teacher import Teacher, lesson_of

FAMILIES: dict[str, type[Training]] = {"off-policy": OffPolicy, "on-policy": OnPolicy}


def make_training(
    recipe: Recipe,
    games: Games,
    learner_class: type[Learner],
    weights: Weights | None = None,
    crew: Crew | None = None,
    teacher: TeacherWeights | None = None,
) -> Training:
    """Everything at step 0: weights drawn (or as they are given), target copied, games started.

    Args:
        crew: where A3C's workers are, if they are Ray actors; None: in this process.
        teacher: of a recipe that has one; None: it is read from where the recipe says.
    """
    if crew is not None:
        return Actors(recipe, games, make_learner(recipe, games, learner_class, weights), crew)
    if recipe.teacher and teacher is None:
        teacher = read_teacher(recipe, games)
    lesson = None if teacher is None else lesson_of(recipe, teacher)
    make = partial(make_learner, recipe, games, learner_class, weights, lesson)
    family = recipe.algorithm.family
    training: Training = (
        Scheduled(recipe, games, make(), make) if family == "asynchronous" else FAMILIES[family](recipe, games, make())
    )
    if teacher is not None:
        training.teacher = Teacher(recipe, teacher, learner_class)
        for player in training.players():
            player.follow(training.teacher)
    return training


def compile_learner(training: Training) -> float:
    """Calls the compiled functions once on zeros, then puts the learner back; returns the seconds it took."""
    before = training.learner.get_state()
    start = time.perf_counter()
    training.try_out()
    seconds = time.perf_counter() - start
    training.learner.set_state(before)
    return seconds
