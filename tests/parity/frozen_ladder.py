"""The rungs of frozen layers: no gradient, no moments, not in the norm, and from the thaw on a count of updates of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.parity.ladder import PICTURE, VECTOR, close, make_batch, make_learner, make_net
from triptych.spec import Adam, Observation, Optimiser, RMSprop
from triptych.spec.reuse import selected
from triptych.utils.checks import InputError

ADAM = Adam(learning_rate=1e-2, epsilon=1e-3, max_norm=0.02)
RMS = RMSprop(learning_rate=1e-2, decay=0.9, epsilon=1e-3, max_norm=0.02)
UPDATES = 3  # with frozen layers, and as many after the thaw


def frozen_of(observation: Observation, *words: str) -> tuple[str, ...]:
    return selected(words, make_net(observation).tensors(), "freeze")


Case = tuple[Observation, tuple[str, ...], Optimiser]
QUICK: Case = (VECTOR, ("dense_1", "head"), ADAM)
CASES: tuple[Case, ...] = (QUICK, (PICTURE, ("conv_1", "dense"), ADAM), (VECTOR, ("dense_2",), RMS))


def check_frozen(framework: str, cases: tuple[Case, ...] = CASES) -> None:
    """Frozen from the start, then thawed; each update against NumPy, from the gradients of a learner that freezes nothing."""
    for observation, words, optimiser in cases:
        learner, free = (make_learner(framework, observation, optimiser) for _ in range(2))
        frozen, rng = frozen_of(observation, *words), np.random.default_rng(31)
        learner.freeze(frozen)
        counts = dict.fromkeys(set(make_net(observation).tensors()) - set(frozen), 0)
        for step in range(1, UPDATES + 1):
            check_step(framework, learner, free, make_batch(observation, rng), optimiser, counts, step)
        before = learner.get_state()
        learner.freeze(())
        for name, value in learner.get_state().items():
            if "/since/" not in name:  # what thaws has moments now, of 0; nothing else changes
                close(framework, f"{name} after the thaw alone", value, before.get(name, np.zeros_like(value)), 0)
        counts |= dict.fromkeys(frozen, 0)
        if optimiser.kind == "adam":
            since = {name: value for name, value in learner.get_state().items() if "/since/" in name}
            assert since == {f"adam/since/{name}": UPDATES for name in frozen}, f"{framework}: {since}"
        for step in range(UPDATES + 1, 2 * UPDATES + 1):
            check_step(framework, learner, free, make_batch(observation, rng), optimiser, counts, step)


def check_step(
    framework: str, learner: Any, free: Any, batch: Any, optimiser: Optimiser, counts: dict[str, int], step: int
) -> None:
    """One update of the tensors in `counts`, which are their updates so far, and of no other."""
    before, rate = learner.get_state(), 1e-2 / step
    free.set_weights(learner.get_weights())
    gradients, _ = free.gradients(batch)
    found, _ = learner.gradients(batch)
    assert found.keys() == counts.keys(), f"{framework}: gradients of {sorted(found)} at step {step}"
    for name, gradient in found.items():
        close(framework, f"gradient of {name}", gradient, gradients[name], step=step)
    norm = np.sqrt(sum(np.square(gradients[name]).sum() for name in counts))
    close(framework, "gradient norm", learner.update(batch, rate)["gradient_norm"], norm, step=step)
    assert norm > optimiser.max_norm, f"{framework}: nothing is clipped"  # type: ignore[operator]
    after, kind = learner.get_state(), optimiser.kind
    assert int(after[f"{kind}/step"]) == step
    for name in make_names(learner):
        moved = f"online/{name}"
        if name not in counts:
            assert (after[moved] == before[moved]).all(), f"{framework}: {name} is frozen and moves at step {step}"
            left = [key for key in after if key.startswith(f"{kind}/") and key.endswith(f"/{name}")]
            assert not left, f"{framework}: {name} is frozen and has {left}"
            continue
        counts[name] += 1
        g = gradients[name] * (optimiser.max_norm / norm)
        m = before.get(f"{kind}/m/{name}", np.zeros_like(g)), before.get(f"{kind}/v/{name}", np.zeros_like(g))
        step_of_it = by_hand(optimiser, g, *m, counts[name])
        close(framework, moved, after[moved], before[moved] - rate * step_of_it, step=step)


def make_names(learner: Any) -> list[str]:
    return list(learner.network.tensors())


def by_hand(optimiser: Optimiser, g: Any, m: Any, v: Any, count: int) -> Any:
    """The step of an optimiser at learning rate 1, at a tensor's update of that number."""
    if isinstance(optimiser, RMSprop):
        return g / np.sqrt(optimiser.decay * v + (1 - optimiser.decay) * g**2 + optimiser.epsilon)
    assert isinstance(optimiser, Adam)
    m = optimiser.beta_1 * m + (1 - optimiser.beta_1) * g
    v = optimiser.beta_2 * v + (1 - optimiser.beta_2) * g**2
    m_hat, v_hat = m / (1 - optimiser.beta_1**count), v / (1 - optimiser.beta_2**count)
    return m_hat / (np.sqrt(v_hat) + optimiser.epsilon)


