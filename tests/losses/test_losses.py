"""Arithmetic fixtures of the losses and schedules, in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.algorithms import dqn
from triptych.algorithms.schedules import linear_schedule
from triptych.frameworks import numpy_ops
from triptych.losses.value import double_q_learning, huber, q_learning
from triptych.spec.batches import Transition
from triptych.utils.checks import InputError


def test_q_learning_by_hand() -> None:
    q_tm1 = np.array([[1.0, 2.0], [3.0, 4.0]])
    q_t = np.array([[10.0, 20.0], [30.0, 40.0]])
    error = q_learning(numpy_ops, q_tm1, np.array([0, 1]), np.array([1.0, -1.0]), np.array([0.5, 0.0]), q_t)
    assert error.tolist() == [1 + 0.5 * 20 - 1, -1 + 0 - 4]


def test_double_q_learning_by_hand() -> None:
    """The selector's best action, valued by the other network."""
    q_tm1, value = np.array([[1.0, 2.0]]), np.array([[10.0, 20.0]])
    arguments = (q_tm1, np.array([0]), np.array([1.0]), np.array([0.5]), value)
    assert double_q_learning(numpy_ops, *arguments, np.array([[5.0, 4.0]])).tolist() == [1 + 0.5 * 10 - 1]
    assert double_q_learning(numpy_ops, *arguments, value).tolist() == q_learning(numpy_ops, *arguments).tolist()
    with pytest.raises(ValueError, match="q_t_selector"):
        double_q_learning(numpy_ops, *arguments, np.zeros((1, 3)))


def test_huber_by_hand() -> None:
    errors = np.array([-3.0, -1.0, 0.0, 0.5, 2.0])
    assert huber(numpy_ops, errors, 1.0).tolist() == [2.5, 0.5, 0.0, 0.125, 1.5]
    assert huber(numpy_ops, errors, 2.0).tolist() == [4.0, 0.5, 0.0, 0.125, 2.0]


@pytest.mark.parametrize("shape", [(2, 1), (3,), ()])
def test_a_wrong_shape_is_refused(shape: tuple[int, ...]) -> None:
    q = np.zeros((2, 2))
    with pytest.raises(ValueError, match="r_t"):
        q_learning(numpy_ops, q, np.zeros(2, int), np.zeros(shape), np.zeros(2), q)


def test_dqn_loss_uses_the_target_for_the_bootstrap() -> None:
    batch = Transition(
        np.zeros((2, 1)), np.array([0, 1]), np.ones(2), np.array([0.5, 0.5]), np.ones((2, 1)), np.ones(2)
    )
    loss = dqn.make_loss(dqn.Config(delta=100.0))
    value, (error, scalars) = loss(numpy_ops, lambda o: np.full((2, 2), 3.0), lambda o: np.full((2, 2), 8.0) * o, batch)
    assert error.tolist() == [2.0, 2.0]
    assert value == 2.0
    assert scalars["q_mean"] == 3.0


def test_linear_schedule() -> None:
    values = [linear_schedule(step, 1.0, 0.1, 1_000) for step in (0, 500, 1_000, 5_000)]
    assert values == pytest.approx([1.0, 0.55, 0.1, 0.1])
    assert linear_schedule(0, 1.0, 0.1, 0) == 0.1


def test_epsilon_falls_underneath_the_warm_up() -> None:
    config = dqn.Config(warm_up=100, epsilon_steps=1_000, epsilon_end=0.0)
    assert config.epsilon(99) == 1.0
    assert config.epsilon(100) == pytest.approx(0.9)
    assert config.epsilon(1_000) == 0.0


def test_learning_begins_where_the_recipe_says() -> None:
    early, late = dqn.Config(learn_from=32), dqn.Config(warm_up=1_000)
    assert not early.learns(31, 31)
    assert early.learns(33, 32)
    assert not late.learns(999, 990)
    assert late.learns(1_000, 990)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("batch_size", 0),
        ("batch_size", -3),
        ("gamma", 1.5),
        ("delta", 0.0),
        ("update_every", 0),
        ("target_every", (0, "steps")),
        ("target_every", (5, "games")),
        ("epsilon_end", -0.1),
        ("warm_up", -1),
        ("learn_from", 900_000),
        ("replay_size", 16),
    ],
)
def test_settings_name_the_field_and_what_is_allowed(field: str, value: object) -> None:
    named = "batch_size" if field == "replay_size" else field
    with pytest.raises(InputError, match=rf"{named} is .*; allowed: "):
        dqn.Config(**{field: value})  # type: ignore[arg-type]
