"""The rungs of a teacher: its distance beside each kind of loss, by NumPy, by finite differences, and on one stream."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tests.parity import ladder, memory_ladder, policy_ladder
from tests.parity.ladder import close
from triptych import frameworks
from triptych.algorithms import dqn, drqn, ppo
from triptych.algorithms.teaching import Lesson, taught
from triptych.frameworks import numpy_ops
from triptych.spec import Adam, Network
from triptych.spec.batches import Taught, Transition
from triptych.spec.weights import initial_weights

WEIGHT = 0.7
STEP = 1e-6  # of the finite differences
MEMORY, ROLLOUTS = memory_ladder.CONFIG, policy_ladder.CONFIGS["ppo-burn-in"]
WHOLE = dataclasses.replace(MEMORY, burn_in=0)


class Case(NamedTuple):
    """A student, what it learns from, and how."""

    network: Network
    loss: Any
    batch: Callable[[np.random.Generator], Any]
    lesson: Lesson


def lesson_of(loss: str = "kl", **changes: Any) -> Lesson:
    plain = {"temperature": 0.3, "student_temperature": 1.0, "alone": False, "is_actor": False, "burn_in": 0}
    return Lesson(loss, **plain | changes)


def make_cases() -> dict[str, Case]:
    """Transitions, sequences with a burn-in and padding, rollouts with a burn-in and masks; each loss, alone and beside."""
    vector, picture = (ladder.make_net(observation) for observation in (ladder.VECTOR, ladder.PICTURE))
    lstm, actor = memory_ladder.make_net("lstm", MEMORY), policy_ladder.make_net("lstm", ROLLOUTS)
    transitions = dqn.make_loss(ladder.CONFIG)
    sequences, rollouts = drqn.make_loss(MEMORY), ppo.make_loss(ROLLOUTS)
    steps = policy_ladder.CONFIGS["ppo"]  # all of them learned from

    def vectors(rng: np.random.Generator) -> Any:
        return ladder.make_batch(ladder.VECTOR, rng)

    return {
        "dqn": Case(vector, transitions, vectors, lesson_of(student_temperature=0.3)),
        "dqn, alone": Case(vector, transitions, vectors, lesson_of(alone=True)),
        "pictures": Case(
            picture, transitions, lambda rng: ladder.make_batch(ladder.PICTURE, rng), lesson_of("nll")
        ),
        "double": Case(
            vector, dqn.make_loss(dataclasses.replace(ladder.CONFIG, double=True)), vectors, lesson_of("nll")
        ),
        "squared": Case(vector, transitions, vectors, lesson_of("mse")),
        "drqn": Case(
            lstm, sequences, lambda rng: memory_ladder.make_batch(lstm, rng, MEMORY), lesson_of(burn_in=MEMORY.burn_in)
        ),
        "ppo": Case(
            actor, rollouts, lambda rng: policy_ladder.make_batch(actor, ROLLOUTS, rng),
            lesson_of(is_actor=True, burn_in=2),
        ),
        "drqn, whole": Case(
            lstm, drqn.make_loss(WHOLE), lambda rng: memory_ladder.make_batch(lstm, rng, WHOLE), lesson_of("nll")
        ),
        "ppo, whole": Case(
            actor, ppo.make_loss(steps), lambda rng: policy_ladder.make_batch(actor, steps, rng),
            lesson_of(is_actor=True, alone=True),
        ),
    }  # fmt: skip


def make_learner(framework: str, case: Case, loss: Any) -> Any:
    """Its weights are large enough that observations differ in their best action."""
    rng = np.random.default_rng(5)
    weights = {
        name: 2 * array + 0.5 * rng.standard_normal(array.shape)
        for name, array in initial_weights(case.network, np.random.default_rng(4)).items()
    }
    return frameworks.load(framework).Learner(case.network, loss, Adam(learning_rate=1e-3), weights, "float64")


def with_teacher(case: Case, batch: Any, rng: np.random.Generator) -> Taught:
    """A batch, and outputs of a teacher made up for it."""
    steps = batch.action.shape if isinstance(batch, Transition) else np.shape(learned(case, batch).action)
    outputs = rng.standard_normal((*steps, actions_of(case)))
    return Taught(batch, outputs, np.asarray(WEIGHT))


def learned(case: Case, batch: Any) -> Any:
    """A batch whose actions are those that are learned from."""
    return batch._replace(action=batch.action[case.lesson.burn_in :]) if case.lesson.is_actor else batch


def actions_of(case: Case) -> int:
    return ladder.ACTIONS


def after_burn_in(learner: Any, case: Case, batch: Any) -> np.ndarray | None:
    """The state with which the steps that are learned from begin; None of transitions."""
    if isinstance(batch, Transition):
        return None
    state: np.ndarray = batch.state
    for obs, reset in zip(batch.obs[: case.lesson.burn_in], batch.reset[: case.lesson.burn_in], strict=True):
        _, state = learner.act(obs, state, reset)
    return state


def student_outputs(learner: Any, case: Case, batch: Any, state: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """What the student gives from a state, step by step as in play: rows [N, A] of all that is learned from, and which of them count."""
    if isinstance(batch, Transition):
        outputs, _ = learner.act(batch.obs)
        return outputs, np.ones(len(outputs))
    start, rows = case.lesson.burn_in, []
    mask = batch.mask[start:] if case.lesson.is_actor else batch.mask
    for obs, reset in zip(batch.obs[start:], batch.reset[start:], strict=True):
        outputs, state = learner.act(obs, state, reset)
        rows.append(outputs[:, :-1] if case.lesson.is_actor else outputs)
    return np.concatenate(rows[: len(mask)]), mask.ravel()


def by_hand(learner: Any, case: Case, batch: Taught, state: np.ndarray | None) -> float:
    """The distance to the teacher, from its definition; `state` as `after_burn_in` gives it."""
    lesson = case.lesson
    student, mask = student_outputs(learner, case, batch.batch, state)
    teacher = batch.teacher.reshape(student.shape)
    if lesson.loss == "mse":
        far = np.square(teacher - student).sum(axis=1)
    else:
        log_q = numpy_ops.log_softmax(student / lesson.student_temperature)
        log_p = numpy_ops.log_softmax(teacher / lesson.temperature)
        best = teacher.argmax(axis=1)
        far = -log_q[np.arange(len(best)), best] if lesson.loss == "nll" else (np.exp(log_p) * (log_p - log_q)).sum(1)
    return float((far * mask).sum() / mask.sum())


def check_loss(framework: str, names: tuple[str, ...] | None = None) -> None:
    """The loss is the algorithm's own and the weighted distance, and its gradient is that of both."""
    for name, case in make_cases().items():
        if names is not None and name not in names:
            continue
        rng = np.random.default_rng(11)
        plain, student = (
            make_learner(framework, case, case.loss),
            make_learner(framework, case, taught(case.loss, case.lesson)),
        )
        batch = with_teacher(case, case.batch(rng), rng)
        own, reported = plain.gradients(batch.batch)
        found, aux = student.gradients(batch)
        far = by_hand(student, case, batch, after_burn_in(student, case, batch.batch))
        close(framework, f"teacher_loss of {name}", aux["teacher_loss"], far)
        close(framework, f"loss of {name}", aux["loss"], WEIGHT * far + (0 if case.lesson.alone else reported["loss"]))
        close(framework, f"error of {name}", aux["td_error"], reported["td_error"])
        check_gradient(framework, name, case, student, batch, own, found)
        untaught, after = student.gradients(batch.batch)
        close(framework, f"loss of {name} without a teacher", after["loss"], reported["loss"])
        assert float(after["teacher_loss"]) == 0
        for tensor, gradient in untaught.items():
            close(framework, f"gradient of {tensor} in {name} without a teacher", gradient, own[tensor])


