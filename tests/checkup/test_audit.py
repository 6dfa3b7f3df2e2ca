"""The stream audit of runs that play the script: it finds what is wrong in the shared code, and nothing where nothing is."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import triptych
from tests.checkup.scripts import Q_LEARNING, audited, names
from tests.experiments.test_resume import MEMORY
from tests.training.test_wiring import ROLLOUTS, SEQUENCES, TRANSITIONS
from tests.training.test_wiring_mutations import PLAYED
from triptych import check
from triptych.checkup.audit import signals
from triptych.checkup.audit.expected import Makes
from triptych.checkup.audit.monitor import Audit
from triptych.checkup.audit.transitions import check_transitions
from triptych.checkup.audit.verdict import Differs, Unknown
from triptych.checkup.stream import Stream, fingerprints
from triptych.envs import Step
from triptych.spec.batches import Transition
from triptych.utils.checks import InputError

HEALTHY = (
    [(f"transitions, {name}", ("cartpole", {**Q_LEARNING, **changes}, False)) for name, changes in TRANSITIONS.items()]
    + [(f"sequences, {name}", ("memory-chain", {**Q_LEARNING, **changes}, True)) for name, changes in SEQUENCES.items()]
    + [
        (f"rollouts, {name}", (recipe, changes, recipe.startswith("memory")))
        for name, (recipe, changes) in ROLLOUTS.items()
    ]
)


@pytest.mark.parametrize("given", [given for _, given in HEALTHY], ids=[name for name, _ in HEALTHY])
def test_nothing_is_found_where_nothing_is_wrong(given: Any) -> None:
    found = audited(*given)
    assert not found.findings
    assert found.samples > 50
    assert found.unknown == 0


SETTINGS = dict(HEALTHY)
KINDS = {"check_transitions": "transitions", "check_sequences": "sequences", "check_actor_critic": "rollouts"}
# What a stream cannot show: games that could go on are cut at a checkpoint, which the recipe allows.
UNSEEN = {"games that are saved are cut"}
FAULTS = [
    (f"{KINDS[check.__name__]}, {setting}", mutation)
    for (check, setting), mutations in PLAYED.items()
    for mutation in mutations
    if mutation[0] not in UNSEEN
]


@pytest.mark.parametrize(
    ("setting", "mutation"), FAULTS, ids=[f"{setting}: {mutation[0]}" for setting, mutation in FAULTS]
)
def test_what_is_wrong_in_the_shared_code_is_found(
    setting: str, mutation: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, place, attribute, mutant, _ = mutation
    monkeypatch.setattr(place, attribute, mutant(getattr(place, attribute)))
    found = audited(*SETTINGS[setting])
    assert names(found)


def test_a_recipe_is_audited_whole_where_that_is_asked_for() -> None:
    found = check("memory-chain-ppo", audit=300, num_envs=4, **{"algorithm.rollout_steps": 16})
    assert found.alarms == []
    [note] = [one.measured for one in found.findings if one.signal.name == "audited"]
    assert "updates and" in note


def test_an_audit_of_too_few_steps_is_refused() -> None:
    with pytest.raises(InputError, match="audit is 5; allowed: 100 or more"):
        check("cartpole", audit=5)


def test_a_picture_has_one_fingerprint_however_it_lies_in_memory() -> None:
    pictures = np.random.default_rng(0).integers(256, size=(5, 3, 4, 12, 12)).astype(np.uint8)
    turned = np.asfortranarray(pictures)
    assert (fingerprints(turned, 2) == fingerprints(pictures, 2)).all()
    assert (fingerprints(turned[:, [2, 0]], 2) == fingerprints(pictures, 2)[:, [2, 0]]).all()
    assert len(np.unique(fingerprints(pictures, 2))) == 15


def test_of_steps_before_a_resume_nothing_is_said() -> None:
    nobody = np.zeros(1, bool)
    stream = Stream(100, np.zeros((1, 3), np.float32), nobody, started=nobody)
    obs = np.ones((1, 3), np.float32)
    earlier = Transition(obs, np.zeros(1, np.int32), np.ones(1), np.ones(1), obs, np.ones(1))
    [said] = check_transitions(stream, Makes(0.9), earlier, np.arange(1))
    assert isinstance(said, Unknown)
    [said] = check_transitions(Stream(100, np.zeros((1, 3)), nobody), Makes(0.9), earlier, np.arange(1))
    assert isinstance(said, Differs)
    assert said.signal is signals.UNSEEN


def test_a_batch_as_small_as_the_audits_sample_is_not_taken_for_one_of_a_series(tmp_path: Path) -> None:
    """Between the series in which each batch is heard, priorities are learned that nobody hears."""
    found = triptych.train(runs_dir=tmp_path, **MEMORY | {"steps": 1_300, "evaluate_every": 0})
    assert found.updates > 100
    assert found.alarms == ()


@pytest.mark.parametrize(("found", "told"), [(380, False), (396, False), (401, True), (350, True)])
def test_a_replay_holds_each_step_that_was_played(found: int, told: bool) -> None:
    audit, size = Audit(), 10
    stream = Stream(1_000, np.random.default_rng(0).normal(size=(size, 3)), np.zeros(size, bool))
    for step in range(40):
        stream.send(np.zeros(size, int))
        obs = np.full((size, 3), step, np.float32)
        stream.receive(Step(obs, np.zeros(size), np.zeros(size, bool), np.zeros(size, bool)))
    audit.streams, audit.kept = [stream], 1_000
    run: Any = SimpleNamespace(training=SimpleNamespace(replay=range(found)))
    assert [one.signal.name for one in audit.stored(run)] == ["steps-not-stored"] * told
    audit.kept = 30
    assert not list(audit.stored(run)), "the oldest steps are dropped already"
