"""Who teaches a run's network: another network, whose weights stay as they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from triptych.algorithms import definition
from triptych.algorithms.teaching import Q_TEMPERATURE, Lesson
from triptych.frameworks import Learner
from triptych.recipes import Recipe
from triptych.recipes.teacher import TeacherWeights
from triptych.spec import each, first_of
from triptych.spec.batches import Rollout, Sequence, Taught, Transition
from triptych.training.agent import Agent


class Teacher:
    """A teacher's network in the student's framework and precision.

    Args:
        recipe: of the student.
        weights: of the teacher.
    """

    def __init__(self, recipe: Recipe, weights: TeacherWeights, learner_class: type[Learner]):
        own = weights.recipe
        loss = definition(own.algorithm).make_loss(own.algorithm)  # which is never asked
        learner = learner_class(weights.network, loss, own.optimiser, weights.tensors, recipe.precision)
        self.recipe, self.weights = recipe, weights
        self.agent = Agent(learner, weights.network)

    @property
    def temperature(self) -> float:
        return temperature_of(self.recipe, self.weights)

    def outputs(self, obs: Any) -> np.ndarray:
        """Q values or logits [N, A] for observations [N, *observation]."""
        found, _ = self.agent.act(obs)
        return found[:, :-1] if self.agent.is_actor else found

    def logits(self, obs: Any) -> np.ndarray:
        """[N, A] of the policy that it plays by, where actions are drawn."""
        return self.outputs(obs) / self.temperature

    def look_at(self, batch: Any, weight: float) -> Taught:
        """A batch with what it makes of the observations in it that are learned from.

        Args:
            weight: of the distance to it.
        """
        if isinstance(batch, Transition):
            found = self.outputs(batch.obs)
        else:
            obs = learned_obs(batch, self.recipe.algorithm.unlearned_steps)
            steps, size = first_of(obs).shape[:2]
            flat = each(lambda part: part.reshape(-1, *part.shape[2:]), obs)
            found = self.outputs(flat).reshape(steps, size, -1)
        precision = self.agent.learner.precision
        return Taught(batch, np.ascontiguousarray(found, precision), np.asarray(weight, precision))


def learned_obs(batch: Sequence | Rollout, burn_in: int) -> Any:
    """Those observations [L, B, *observation] that are learned from: no burn-in, and not what is only bootstrapped from."""
    end = burn_in + len(batch.action) if isinstance(batch, Sequence) else len(batch.action)
    return each(lambda part: part[burn_in:end], batch.obs)


def temperature_of(recipe: Recipe, weights: TeacherWeights) -> float:
    """That of the teacher's softmax: as the recipe says, or as published where its outputs are Q values."""
    if recipe.teacher_temperature is not None:
        return recipe.teacher_temperature
    return Q_TEMPERATURE if weights.gives_values else 1.0


def lesson_of(recipe: Recipe, weights: TeacherWeights) -> Lesson:
    """How a recipe's network learns from such a teacher."""
    temperature, is_actor = temperature_of(recipe, weights), recipe.algorithm.policy == "sample"
    stays_values = not (is_actor or recipe.teacher_alone)  # what its own loss wants of it, too
    return Lesson(
        loss=recipe.teacher_loss,
        temperature=temperature,
        student_temperature=temperature if stays_values else 1.0,
        alone=recipe.teacher_alone,
        is_actor=is_actor,
        burn_in=recipe.algorithm.unlearned_steps,
    )
