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
from triptych.spec.batches import NOT_ASKED, Rollout, Sequence, Taught, Told, Transition
from triptych.training.agent import Agent
from triptych.training.counting import Said
from triptych.utils.checks import check


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

    @property
    def remembers(self) -> bool:
        """Whether its network has a memory: then it is asked when a step is played, and what it gave is kept with the step."""
        return self.weights.recipe.has_memory

    def initial_state(self, games: int) -> np.ndarray | None:
        """The state [N, S] of its memory before it has seen anything; None: it has none."""
        return self.agent.initial_state(games) if self.remembers else None

    def outputs(self, obs: Any) -> np.ndarray:
        """Q values or logits [N, A] for observations [N, *observation], of a network without memory."""
        return self.of_actions(self.agent.act(obs)[0])

    def of_actions(self, found: np.ndarray) -> np.ndarray:
        """Its network's outputs [N, A or A + 1] without an actor-critic's value."""
        return found[:, :-1] if self.agent.is_actor else found

    def say(self, obs: Any, state: np.ndarray, started: np.ndarray) -> Said:
        """What it gives for observations [N, *observation], one of each game, and its state after them.

        Args:
            state: [N, S] before them.
            started: [N] bool, where an episode begins and the state is zeroed.
        """
        found, after = self.agent.act(obs, state, started)
        assert after is not None
        return Said(self.of_actions(found), after)

    def look_at(self, batch: Any, weight: float) -> Taught:
        """A batch with what it makes of the observations in it that are learned from.

        Args:
            weight: of the distance to it.
        """
        if isinstance(batch, Told):
            batch, found = batch.batch, self.checked(batch)
        elif isinstance(batch, Transition):
            found = self.outputs(batch.obs)
        else:
            obs = learned_obs(batch, self.recipe.algorithm.unlearned_steps)
            steps, size = first_of(obs).shape[:2]
            flat = each(lambda part: part.reshape(-1, *part.shape[2:]), obs)
            found = self.outputs(flat).reshape(steps, size, -1)
        precision = self.agent.learner.precision
        return Taught(batch, np.ascontiguousarray(found, precision), np.asarray(weight, precision))

    def checked(self, batch: Told) -> np.ndarray:
        """What it gave for the steps of a batch that are learned from.

        Raises:
            InputError: it was not asked for one of them, as its time was up then and somebody has given it more since.
        """
        burn_in = self.recipe.algorithm.unlearned_steps if isinstance(batch.batch, Rollout) else 0
        found = np.asarray(batch.teacher)[burn_in:]
        allowed = "what it was when these steps were played, as the teacher was not asked for some of them"
        check(not (found == found.dtype.type(NOT_ASKED)).any(), "teacher_until", self.recipe.teacher_until, allowed)
        return found


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
