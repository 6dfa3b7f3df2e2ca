"""What a pixel does to a choice: each framework's gradient against finite differences of the oracle, and against each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.parity import memory_ladder
from tests.parity.ladder import ACTIONS, BOTH, CONFIG, NAMES, VECTOR, close, make_weights, numpy_forward
from tests.parity.memory_oracle import unroll
from triptych import frameworks
from triptych.algorithms import dqn
from triptych.frameworks import numpy_ops
from triptych.spec import Adam, Conv, Dense, Flatten, FrameDifference, Layer, Network, Observation, parts_of, whole_of
from triptych.training.saliency import log_probability, q_value

PICTURE, COLOUR = Observation((3, 9, 8), "uint8"), Observation((2, 6, 5, 3), "uint8")
BODY: tuple[Layer, ...] = (Conv(8, 4, 2), Conv(6, 2, 1), Flatten(), Dense(12))
CASES: dict[str, tuple[Observation, tuple[Layer, ...], Any]] = {
    "picture": (PICTURE, (*BODY, Dense(ACTIONS, "linear")), q_value),
    "picture-policy": (PICTURE, (*BODY, Dense(ACTIONS + 1, "linear")), log_probability),
    "colour": (COLOUR, (Conv(4, 3, 1), Flatten(), Dense(ACTIONS, "linear")), q_value),
    "difference": (COLOUR, (FrameDifference(), Flatten(), Dense(6), Dense(ACTIONS, "linear")), q_value),
    "vector": (VECTOR, (Dense(16), Dense(ACTIONS + 1, "linear")), log_probability),
    "both": (BOTH, (Conv(2, 8, 4), Flatten(), Dense(7), Dense(ACTIONS, "linear")), q_value),
}
MEMORY = {"lstm": q_value, "pictures": q_value, "none": q_value}
STEP, GAMES = 1e-6, 2  # of the differences, of an input that is scaled to 0 to 1


def draw(observation: Observation, rng: np.random.Generator) -> Any:
    """Observations of two games."""
    parts = {
        name: rng.integers(0, 256, (GAMES, *part.shape), dtype=np.uint8)
        if part.dtype == "uint8"
        else rng.standard_normal((GAMES, *part.shape))
        for name, part in observation.named
    }
    return whole_of(parts)


def learner_of(framework: str, network: Network) -> Any:
    loss = dqn.make_loss(CONFIG)
    return frameworks.load(framework).Learner(network, loss, Adam(), make_weights(network), "float64")


def moved(part: np.ndarray) -> np.ndarray:
    """A part [*part] with each number moved up, then each moved down: [2 * numbers, *part], bytes as shares of 255."""
    x = part.astype(np.float64) / (255 if part.dtype == np.uint8 else 1)
    away = STEP * np.eye(x.size).reshape(x.size, *x.shape)
    return np.concatenate([x + away, x - away])


def differences(scores: np.ndarray, part: np.ndarray) -> np.ndarray:
    """The gradient [*part] by the unit of what is given, from the scores of what `moved` gives."""
    up, down = np.split(scores, 2)
    scale = 255 if part.dtype == np.uint8 else 1
    return ((up - down) / (2 * STEP) / scale).reshape(part.shape)


def oracle(case: str, obs: Any, actions: np.ndarray) -> np.ndarray:
    observation, layers, score = CASES[case]
    network, main = Network(observation, layers), observation.main_name
    found = []
    for game, action in enumerate(actions):
        parts = {name: part[game] for name, part in parts_of(obs).items()}
        tried = moved(parts[main])
        others = {name: np.repeat(part[None], len(tried), axis=0) for name, part in parts.items() if name != main}
        outputs = numpy_forward(network, make_weights(network), whole_of({**others, main: tried}))
        found.append(differences(score(numpy_ops, outputs, np.full(len(tried), action)), parts[main]))
    return np.stack(found)


@pytest.mark.parametrize("case", CASES)
def test_it_is_what_finite_differences_say(framework: str, case: str) -> None:
    observation, layers, score = CASES[case]
    obs, actions = draw(observation, np.random.default_rng(5)), np.array([2, 0])
    found = learner_of(framework, Network(observation, layers)).sensitivity(score, obs, actions)
    assert found.shape == (GAMES, *observation.main.shape)
    assert found.dtype == np.float64
    assert np.abs(found).max() > 0
    close(framework, f"sensitivity of {case}", found, oracle(case, obs, actions), 1e-6)


@pytest.mark.parametrize("kind", MEMORY)
def test_it_is_what_finite_differences_say_with_memory(framework: str, kind: str) -> None:
    """One game goes on from its state, one begins anew."""
    network, rng = memory_ladder.make_net(kind), np.random.default_rng(6)
    obs = memory_ladder.observations(network, 1, rng)[0, :GAMES]
    state = memory_ladder.make_state(network, rng)[:GAMES]
    reset, actions = np.array([False, True]), np.array([1, 2])
    found = memory_ladder.make_learner(framework, network).sensitivity(MEMORY[kind], obs, actions, state, reset)
    for game in range(GAMES):
        tried = moved(obs[game])
        rows = np.repeat(state[game][None], len(tried), axis=0)
        starts = np.full((1, len(tried)), reset[game])
        outputs = unroll(network, make_weights(network), tried[None], rows, starts)[0][0]
        scores = MEMORY[kind](numpy_ops, outputs, np.full(len(tried), actions[game]))
        close(framework, f"sensitivity of {kind}", found[game], differences(scores, obs[game]), 1e-6)


@pytest.mark.parametrize("case", CASES)
def test_it_is_equal_in_all_frameworks(case: str) -> None:
    observation, layers, score = CASES[case]
    obs, actions = draw(observation, np.random.default_rng(7)), np.array([0, 1])
    first, *others = (learner_of(name, Network(observation, layers)).sensitivity(score, obs, actions) for name in NAMES)
    for name, found in zip(NAMES[1:], others, strict=True):
        close(name, f"sensitivity of {case}", found, first, 1e-12)


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-5), ("bfloat16", 0.05)])
def test_it_is_given_in_the_stored_precision(framework: str, precision: str, tolerance: float) -> None:
    observation, layers, score = CASES["both"]
    obs, actions = draw(observation, np.random.default_rng(5)), np.array([2, 0])
    floats = {name: part.astype(np.float32) if part.dtype == np.float64 else part for name, part in obs.items()}
    network = Network(observation, layers)
    learner = frameworks.load(framework).Learner(
        network, dqn.make_loss(CONFIG), Adam(), make_weights(network), precision
    )
    found = learner.sensitivity(score, floats, actions)
    assert found.dtype == np.float32
    close(framework, f"sensitivity in {precision}", found, oracle("both", obs, actions), tolerance)


def test_asking_changes_no_weight_and_no_answer(framework: str) -> None:
    observation, layers, score = CASES["picture"]
    learner, obs = learner_of(framework, Network(observation, layers)), draw(observation, np.random.default_rng(8))
    before, state = learner.act(obs)[0], learner.get_state()
    learner.sensitivity(score, obs, np.array([1, 1]))
    assert np.array_equal(learner.act(obs)[0], before)
    assert all(np.array_equal(array, state[name]) for name, array in learner.get_state().items())
