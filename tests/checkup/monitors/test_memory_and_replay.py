"""States that are carried and reset, priorities that follow the errors, one network on both paths, conversions, files that are kept."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.checkup.streams import QUICK, SHAPE, Learner, Made, answered, transitions
from triptych.checkup.monitors.kept import BestWeights
from triptych.checkup.monitors.memory import Memory
from triptych.checkup.monitors.paths import Paths
from triptych.checkup.monitors.replaying import Priorities, Repeats
from triptych.checkup.monitors.transfer import Transfer
from triptych.spec.batches import Transition
from triptych.spec.weights import save_weights
from triptych.training.counting import Episode


class Recurrent(Learner):
    """Its state is what it has seen, with a half of what it had before; a reset zeroes that."""

    zeroes, uses = True, True

    def act(self, obs: np.ndarray, state: Any = None, reset: Any = None) -> tuple[np.ndarray, Any]:
        kept = np.where(reset[:, None] & self.zeroes, 0, state)
        after = (0.5 * kept * self.uses + obs).astype(np.float32)
        return after[:, :2], after


def remembered(carry: Any, learner: Recurrent | None = None, steps: int = 60) -> list[str]:
    """Signals of a loop that hands `carry(state, starts)` back, the state [4, 3] that came out and where episodes begin."""
    run, rng = Made("drqn-cartpole", num_envs=4), np.random.default_rng(0)
    run.learner = run.player.learner = run.training.learner = learner or Recurrent()
    monitor, found = run.begun(Memory()), list[str]()
    state, starts, ended = np.zeros((4, 3), np.float32), np.ones(4, bool), np.zeros(4, bool)
    obs = rng.standard_normal((4, *SHAPE))
    monitor.reset(0, obs)
    for step in range(steps):
        given = (obs, *carry(state, starts))
        outputs, state = run.learner.act(*given)
        monitor.acted(0, given, (outputs, state))
        monitor.sent(0, np.zeros(4, np.int64))
        obs, starts = rng.standard_normal((4, *SHAPE)), ended
        ended = rng.random(4) < 0.2
        monitor.received(0, answered(obs, ended=ended))
        run.counters.steps += 4
        if step % 10 == 9:
            found += run.found(monitor)
    return list(dict.fromkeys(found))


def test_a_state_that_is_carried_and_reset_raises_no_alarm() -> None:
    assert remembered(lambda state, starts: (state, starts)) == []


@pytest.mark.parametrize(
    ("carry", "found"),
    [
        (lambda state, starts: (np.zeros_like(state), starts), ["memory-lost"]),
        (lambda state, starts: (np.roll(state, 1, axis=0), starts), ["memory-lost"]),
        (lambda state, starts: (state, np.zeros_like(starts)), ["memory-not-reset"]),
        (lambda state, starts: (state, np.ones_like(starts)), ["memory-always-reset"]),
    ],
    ids=["zeroed at each step", "the neighbour's", "never reset", "always reset"],
)
def test_a_state_that_is_not_is_told(carry: Any, found: list[str]) -> None:
    assert remembered(carry) == found


def test_a_network_that_does_not_look_at_the_reset_or_at_its_state_is_told() -> None:
    deaf, idle = Recurrent(), Recurrent()
    deaf.zeroes, idle.uses = False, False
    assert remembered(lambda state, starts: (state, starts), deaf) == ["memory-reset-ignored"]
    assert remembered(lambda state, starts: (state, starts), idle) == ["memory-unused"]


class Tree:
    def __init__(self, priorities: np.ndarray):
        self.priorities = priorities

    def get(self, places: np.ndarray) -> np.ndarray:
        return self.priorities[places]


def drawn(beta: Any, handed: Any = lambda errors: errors, start: float = 1.0) -> list[str]:
    """Signals of a replay that weighs by `beta(step)`, and is handed `handed(errors)` after each update."""
    run, rng = (
        Made("cartpole", **QUICK, **{"algorithm.prioritised": True, "algorithm.beta_steps": 10_000}),
        np.random.default_rng(0),
    )
    tree = Tree(np.full(500, start))
    run.training.replay = SimpleNamespace(sampler=SimpleNamespace(tree=tree, drawn=None))
    monitor = run.begun(Priorities())
    run.counters.updates = 200
    for _ in range(60):
        run.counters.steps += 100
        places = rng.integers(0, 500, 32)
        run.training.replay.sampler.drawn = places
        weight = tree.get(places) ** -beta(run.counters.steps)
        batch = transitions(rng)._replace(weight=(weight / weight.max()).astype(np.float32))
        errors = rng.exponential(1.0, 32)
        monitor.fed(0, batch)
        monitor.learned(0, batch, 1e-3, {"td_error": errors})
        tree.priorities[places] = handed((errors + 0.01) ** 0.6)
    return run.found(monitor)


def scheduled(step: int) -> float:
    return 0.4 + 0.6 * min(1.0, step / 10_000)


def test_priorities_that_follow_the_errors_raise_no_alarm() -> None:
    assert drawn(scheduled) == []


def test_errors_that_are_never_handed_over_are_told() -> None:
    assert "importance-weights-one" in drawn(scheduled, handed=lambda errors: 1.0)


def test_a_beta_that_stays_at_its_start_is_told() -> None:
    assert drawn(lambda step: 0.4) == ["beta-schedule"]


def test_priorities_of_other_samples_are_told() -> None:
    assert drawn(scheduled, handed=lambda errors: np.roll(errors, 1)) == ["priorities-unrelated"]


@pytest.mark.parametrize(("kept", "found"), [(10_000, []), (20, ["samples-repeat"])])
def test_samples_from_all_that_is_kept_are_told_apart_from_the_same_few(kept: int, found: list[str]) -> None:
    run, rng = Made(**QUICK), np.random.default_rng(0)
    monitor = run.begun(Repeats())
    rows = rng.standard_normal((10_000, *SHAPE)).astype(np.float32)
    for _ in range(40):
        monitor.received(0, answered(rng.standard_normal((4, *SHAPE))))
        monitor.fed(0, transitions(rng)._replace(obs=rows[rng.integers(0, kept, 32)]))
    assert list(dict.fromkeys(run.found(monitor))) == found


def both(report: Any) -> list[str]:
    """Signals of updates that report `report(batch)` as their mean value; the network acts by the first two numbers it sees."""
    run, rng = Made(**QUICK), np.random.default_rng(0)
    monitor, found = run.begun(Paths()), list[str]()
    for _ in range(4):
        batch = transitions(rng)
        monitor.fed(0, batch)
        monitor.learned(0, batch, 1e-3, {"q_mean": report(batch)})
        found += run.found(monitor)
    return list(dict.fromkeys(found))


def mean(batch: Transition) -> float:
    return float(batch.obs[:, :2].max(axis=1).mean())


def test_a_network_that_acts_as_it_learns_raises_no_alarm() -> None:
    assert both(mean) == []


def test_observations_that_are_scaled_on_one_way_alone_are_told() -> None:
    assert both(lambda batch: mean(batch) / 2) == ["acts-otherwise"]


@pytest.mark.parametrize(("seconds", "found"), [(0.0, []), (0.02, ["conversion-slow"])])
def test_a_conversion_that_takes_far_longer_than_a_copy_is_told(seconds: float, found: list[str]) -> None:
    run, rng = Made(**QUICK), np.random.default_rng(0)

    def to_device(array: np.ndarray) -> np.ndarray:
        time.sleep(seconds)
        return array.copy()

    run.learner.to_device = to_device  # type: ignore[method-assign]
    monitor = run.begun(Transfer())
    for _ in range(4):
        run.found(monitor)  # nothing is learned from at first
    for _ in range(2):
        monitor.fed(0, transitions(rng))
        run.found(monitor)
    assert list(dict.fromkeys(run.found(monitor))) == found


def kept(folder: Path, run: Made, when: Any) -> list[str]:
    """Signals of a run whose file of the best weights is written where `when(step)`, as episodes become better."""
    monitor = run.begun(BestWeights())
    run.counters.updates = 1
    (folder / "checkpoints").mkdir()
    for step in range(1, 30):
        run.counters.steps = step
        run.learner.move()
        if when(step):
            save_weights(folder / "checkpoints" / "best.safetensors", run.weights(), {})
        monitor.step(run, SimpleNamespace(episodes=[Episode(step, float(step), 10, 0, 0)]))
    return run.found(monitor)


@pytest.mark.parametrize(
    ("when", "found"),
    [
        (lambda step: step >= 5, []),
        (lambda step: step in (5, 6, 7), ["best-weights-wrong"]),
        (lambda step: False, ["best-weights-wrong"]),
    ],
    ids=["at each best", "not any more", "never"],
)
def test_the_best_weights_are_those_of_the_best_episodes(tmp_path: Path, when: Any, found: list[str]) -> None:
    assert kept(tmp_path, Made(**QUICK, path=tmp_path, best_window=5), when) == found
