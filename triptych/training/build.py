"""A run's moving parts, made at step 0."""

from __future__ import annotations

import time

from triptych.envs import Games
from triptych.frameworks import Learner
from triptych.recipes import Recipe
from triptych.runs.folder import RUNNING as RUNNING
from triptych.spec.weights import Weights
from triptych.training.base import Counters as Counters
from triptych.training.base import Training
from triptych.training.off_policy import OffPolicy
from triptych.training.on_policy import OnPolicy

FAMILIES: dict[str, type[Training]] = {"off-policy": OffPolicy, "on-policy": OnPolicy}


def make_training(
    recipe: Recipe, games: Games, learner_class: type[Learner], weights: Weights | None = None
) -> Training:
    """Everything at step 0: weights drawn (or as they are given), target copied, games started."""
    return FAMILIES[recipe.algorithm.family](recipe, games, learner_class, weights)


def compile_learner(training: Training) -> float:
    """Calls the compiled functions once on zeros, then puts the learner back; returns the seconds it took."""
    before = training.learner.get_state()
    start = time.perf_counter()
    training.agent.act(training.obs, training.state, training.started)
    aux = training.learner.update(training.example(), 0.0)
    float(aux["loss"])  # waits for the device
    seconds = time.perf_counter() - start
    training.learner.set_state(before)
    return seconds
