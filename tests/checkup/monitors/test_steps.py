"""Updates against their optimiser's equations; weights that lie still between them, or behind those who play."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import triptych
from triptych.checkup.faults import SHORT, find, injected
from triptych.checkup.monitors.equations import forgotten, judged
from triptych.checkup.monitors.seeds import compared
from triptych.checkup.monitors.steps import Steps
from triptych.frameworks import FRAMEWORKS
from triptych.recipes.override import override
from triptych.spec.optimiser import Adam, RMSprop
from triptych.training.counting import Counters

FAST = {"evaluate_every": 0}


def run(short: str, tmp_path: Path, framework: str = "torch", **changes: Any) -> list[str]:
    recipe = override(SHORT[short](), FAST | changes)
    return [alarm["signal"] for alarm in triptych.train(recipe, framework, runs_dir=tmp_path, video=False).alarms]


def faulty(name: str, tmp_path: Path, framework: str = "torch", **changes: Any) -> list[str]:
    with injected(name, framework):
        return run(find(name).short, tmp_path, framework, **(dict(find(name).changes) | changes))


def test_an_update_as_the_equations_say_is_right_and_others_are_not() -> None:
    for spec in (Adam(learning_rate=1e-3, max_norm=0.5), RMSprop(learning_rate=1e-3, max_norm=0.5)):
        rng = np.random.default_rng(0)
        gradient = rng.normal(size=(6, 5)) * 0.1
        before = state_of(spec, rng)
        assert judged(spec, before, stepped(spec, before, gradient), 1e-3, norm_of(gradient)).wrong is None
        for change in ({"epsilon": 1e-2}, {"max_norm": 0.3}, {"decay": 1e-2}, {"rate": 2e-3}):
            after = stepped(spec, before, gradient, **change)
            assert judged(spec, before, after, 1e-3, norm_of(gradient)).wrong is not None, change


@pytest.mark.parametrize("spec", [Adam(), RMSprop()])
def test_moments_that_only_updates_change_are_healthy_and_others_are_not(spec: Any) -> None:
    rng = np.random.default_rng(0)
    before = now = state_of(spec, rng)
    now[f"{spec.kind}/step"] = np.array(3, np.int64)
    for update in range(1, 40):
        now = stepped(spec, now, rng.normal(size=(6, 5)) * 10.0 ** rng.integers(-6, 0))
        now[f"{spec.kind}/step"] = np.array(3 + update, np.int64)
        assert forgotten(spec, before, now, update) is None
    name = f"{spec.kind}/v/a/kernel"
    for lost in (0.0, 0.5):
        assert forgotten(spec, before, before | {name: lost * before[name]}, 0) is not None
    assert forgotten(spec, before, now | {f"{spec.kind}/step": np.array(5, np.int64)}, 39) is not None
    thawed = {f"{spec.kind}/since/a/kernel": np.array(20, np.int64)}
    assert forgotten(spec, before, before | thawed | {name: 0 * before[name]}, 0) is None


def norm_of(gradient: np.ndarray) -> float:
    return float(np.linalg.norm(gradient))


def state_of(spec: Any, rng: np.random.Generator) -> dict[str, np.ndarray]:
    weights = rng.normal(size=(6, 5)).astype(np.float32)
    state = {"online/a/kernel": weights, f"{spec.kind}/step": np.array(3, np.int64)}
    state[f"{spec.kind}/v/a/kernel"] = (1e-4 * rng.random((6, 5))).astype(np.float32)
    if spec.kind == "adam":
        state["adam/m/a/kernel"] = (1e-2 * rng.normal(size=(6, 5))).astype(np.float32)
    return state


def stepped(
    spec: Any, before: dict[str, np.ndarray], gradient: np.ndarray, epsilon: float | None = None,
    max_norm: float | None = None, decay: float = 0.0, rate: float = 1e-3,
) -> dict[str, np.ndarray]:  # fmt: skip
    """The state after an update, worked out from the papers."""
    limit, small = max_norm or spec.max_norm, epsilon or spec.epsilon
    gradient = gradient * min(1.0, limit / norm_of(gradient))
    weights, v = before["online/a/kernel"].astype(float), before[f"{spec.kind}/v/a/kernel"].astype(float)
    found = {f"{spec.kind}/step": np.array(4, np.int64)}
    if spec.kind == "adam":
        m = 0.9 * before["adam/m/a/kernel"] + 0.1 * gradient
        v = 0.999 * v + 0.001 * gradient**2
        move = (m / (1 - 0.9**4)) / (np.sqrt(v / (1 - 0.999**4)) + small)
        found["adam/m/a/kernel"] = m.astype(np.float32)
    else:
        v = spec.decay * v + (1 - spec.decay) * gradient**2
        move = gradient / np.sqrt(v + small)
    found[f"{spec.kind}/v/a/kernel"] = v.astype(np.float32)
    found["online/a/kernel"] = (weights - rate * move - decay * weights).astype(np.float32)
    return found


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_an_optimiser_of_another_kind_is_found_in_a_run(framework: str, tmp_path: Path) -> None:
    """The healthy runs of these recipes are among those that `test_a_healthy_run...` and the scoreboard make."""
    assert "step-wrong" not in run("cartpole", tmp_path / "healthy", framework, steps=1_500)
    assert "step-wrong" in faulty("adam-epsilon-elsewhere", tmp_path, framework, steps=1_500)


def test_gradients_that_are_cut_one_by_one_are_found(tmp_path: Path) -> None:
    assert "step-wrong" in faulty("gradients-clipped-one-by-one", tmp_path)


def test_a_rate_that_moves_weights_by_much_of_their_size_is_told(tmp_path: Path) -> None:
    assert "step-too-large" in faulty("learning-rate-too-large-for-q", tmp_path, steps=1_500)


@pytest.mark.parametrize(
    ("name", "signal"),
    [("updates-lost-between-workers", "weights-moved-alone"), ("workers-never-get-new-weights", "acts-on-old-weights")],
)
def test_workers_whose_updates_are_lost_or_whose_weights_are_old(name: str, signal: str, tmp_path: Path) -> None:
    assert signal in faulty(name, tmp_path, steps=4_000)


def test_workers_that_take_new_weights_alarm_nothing(tmp_path: Path) -> None:
    assert run("cartpole-a3c", tmp_path, steps=4_000) == []


@pytest.mark.parametrize(("whole", "told"), [(True, False), (False, True)])
def test_a_whole_update_between_two_that_are_handed_over_is_no_alarm(whole: bool, told: bool) -> None:
    """As one of A3C's workers without a delay makes it, on the run's own learner."""
    learner = SimpleNamespace(get_weights=lambda: {"kernel": np.ones(3)}, get_state=dict)
    monitor = Steps()
    monitor.run = SimpleNamespace(training=SimpleNamespace(learner=learner), counters=Counters())
    monitor.after, monitor.due = {"online/kernel": np.zeros(3)}, 1
    monitor.learned(0, None, 1e-3 if whole else float("nan"), {})
    monitor.applying(None)
    assert (monitor.moved is not None) == told


def test_seeds_of_games_and_of_runs_beside_each_other() -> None:
    assert [one.signal.name for one in compared([[1, 2], [3, 4], [5, 6]])] == []
    assert [one.signal.name for one in compared([[1, 1], [3, 4]])] == ["games-share-a-seed"]
    assert [one.signal.name for one in compared([[1, 2], [2, 3]])] == ["seeds-shared"]
