"""Losses of policy distillation (Rusu et al. 2015, section 3.2): how far a student is from its teacher. N: observations, A: actions.

Pure; `xp` is one framework's operations. No gradient passes to the teacher. Every function gives one number an observation [N] and
raises ValueError where a shape or a dtype does not fit.
"""

from __future__ import annotations

from types import ModuleType

from triptych.losses.shapes import check_arrays
from triptych.spec.batches import Array

Q_TEMPERATURE = (
    0.01  # for a teacher whose outputs are Q values, as published: these lie close together, its policy is sharp
)
LOSSES = ("kl", "nll", "mse")


def kl(xp: ModuleType, teacher: Array, student: Array, temperature: float = 1.0) -> Array:
    """Nats [N] from the teacher's policy to the student's: KL(softmax(teacher / temperature) || softmax(student)).

    Args:
        teacher: [N, A] logits of a policy, or Q values.
        student: [N, A] logits, or Q values taken as such; the temperature is not of them.
        temperature: above 0; below 1 the teacher's policy is sharper than its outputs are.
    """
    check_outputs(teacher, student)
    wanted = xp.log_softmax(xp.stop_gradient(teacher) / temperature)
    return xp.sum(xp.exp(wanted) * (wanted - xp.log_softmax(student)), axis=1)


def nll(xp: ModuleType, teacher: Array, student: Array) -> Array:
    """Nats [N]: the negative log likelihood of the teacher's best action under the student's policy; of ties the first.

    Args:
        teacher, student: [N, A] as for `kl`.
    """
    check_outputs(teacher, student)
    return -xp.select(xp.log_softmax(student), xp.argmax(xp.stop_gradient(teacher), axis=1))


def mse(xp: ModuleType, teacher: Array, student: Array) -> Array:
    """The squared distance [N] between what the teacher gives for the actions and what the student gives: summed over them, as published.

    Args:
        teacher, student: [N, A] both Q values, or both logits.
    """
    check_outputs(teacher, student)
    return xp.sum(xp.square(xp.stop_gradient(teacher) - student), axis=1)


def distance(
    xp: ModuleType, kind: str, teacher: Array, student: Array, temperature: float, student_temperature: float = 1.0
) -> Array:
    """How far [N] the student is from the teacher by one of `LOSSES`.

    Args:
        temperature: of the teacher, which `kl` alone asks for.
        student_temperature: by which the student's outputs are divided first where they are to be a policy (`kl`, `nll`): that of the
            teacher, where both give Q values and the student's must stay such.
    """
    if kind == "mse":
        return mse(xp, teacher, student)
    student = student / student_temperature
    return nll(xp, teacher, student) if kind == "nll" else kl(xp, teacher, student, temperature)


def check_outputs(teacher: Array, student: Array) -> None:
    check_arrays(teacher=(teacher, "NA", "float"), student=(student, "NA", "float"))
