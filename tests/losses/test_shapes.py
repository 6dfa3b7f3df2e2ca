"""What does not fit is refused at the entry of every loss and return: each argument, with each mistake."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest

from tests.parity import ladder, memory_ladder, policy_ladder
from triptych.algorithms import a2c, dqn, drqn
from triptych.buffers import advantages
from triptych.frameworks import numpy_ops
from triptych.losses import policy, value
from triptych.losses.shapes import check_arrays
from triptych.spec import LSTM, Dense
from triptych.spec.batches import Rollout

T, B, A = 4, 3, 2
RNG = np.random.default_rng(0)


def floats(*shape: int) -> np.ndarray:
    return RNG.random(shape)


def acting(obs: np.ndarray, state: np.ndarray, reset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return floats(*reset.shape, A + 1), state


def evaluated(burn_in: int, **fields: Any) -> policy.Evaluated:
    return policy.evaluate_actions(numpy_ops, acting, Rollout(**fields), burn_in)


def total(**parts: Any) -> Any:
    return policy.total_loss(parts, 0.5, parts.pop("entropy_weight"))


Q: dict[str, np.ndarray] = {
    "q_tm1": floats(B, A),
    "a_tm1": np.zeros(B, np.int32),
    "r_t": floats(B),
    "discount_t": floats(B),
}
ROLLOUT: dict[str, np.ndarray] = {
    "obs": np.zeros((T, B, 2, 5, 5), np.uint8),
    "reset": np.zeros((T, B), bool),
    "state": floats(B, 6),
    "action": np.zeros((T, B), np.int32),
    **{name: floats(T, B) for name in ("log_prob", "advantage", "returns", "mask")},
    "entropy_weight": floats(),
    "clip": floats(),
}
TB = {"x": floats(T, B), "mask": np.ones((T, B))}
CASES: dict[str, tuple[Callable[..., Any], dict[str, np.ndarray]]] = {
    "q_learning": (partial(value.q_learning, numpy_ops), Q | {"q_t": floats(B, A)}),
    "double_q_learning": (
        partial(value.double_q_learning, numpy_ops),
        Q | {"q_t_value": floats(B, A), "q_t_selector": floats(B, A)},
    ),
    "temporal_difference": (
        partial(value.temporal_difference, numpy_ops),
        Q | {"q_t": floats(B, A), "q_t_selector": floats(B, A)},
    ),
    "huber": (partial(value.huber, numpy_ops, delta=1.0), {"error": floats(T, B)}),
    "squared": (partial(value.squared, numpy_ops), {"error": floats(T, B)}),
    "absolute": (partial(value.absolute, numpy_ops), {"error": floats(T, B)}),
    "loss_of_error": (partial(value.loss_of_error, numpy_ops, kind="huber", delta=1.0), {"error": floats(T, B)}),
    "sequence_priority": (partial(value.sequence_priority, numpy_ops), {"error": floats(T, B), "mask": floats(T, B)}),
    "evaluate_actions": (partial(evaluated, 0), ROLLOUT),
    "evaluate_actions with burn-in": (partial(evaluated, 2), ROLLOUT),
    "masked_mean": (partial(policy.masked_mean, numpy_ops), TB),
    "normalised": (partial(policy.normalised, numpy_ops), TB),
    "entropy": (partial(policy.entropy, numpy_ops), {"log_probs": floats(T, B, A)}),
    "clipped_surrogate": (
        partial(policy.clipped_surrogate, numpy_ops),
        {"log_ratio": floats(T, B), "advantage": floats(T, B), "clip": floats()},
    ),
    "total_loss": (
        total,
        {name: floats() for name in ("policy_loss", "value_loss", "entropy", "entropy_weight")},
    ),
    "generalised_advantages": (
        partial(advantages.generalised_advantages, decay=0.9),
        {
            "reward": floats(T, B),
            "discount": floats(T, B),
            "last": np.zeros((T, B), bool),
            "value": floats(T + 1, B),
        },
    ),
}
ANY_SHAPE = {"huber", "squared", "absolute", "loss_of_error"}  # elementwise, of one array


def mistakes(name: str, array: np.ndarray, alone: bool, any_shape: bool) -> Iterator[tuple[str, np.ndarray]]:
    """Arrays in another's place, and what is wrong with each. `alone`: there is no other float to disagree with."""
    if name != "obs" and not any_shape:
        yield "an axis more", array[..., None]
    if array.ndim and not any_shape and name != "log_probs":  # whose axes nothing else knows
        if name != "state":  # whose last axis is the network's
            yield "longer", np.repeat(array, 2, axis=min(1, array.ndim - 1))
        yield "an axis less", array[0]
    if name == "obs":
        return
    if array.dtype == np.float64:
        yield "int64", array.astype(np.int64)
        yield "bool", array.astype(bool)
        if not alone:
            yield "float32", array.astype(np.float32)
    else:
        yield "float64", array.astype(np.float64)


