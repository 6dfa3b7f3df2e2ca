"""Whether each coefficient of the loss is used: moved by a tenth, it moves the gradient of a made batch."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from triptych.algorithms import definition
from triptych.checkup.findings import Finding, Signal
from triptych.checkup.probes.learning import tensors
from triptych.checkup.probes.subject import Subject
from triptych.spec.batches import Rollout

MOVED = 1.1  # times the coefficient
WIDER = 100.0  # times the clip range: then nothing is clipped, where most samples were; a tenth may change none of them
SAMPLES, STRETCH = 8, 30.0

IGNORED = Signal(
    "coefficient-ignored", "warn", "a coefficient of the loss does nothing",
    ("a term that never reaches the loss, or is multiplied by 0", "a number that is written into the loss in the setting's place"),
    "the loss; algorithm.value_weight, entropy_weight, clip, delta",
)  # fmt: skip


def coefficients(subject: Subject) -> Iterator[Finding]:
    """Those of the algorithm's settings that its loss is made with, and those that come with each batch."""
    with subject.restored() as state:
        opinionated(subject, state)
        batch, parts = clipped(subject, subject.batch(SAMPLES)), dict[str, Any]()
        begun = gradients(subject.learner, batch)
        for name in in_batches(subject):
            moved = np.asarray(factor(name) * getattr(batch, name), getattr(batch, name).dtype)
            parts[name] = gradients(subject.learner, batch._replace(**{name: moved}))
        for name in in_settings(subject):
            config = dataclasses.replace(subject.config, **{name: MOVED * getattr(subject.config, name)})
            parts[name] = gradients(another(subject, definition(config).make_loss(config)), batch)
    for name, found in parts.items():
        if all(np.array_equal(begun[one], found[one]) for one in begun):
            yield Finding(IGNORED, f"{name} times {factor(name):g} changes no gradient of a batch", "another gradient")


def factor(name: str) -> float:
    return WIDER if name == "clip" else MOVED


def in_batches(subject: Subject) -> list[str]:
    """Coefficients that follow a schedule: a batch brings their numbers."""
    if subject.kind is not Rollout:
        return []
    return ["entropy_weight", *(["clip"] if "clip_fraction" in subject.config.metrics else [])]


def in_settings(subject: Subject) -> list[str]:
    """Coefficients that the loss is made with; none where all of the loss is computed in NumPy as well."""
    if subject.is_ours and not subject.unknown:
        return []
    names = {field.name for field in dataclasses.fields(subject.config)}
    found = [name for name in ("value_weight",) if name in names and getattr(subject.config, name)]
    return found + (["delta"] if "delta" in names and subject.config.loss == "huber" else [])


def opinionated(subject: Subject, state: dict[str, np.ndarray]) -> None:
    """A policy that has an opinion: at that of a start, which has none, entropy has no slope."""
    for name, array in state.items():
        if name.startswith("online/") and name.endswith("policy_kernel"):
            state[name] = (STRETCH * array).astype(array.dtype)
    subject.learner.set_state(state)


def another(subject: Subject, loss: Any) -> Any:
    """A learner with another loss."""
    make: Any = type(subject.learner)
    weights = tensors(subject.learner.get_state(), "online/")
    learner = make(subject.network, loss, subject.recipe.optimiser, weights, subject.recipe.precision)
    if subject.learner.frozen:
        learner.freeze(subject.learner.frozen)
    learner.set_state(subject.learner.get_state())
    return learner


def clipped(subject: Subject, batch: Any) -> Any:
    """A rollout most of whose actions have become likelier where that is a gain, and less likely where it is none: so PPO clips them."""
    if subject.kind is not Rollout:
        return batch
    gain = np.sign(batch.advantage - batch.advantage.mean())
    return batch._replace(log_prob=np.asarray(np.log(1 / subject.actions) - gain, batch.log_prob.dtype))


def gradients(learner: Any, batch: Any) -> dict[str, np.ndarray]:
    return {name: np.array(gradient) for name, gradient in learner.gradients(batch)[0].items()}
