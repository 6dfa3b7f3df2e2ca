"""Each switch of Q-learning on an example worked out by hand, in the three frameworks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.buffers.replays import make_replay
from triptych import frameworks
from triptych.algorithms import dqn
from triptych.buffers.store import Row, Store
from triptych.frameworks import FRAMEWORKS
from triptych.spec import Adam, Dense, Observation
from triptych.spec.batches import Transition

NUMBER = Observation((1,), "float64")
TARGET = {"head/kernel": np.array([[2.0, 1.0]]), "head/bias": np.array([1.0, 0.0])}  # Q(1) = 3 1, Q(2) = 5 2
ONLINE = {"head/kernel": np.array([[1.0, 3.0]]), "head/bias": np.array([0.0, -1.0])}  # Q(1) = 1 2, Q(2) = 2 5
# The first goes from 1 to 2 by action 0 with reward 1; the second ends at once by action 1 with reward 0.
BATCH = Transition(
    obs=np.array([[1.0], [1.0]]),
    action=np.array([0, 1], np.int32),
    reward=np.array([1.0, 0.0]),
    discount=np.array([0.5, 0.0]),
    next_obs=np.array([[2.0], [2.0]]),
    weight=np.array([1.0, 1.0]),
)


def update(framework: str, batch: Transition, **switches: Any) -> tuple[list[float], float]:
    """TD errors and loss of one update from the two networks above."""
    config = dqn.Config(**{"delta": 1.0, **switches})
    network = dqn.network(config, NUMBER, (), 2)
    learner = frameworks.load(framework).Learner(network, dqn.make_loss(config), Adam(), TARGET, "float64")
    learner.set_weights(ONLINE)
    found = learner.update(batch, 0.0)
    return learner.to_numpy(found["td_error"]).tolist(), float(found["loss"])


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize(
    ("switches", "errors", "loss"),
    [
        ({}, [1 + 0.5 * 5 - 1, 0 - 2], (2.0 + 1.5) / 2),  # Huber: |e| - 1/2 beyond 1
        ({"double": True}, [1 + 0.5 * 2 - 1, 0 - 2], (0.5 + 1.5) / 2),  # online prefers action 1, which the target holds worth 2
        ({"loss": "squared"}, [2.5, -2.0], (6.25 + 4) / 2),
        ({"loss": "absolute"}, [2.5, -2.0], (2.5 + 2) / 2),
    ],
    ids=["plain", "double", "squared", "absolute"],
)  # fmt: skip
def test_one_step(framework: str, switches: dict[str, Any], errors: list[float], loss: float) -> None:
    assert update(framework, BATCH, **switches) == (errors, loss)


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize(("loss", "expected"), [("huber", 2.75 / 2), ("squared", 8.25 / 2), ("absolute", 3.5 / 2)])
def test_no_loss_drops_the_weights(framework: str, loss: str, expected: float) -> None:
    weighted = BATCH._replace(weight=np.array([1.0, 0.5]))
    assert update(framework, weighted, loss=loss) == ([2.5, -2.0], expected)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_two_steps(framework: str) -> None:
    """From 1 with rewards 1 and 2 to 2, gamma 1/2: 1 + 2/2 + 5/4 - 1 = 2.25."""
    store = Store(20, 1, Observation((1,), "float64"))
    for seen, reward in ((1.0, 1.0), (9.0, 2.0), (2.0, 0.0), (9.0, 0.0)):
        store.add(Row(np.array([[seen]]), np.zeros(1), np.array([reward]), np.zeros(1, bool), np.ones(1, bool)))
    batch = make_replay(store, 0.5, "raw", "float64", n_step=2).batch(np.zeros(1, int), np.zeros(1, int))
    assert update(framework, batch) == ([2.25], 1.75)


def test_priorities() -> None:
    """Errors 0.99, 3.99 and 0 get 0.01 more; at alpha 1/2 they weigh 1, 2 and 0.1 of 3.1, in proportion to their chances."""
    store = Store(20, 1, Observation((1,), "float64"))
    replay = make_replay(store, 0.5, "raw", "float64", alpha=0.5)
    for _ in range(4):
        store.add(Row(np.ones((1, 1)), np.zeros(1), np.zeros(1), np.zeros(1, bool), np.ones(1, bool)))
    rng = np.random.default_rng(0)
    replay.sample(rng, 3)
    replay.sampler.drawn = np.arange(3)
    replay.learned(lambda: np.array([0.99, -3.99, 0.0]))
    assert replay.sampler.tree.get(np.arange(4)) == pytest.approx([1.0, 2.0, 0.1, 0.0])
    batch = replay.sample(rng, 310, beta=0.5)  # a sample from each hundredth of the sum
    assert np.bincount(replay.sampler.drawn).tolist() == [100, 200, 10]
    by_hand = np.array([3.1 / 3, 3.1 / 6, 3.1 / 0.3]) ** 0.5  # (1 / (3 chance))^beta, then over the largest
    assert batch.weight == pytest.approx((by_hand / by_hand[2])[replay.sampler.drawn])


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_dueling(framework: str) -> None:
    """At 1 the value is 3 * 2 + 1 = 7 and the advantages are 4 and 7, whose mean is 5.5."""
    config = dqn.Config(dueling=True)
    network = dqn.network(config, NUMBER, (Dense(1),), 2)
    [name] = {tensor.partition("/")[0] for tensor in network.tensors()}
    numbers = {
        "value_hidden": ([[2.0]], [0.0]), "value": ([[3.0]], [1.0]), "advantage_hidden": ([[1.0]], [0.0]), "advantage": ([[4.0, 6.0]], [0.0, 1.0]),
    }  # fmt: skip
    weights = {
        f"{name}/{stream}_{part}": np.array(values)
        for stream, both in numbers.items()
        for part, values in zip(("kernel", "bias"), both, strict=True)
    }
    learner = frameworks.load(framework).Learner(network, dqn.make_loss(config), Adam(), weights, "float64")
    assert learner.act(np.array([[1.0]]))[0].tolist() == [[5.5, 8.5]]
