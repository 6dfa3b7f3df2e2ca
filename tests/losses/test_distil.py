"""The losses of policy distillation against their definitions, and their gradients in each framework."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.parity.ladder import close
from tests.parity.op_cases import gradient, native, ops_of
from triptych.frameworks import numpy_ops
from triptych.losses import distil

RNG = np.random.default_rng(41)
TEACHER, STUDENT = RNG.standard_normal((6, 4)), RNG.standard_normal((6, 4))


def softmax(x: np.ndarray) -> np.ndarray:
    return np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)


def kl_by_definition(teacher: np.ndarray, student: np.ndarray, temperature: float) -> np.ndarray:
    p, q = softmax(teacher / temperature), softmax(student)
    return (p * np.log(p / q)).sum(axis=1)


LOSSES: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "kl": (distil.kl, lambda t, s: kl_by_definition(t, s, 1.0)),
    "kl, sharp": (lambda xp, t, s: distil.kl(xp, t, s, 0.25), lambda t, s: kl_by_definition(t, s, 0.25)),
    "nll": (distil.nll, lambda t, s: -np.log(softmax(s)[np.arange(len(t)), t.argmax(axis=1)])),
    "mse": (distil.mse, lambda t, s: ((t - s) ** 2).sum(axis=1)),
}


@pytest.mark.parametrize("name", LOSSES)
def test_value_and_gradient_are_those_of_the_definition(framework: str, name: str) -> None:
    loss, definition = LOSSES[name]
    xp, teacher = ops_of(framework), native(framework, TEACHER)
    wanted = definition(TEACHER, STUDENT)
    close(framework, name, loss(xp, teacher, native(framework, STUDENT)), wanted, 1e-12)
    close(framework, name, loss(numpy_ops, TEACHER, STUDENT), wanted, 1e-12)
    found = gradient(framework, lambda student: loss(xp, teacher, student), STUDENT)
    for place in np.ndindex(STUDENT.shape):
        up, down = STUDENT.copy(), STUDENT.copy()
        up[place], down[place] = up[place] + 1e-6, down[place] - 1e-6
        slope = (definition(TEACHER, up).sum() - definition(TEACHER, down).sum()) / 2e-6
        close(framework, f"gradient of {name}", found[place], slope, 1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_no_gradient_passes_to_the_teacher(framework: str, name: str) -> None:
    loss, _ = LOSSES[name]
    xp, student = ops_of(framework), native(framework, STUDENT)
    found = gradient(framework, lambda teacher: loss(xp, teacher, student) + 0.0 * xp.sum(teacher), TEACHER)
    assert not np.asarray(found).any()


def test_by_hand() -> None:
    even, sure = np.array([[0.0, 0.0]]), np.array([[1.0, 0.0]])
    assert distil.nll(numpy_ops, sure, even) == pytest.approx(np.log(2))
    assert distil.mse(numpy_ops, np.array([[3.0, 1.0]]), even).tolist() == [10.0]
    assert distil.kl(numpy_ops, sure, sure).tolist() == [0.0]
    # A difference of 1 between Q values at a temperature of 0.01 is a policy that is sure.
    assert distil.kl(numpy_ops, sure, even, distil.Q_TEMPERATURE) == pytest.approx(np.log(2))


@pytest.mark.parametrize("loss", [distil.kl, distil.nll, distil.mse])
def test_a_wrong_shape_is_refused(loss: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="student"):
        loss(numpy_ops, TEACHER, STUDENT[:, :2])
    with pytest.raises(ValueError, match="teacher"):
        loss(numpy_ops, TEACHER[0], STUDENT)
