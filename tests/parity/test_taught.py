"""A teacher beside any algorithm's loss, in each framework alike; and mutations of the shipped code that must turn the rungs red."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest

from tests.parity import taught_ladder
from tests.parity.ladder import NAMES
from triptych.algorithms import teaching


def test_the_loss_is_the_algorithms_own_and_the_distance_to_the_teacher(framework: str) -> None:
    """All cases in PyTorch; the others compile long, and the text is one."""
    taught_ladder.check_loss(framework, None if framework == "torch" else ("double", "ppo"))


@pytest.mark.parametrize(("case", "updates"), [("dqn", 300), ("dqn, alone", 300), ("drqn", 50)])
def test_updates_on_one_stream_with_the_weight_falling_to_0(case: str, updates: int) -> None:
    taught_ladder.check_stream(NAMES, case, updates)


def with_lesson(**changes: Any) -> Callable[[Any, pytest.MonkeyPatch], None]:
    """A mutation: the loss is made of another lesson than was given."""

    def mutate(keep: Any, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(taught_ladder, "taught", lambda loss, lesson: keep(loss, dataclasses.replace(lesson, **changes)))

    return mutate


def the_weight_is_forgotten(keep: Any, patch: pytest.MonkeyPatch) -> None:
    inner = teaching.distance_to
    patch.setattr(teaching, "distance_to", lambda xp, net, batch, lesson: inner(xp, net, batch, lesson) / batch.weight)


def padded_steps_count(keep: Any, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(teaching, "masked_mean", lambda xp, far, mask: xp.mean(far))


def the_mean_is_a_sum(keep: Any, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(teaching, "masked_mean", lambda xp, far, mask: xp.sum(far * mask))


def any_observation_is_the_same(keep: Any, patch: pytest.MonkeyPatch) -> None:
    """The first pass is given for every later one: that of the next observations."""
    patch.setattr(teaching, "same", lambda one, other: True)


def the_distance_has_no_gradient(keep: Any, patch: pytest.MonkeyPatch) -> None:
    inner = teaching.distance_to
    patch.setattr(teaching, "distance_to", lambda xp, *given: xp.stop_gradient(inner(xp, *given)))


def the_burn_in_is_learned_through(keep: Any, patch: pytest.MonkeyPatch) -> None:
    inner, passing = teaching.outputs_of, SimpleNamespace(stop_gradient=lambda array: array)
    patch.setattr(teaching, "outputs_of", lambda xp, *given: inner(cast(ModuleType, passing), *given))


Mutation = Callable[[Any, pytest.MonkeyPatch], None]
MUTATIONS: dict[str, tuple[Mutation, str]] = {
    "the teacher's temperature is forgotten": (with_lesson(temperature=1.0), "dqn"),
    "the student's temperature is forgotten": (with_lesson(student_temperature=1.0), "dqn"),
    "the own loss is forgotten": (with_lesson(alone=True), "dqn"),
    "the own loss stays": (with_lesson(alone=False), "dqn, alone"),
    "the value is taken for an action": (with_lesson(is_actor=False), "ppo"),
    "the weight is forgotten": (the_weight_is_forgotten, "dqn"),
    "padded steps count": (padded_steps_count, "drqn"),
    "the mean is a sum": (the_mean_is_a_sum, "ppo"),
    "any observation is the same": (any_observation_is_the_same, "double"),
    "the distance has no gradient": (the_distance_has_no_gradient, "dqn"),
    "the burn-in of sequences is learned through": (the_burn_in_is_learned_through, "drqn"),
    "the burn-in of rollouts is learned through": (the_burn_in_is_learned_through, "ppo"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_mutation_turns_the_rung_red(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In PyTorch: what is mutated is the one text of all three."""
    mutate, case = MUTATIONS[name]
    mutate(teaching.taught, monkeypatch)
    with pytest.raises((AssertionError, ValueError)):
        taught_ladder.check_loss("torch", (case,))
