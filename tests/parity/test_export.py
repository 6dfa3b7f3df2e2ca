"""A policy that was written as a file computes what its learner does: any number of games, step after step, with its state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.parity import ladder, memory_ladder
from tests.parity.ladder import close, make_weights
from triptych import frameworks
from triptych.algorithms import a2c, dqn, drqn
from triptych.frameworks import FRAMEWORKS
from triptych.spec import Adam, Conv, Dense, Flatten, Network, Observation, each
from triptych.spec.signature import Signature

ACTIONS = 3
FORMATS = [(name, to) for name, known in FRAMEWORKS.items() for to in known.exports if to != "onnx"]
COLOUR = Observation((2, 9, 8, 3), "uint8")
SEEN = (Conv(3, 4, 2), Flatten(), Dense(6))
FLAT: dict[str, Network] = {
    "a vector, dueling": dqn.network(dqn.Config(dueling=True), ladder.VECTOR, (Dense(6),), ACTIONS),
    "in colour": dqn.network(dqn.Config(), COLOUR, SEEN, ACTIONS),
    "a picture and numbers": dqn.network(dqn.Config(), ladder.BOTH, SEEN, ACTIONS),
    "actor-critic": a2c.network(a2c.Config(), ladder.VECTOR, (Dense(6),), ACTIONS),
}
REMEMBERING = ["gru", "stack-lstm", "attention-gated", "visual", "map-egocentric"]


def learner_of(framework: str, network: Network) -> Any:
    """A learner in float32, for a loss that is never taken."""
    weights = make_weights(network)
    return frameworks.load(framework).Learner(network, drqn.make_loss(memory_ladder.CONFIG), Adam(), weights, "float32")


def opened(framework: str, to: str, learner: Any, signature: Signature, folder: Path) -> Any:
    write, read = frameworks.exporter(framework, to)
    write(learner, signature, folder / "policy", {"signature": signature.as_dict()})
    return read(signature, folder / "policy")


def check_flat(framework: str, to: str, network: Network, folder: Path) -> None:
    learner, signature = learner_of(framework, network), Signature.of(network, "float32")
    play = opened(framework, to, learner, signature, folder)
    obs = ladder.make_batch(network.observation, np.random.default_rng(1), "float32").obs
    for games in (8, 1, 5):
        some = each(lambda part, games=games: part[:games], obs)
        empty = (np.zeros((games, 0), np.float32), np.zeros(games, bool)) if network.unrolls else ()
        expected = signature.taken(learner.act(some, *empty)[0], None)
        found = play(signature.flat(some))
        assert len(found) == len(expected)
        for name, mine, theirs in zip(signature.outputs, expected, found, strict=True):
            close(framework, f"{to} {name} of {games}", theirs, mine, 1e-5)


def check_remembering(framework: str, to: str, kind: str, folder: Path) -> None:
    network, rng = memory_ladder.make_net(kind), np.random.default_rng(2)
    learner, signature = learner_of(framework, network), Signature.of(network, "float32")
    play = opened(framework, to, learner, signature, folder)
    observations = memory_ladder.observations(network, 6, rng)
    games = memory_ladder.BATCH
    states = [np.zeros((games, memory_ladder.state_size(network)), np.float32)] * 2
    for step in range(6):
        obs = each(
            lambda part, step=step: part[step].astype(part.dtype if part.dtype == "uint8" else "f4"), observations
        )
        started = np.full(games, True) if step == 0 else rng.random(games) < 0.3
        q, after = learner.act(obs, states[0], started)
        found = play(signature.flat(obs, states[1], started))
        close(framework, f"{to} Q values of {kind}", found[0], q, 1e-5, step)
        close(framework, f"{to} state of {kind}", found[1], after, 1e-5, step)
        states = [after, found[1]]


@pytest.mark.parametrize("case", FLAT)
@pytest.mark.parametrize(("name", "to"), FORMATS)
def test_a_policy_in_a_file_gives_what_the_learner_does(name: str, to: str, case: str, tmp_path: Path) -> None:
    check_flat(name, to, FLAT[case], tmp_path)


@pytest.mark.parametrize("kind", REMEMBERING)
@pytest.mark.parametrize(("name", "to"), FORMATS)
def test_a_policy_with_memory_goes_on_from_its_state(name: str, to: str, kind: str, tmp_path: Path) -> None:
    check_remembering(name, to, kind, tmp_path)


def test_an_onnx_file_gives_what_the_learner_does_and_says_what_it_is(tmp_path: Path) -> None:
    import onnx

    check_flat("torch", "onnx", FLAT["a picture and numbers"], tmp_path)
    model = onnx.load(tmp_path / "policy", load_external_data=False)
    assert [given.name for given in model.graph.input] == [
        "observation_hand",
        "observation_picture",
        "observation_speed",
    ]
    assert not any(tensor.external_data for tensor in model.graph.initializer)
    (said,) = [json.loads(entry.value) for entry in model.metadata_props if entry.key == "triptych"]
    assert said["signature"]["outputs"] == ["q_values"]


def test_an_onnx_file_with_memory_goes_on_from_its_state(tmp_path: Path) -> None:
    check_remembering("torch", "onnx", "lstm", tmp_path)