def check_halves(framework: str) -> None:
    """`gradients` and then `apply` is `update`, with frozen layers and after a thaw; a gradient of what is frozen is refused."""
    tolerance = 0 if framework == "torch" else 1e-12
    whole, halves = (make_learner(framework, PICTURE, ADAM) for _ in range(2))
    frozen, rng = frozen_of(PICTURE, "conv"), np.random.default_rng(32)
    full, _ = halves.gradients(make_batch(PICTURE, rng))
    for names in (frozen, ()):
        whole.freeze(names)
        halves.freeze(names)
        for step in (1, 2):
            batch = make_batch(PICTURE, rng)
            halves.apply(halves.gradients(batch)[0], 1e-2)
            whole.update(batch, 1e-2)
            for name, value in whole.get_state().items():
                close(framework, name, halves.get_state()[name], value, tolerance, step)
        if names:
            with pytest.raises(InputError, match=r"gradients: tensor conv_1/.* is not part of this network"):
                halves.apply(full, 1e-2)


def check_state(framework: str, others: tuple[str, ...]) -> None:
    """The state before the thaw, and after it, goes to another learner, which learns the same from there on."""
    first, rng = make_learner(framework, VECTOR, ADAM), np.random.default_rng(33)
    for names in (frozen_of(VECTOR, "dense_1", "head"), ()):
        first.freeze(names)
        first.update(make_batch(VECTOR, rng), 1e-2)
        state, batch = first.get_state(), make_batch(VECTOR, rng)
        first.update(batch, 1e-2)
        for name in others:
            other = make_learner(name, VECTOR, ADAM)
            other.set_state(state)
            assert set(other.frozen) == set(names), f"{name}: {other.frozen} is frozen"
            taken = other.get_state()
            assert taken.keys() == state.keys(), f"{name}: {sorted(taken.keys() ^ state.keys())}"
            for tensor, value in taken.items():
                close(name, tensor, value, state[tensor], 0)
            other.update(batch, 1e-2)
            for tensor, value in first.get_state().items():
                close(name, tensor, other.get_state()[tensor], value)


def check_stream(names: tuple[str, ...], updates: int, observation: Observation = VECTOR) -> None:
    """Every framework on one stream, frozen for the first half: losses and all tensors agree."""
    learners = {name: make_learner(name, observation, Adam(learning_rate=1e-3)) for name in names}
    streams = {name: np.random.default_rng(34) for name in names}
    first = names[0]
    for update in range(1, updates + 1):
        for learner in learners.values():
            learner.freeze(
                frozen_of(observation, "conv_1" if observation.is_picture else "dense_1") * (update <= updates // 2)
            )
        losses = {n: float(learners[n].update(make_batch(observation, streams[n]), 1e-3)["loss"]) for n in names}
        for name in names[1:]:
            close(name, "loss", losses[name], losses[first], step=update)
        if update % 50 == 0:
            states = {}
            for name, learner in learners.items():
                learner.sync_target()
                states[name] = learner.get_state()
            for name in names[1:]:
                assert states[name].keys() == states[first].keys(), f"{name}: other tensors at step {update}"
                for tensor, value in states[first].items():
                    close(name, tensor, states[name][tensor], value, step=update)
