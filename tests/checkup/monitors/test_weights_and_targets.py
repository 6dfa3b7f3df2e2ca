"""Weights that should move and do, or do not; a target network that is copied when its period has passed, or is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.checkup.streams import QUICK, Made
from triptych.checkup.monitors.targets import Target
from triptych.checkup.monitors.weights import DEAD, LONG, Weights


def made(**changes: Any) -> Made:
    return Made(**QUICK | {"algorithm.target_every": (100, "steps"), "algorithm.update_every": 4} | changes)


def updated(run: Made, count: int, move: bool = True, monitor: Target | None = None) -> None:
    run.counters.updates += count
    run.counters.steps += 4 * count
    if monitor is not None:
        monitor.step(run, None)  # type: ignore[arg-type]
    if move:
        run.learner.move()


def test_weights_that_all_move_raise_no_alarm() -> None:
    run = made()
    monitor = run.begun(Weights())
    for _ in range(5):
        updated(run, 60)
        assert run.found(monitor) == []


def test_updates_that_move_nothing_are_told_and_few_updates_are_not() -> None:
    run = made()
    monitor = run.begun(Weights())
    updated(run, 10, move=False)
    assert run.found(monitor) == []
    updated(run, 60, move=False)
    assert run.found(monitor) == ["weights-still"]


def test_a_tensor_that_stays_is_told_unless_it_is_frozen() -> None:
    run = made()
    monitor = run.begun(Weights())
    updated(run, 60, move=False)
    run.learner.online["dense_2/kernel"] += 1
    assert run.found(monitor) == ["layer-still"]
    run.training.frozen_now = lambda: ("dense_1/kernel",)
    updated(run, 60, move=False)
    run.learner.online["dense_2/kernel"] += 1
    assert run.found(monitor) == []


def test_a_tensor_that_has_just_thawed_had_no_updates_yet() -> None:
    run = made()
    run.training.frozen_now = lambda: ("dense_1/kernel",)
    monitor = run.begun(Weights())
    updated(run, 60)
    run.learner.online["dense_1/kernel"] = monitor.before["dense_1/kernel"].copy()
    run.training.frozen_now = lambda: ()
    assert run.found(monitor) == []
    updated(run, 60, move=False)
    for name in set(run.learner.online) - {"dense_1/kernel"}:
        run.learner.online[name] += 1
    assert run.found(monitor) == ["layer-still"], "now it had its time"


def test_weights_that_move_without_an_update_are_told() -> None:
    run = made()
    monitor = run.begun(Weights())
    assert run.found(monitor) == []
    run.learner.move()
    assert run.found(monitor) == ["weights-moved-alone"]


def test_a_rate_that_falls_to_0_may_leave_weights_where_they_are() -> None:
    run = made(**{"optimiser.final_rate": 0.0, "steps": 1_000})
    monitor = run.begun(Weights())
    run.counters.steps = 900
    updated(run, 60, move=False)
    assert run.found(monitor) == []


@pytest.mark.parametrize("living", [8, 2])
def test_units_that_have_stopped_are_told_where_they_are_most(living: int) -> None:
    run = made()
    monitor = run.begun(Weights())
    updated(run, LONG)
    run.found(monitor)
    run.learner.online["dense_1/kernel"][:, :living] += 1
    run.learner.online["dense_2/kernel"] += 1
    updated(run, LONG, move=False)
    assert run.found(monitor) == (["units-dead"] if living < 8 * (1 - DEAD) else [])


def copied(run: Made, monitor: Target) -> None:
    run.learner.target = {name: tensor.copy() for name, tensor in run.learner.online.items()}
    run.counters.copied_at = run.counters.updates
    monitor.synced(0)


def test_a_target_that_is_copied_at_its_period_raises_no_alarm() -> None:
    assert counted(25) == []


@pytest.mark.parametrize(
    ("every", "told"),
    [
        (50, "target-not-copied"),
        (40, "target-not-copied"),
        (12, "target-copied-too-often"),
        (17, "target-copied-too-often"),
    ],
)
def test_a_target_that_is_copied_at_another_period_is_told(every: int, told: str) -> None:
    assert counted(every) == [told]


def counted(every: int) -> list[str]:
    """Signals of a target that is copied after so many updates, where its period is of 25."""
    run, found = made(), list[str]()
    monitor = run.begun(Target())
    for update in range(1, 200):
        updated(run, 1, monitor=monitor)
        if update % every == 0:
            copied(run, monitor)
        if update % 17 == 0:
            found += run.found(monitor)
    return list(dict.fromkeys(found))


def test_a_target_with_weights_of_its_own_is_told_at_the_start() -> None:
    run = made()
    run.learner.move()
    assert run.found(run.begun(Target())) == ["target-not-initialised"]


def test_a_copy_that_copies_nothing_is_told() -> None:
    run = made()
    monitor = run.begun(Target())
    updated(run, 25)
    monitor.synced(0)
    assert run.found(monitor) == ["target-copy-wrong"]


def test_a_target_that_is_never_copied_is_told() -> None:
    run = made()
    monitor = run.begun(Target())
    found: list[str] = []
    for _ in range(10):
        updated(run, 20, monitor=monitor)
        found += run.found(monitor)
    assert set(found) == {"target-not-copied"}


def test_a_target_that_shares_its_tensors_is_told() -> None:
    run = made()
    run.learner.target = run.learner.online
    monitor = run.begun(Target())
    updated(run, 5)
    assert run.found(monitor) == []
    updated(run, 5)
    assert run.found(monitor) == ["target-is-online"]


def test_a_target_that_moves_without_a_copy_is_told() -> None:
    run = made()
    monitor = run.begun(Target())
    updated(run, 5)
    run.found(monitor)
    updated(run, 5)
    run.learner.target["dense_1/kernel"] += 0.01
    assert run.found(monitor) == ["target-moves"]


def test_a_target_that_is_copied_at_each_update_is_told() -> None:
    run = made()
    monitor = run.begun(Target())
    for _ in range(30):
        updated(run, 1, monitor=monitor)
        copied(run, monitor)
    assert run.found(monitor) == ["target-copied-too-often"]


def test_an_actor_critic_has_no_target_to_look_at() -> None:
    run = Made("cartpole-ppo", steps=50_000)
    run.learner.move()
    assert run.found(run.begun(Target())) == []


def test_a_tensor_that_only_shapes_tell_apart_is_another() -> None:
    run = made()
    run.learner.target = {name: np.zeros((1, 1), np.float32) for name in run.learner.online}
    assert run.found(run.begun(Target())) == ["target-not-initialised"]