def error_of(call: Callable[[], Any]) -> str:
    """What its ValueError says; '' where there is none."""
    try:
        call()
    except ValueError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("case", CASES)
def test_every_argument_is_checked(case: str) -> None:
    function, given = CASES[case]
    function(**given)  # as it should be
    ignored = {"entropy_weight", "clip"} if case.startswith("evaluate") else set()
    tried = 0
    for name, array in given.items():
        if name in ignored:
            continue
        for mistake, wrong in mistakes(name, array, len(given) == 1, case in ANY_SHAPE):
            said = error_of(partial(function, **given | {name: wrong}))
            assert " has shape " in said or " has dtype " in said, f"{case} takes {name}: {mistake}"
            tried += 1
    assert tried >= 2 * (len(given) - len(ignored)) - 2


def test_the_message_names_both() -> None:
    with pytest.raises(ValueError, match=r"r_t has shape \(3, 1\); expected \[B\]"):
        value.q_learning(numpy_ops, **Q | {"q_t": floats(B, A), "r_t": floats(B, 1)})
    with pytest.raises(ValueError, match=r"q_t has shape \(3, 4\) and dtype float64: A is 4, but 2 in q_tm1"):
        value.q_learning(numpy_ops, **Q | {"q_t": floats(B, 4)})
    with pytest.raises(ValueError, match="r_t has dtype int64; expected float"):
        value.q_learning(numpy_ops, **Q | {"q_t": floats(B, A), "r_t": np.zeros(B, np.int64)})
    with pytest.raises(ValueError, match=r"obs has shape \(4,\); expected \[T, B\.\.\.\]"):
        check_arrays(obs=(np.zeros(4), "TB...", "any"))


BAD = {
    "an axis more": lambda array: array[..., None],
    "another dtype": lambda array: array.astype(np.int64 if array.dtype == np.float64 else np.float64),
}


def refused(learner: Any, batch: Any, names: tuple[str, ...]) -> None:
    learner.update(batch, 1e-3)
    for name in names:
        for mistake, change in BAD.items():
            said = error_of(partial(learner.update, batch._replace(**{name: change(getattr(batch, name))}), 1e-3))
            assert " has shape " in said or " has dtype " in said, f"{name}: {mistake}"


def test_dqn_refuses_it_in_every_framework(framework: str) -> None:
    batch = ladder.make_batch(ladder.VECTOR, np.random.default_rng(1))
    refused(ladder.make_learner(framework, ladder.VECTOR), batch, ("action", "reward", "discount", "weight"))
    config = dqn.Config(double=True)
    refused(ladder.make_learner(framework, ladder.VECTOR, config=config), batch, ("reward", "weight"))


def test_drqn_refuses_it_in_every_framework(framework: str) -> None:
    network = drqn.network(memory_ladder.CONFIG, memory_ladder.VECTOR, (Dense(4), LSTM(3)), memory_ladder.ACTIONS)
    batch = memory_ladder.make_batch(network, np.random.default_rng(1))
    names = ("action", "reward", "discount", "ahead", "mask", "weight", "reset")
    refused(memory_ladder.make_learner(framework, network), batch, names)


def test_an_actor_critic_refuses_it_in_every_framework(framework: str) -> None:
    config = a2c.Config(rollout_steps=policy_ladder.STEPS)
    network = policy_ladder.make_net("none", config)
    batch = policy_ladder.make_batch(network, config, np.random.default_rng(1))
    names = ("action", "advantage", "returns", "mask", "log_prob", "reset", "entropy_weight")
    refused(policy_ladder.make_learner(framework, network, config), batch, names)