def check_gradient(
    framework: str, name: str, case: Case, student: Any, batch: Taught, own: dict[str, Any], found: dict[str, Any]
) -> None:
    """Along a random direction, against finite differences of the distance and the algorithm's own gradient.

    No gradient passes through a burn-in, though the distance depends on it: the state behind it is the same at both ends.
    """
    held = after_burn_in(student, case, batch.batch)
    weights, rng = student.get_weights(), np.random.default_rng(12)
    direction = {tensor: rng.standard_normal(array.shape) for tensor, array in weights.items()}
    ends = []
    for sign in (1, -1):
        student.set_weights({tensor: array + sign * STEP * direction[tensor] for tensor, array in weights.items()})
        refresh(student)
        ends.append(by_hand(student, case, batch, held))
    student.set_weights(weights)
    refresh(student)
    slope = WEIGHT * (ends[0] - ends[1]) / (2 * STEP)
    slope += 0 if case.lesson.alone else sum(float((own[t] * direction[t]).sum()) for t in weights)
    along = sum(float((found[t] * direction[t]).sum()) for t in weights)
    close(framework, f"gradient of {name}", along, slope, 1e-6)


def refresh(learner: Any) -> None:
    """Whatever a framework keeps beside its weights follows them."""
    learner.set_state(learner.get_state())


def check_stream(names: tuple[str, ...], case_name: str, updates: int) -> None:
    """Every framework on one stream, the teacher's weight falling to 0 in the middle: losses and all tensors agree."""
    case = make_cases()[case_name]
    learners = {name: make_learner(name, case, taught(case.loss, case.lesson)) for name in names}
    rng, first = np.random.default_rng(13), names[0]
    for update in range(1, updates + 1):
        batch: Any = with_teacher(case, case.batch(rng), rng)
        weight = 1 - 2 * update / updates
        batch = batch._replace(weight=np.asarray(weight)) if weight > 0 else batch.batch
        losses = {name: float(learner.update(batch, 1e-3)["loss"]) for name, learner in learners.items()}
        for name in names[1:]:
            close(name, "loss", losses[name], losses[first], step=update)
        if update % 50 == 0:
            for learner in learners.values():
                learner.sync_target()
            expected = learners[first].get_state()
            for name in names[1:]:
                for tensor, value in learners[name].get_state().items():
                    close(name, tensor, value, expected[tensor], step=update)
