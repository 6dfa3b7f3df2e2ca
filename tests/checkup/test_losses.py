"""The losses that a run reports, against those that the checkup works out again."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from triptych import frameworks
from triptych.checkup.faults import SHORT, find, injected
from triptych.checkup.monitors.losses import FORMULAS, Asked, close
from triptych.recipes.feasibility import prepare
from triptych.recipes.override import override
from triptych.training.base import Training
from triptych.training.build import make_training

OFF = {"warm_up": 40, "algorithm.learn_from": None}


def batches(short: str, framework: str, steps: int, **changes: object) -> Iterator[tuple[Training, object, dict]]:
    """What a run's learner is fed, before and with what its update reports."""
    recipe = override(SHORT[short](), changes)
    prepared = prepare(recipe, framework)
    training = make_training(recipe, prepared.games, frameworks.load(framework).Learner)
    learner, heard = training.learner, []
    update = learner.update

    def hear(batch: object, rate: float) -> dict:
        wanted = FORMULAS[recipe.algorithm.kind](
            Asked(type("Run", (), {"recipe": recipe, "training": training})), batch
        )
        found = update(batch, rate)
        heard.append((wanted, {name: np.asarray(learner.to_numpy(found[name]), np.float64) for name in wanted}))
        return found

    learner.update = hear  # type: ignore[method-assign]
    try:
        ticks = training.ticks()
        for _ in range(steps // recipe.num_envs):
            next(ticks)
    finally:
        prepared.games.close()
    yield from heard  # type: ignore[misc]


@pytest.mark.parametrize(
    ("short", "steps", "changes"),
    [
        ("cartpole-switches", 120, {"warm_up": 80}),
        ("cartpole-ppo", 300, {}),
        ("cartpole-a2c", 300, {"algorithm.normalise_advantages": True}),
        ("repeat-previous", 500, {"warm_up": 440, "algorithm.n_step": 2}),
    ],
)
def test_a_healthy_update_reports_what_its_batch_says(framework: str, short: str, steps: int, changes: dict) -> None:
    found = list(batches(short, framework, steps, **changes))
    assert found
    for wanted, told in found[:3]:
        for name in wanted:
            assert close(told[name], wanted[name]), name


@pytest.mark.parametrize("name", ["td-error-broadcast", "td-target-without-mask", "huber-turns-early"])
def test_one_that_learns_something_else_is_seen(name: str) -> None:
    fault = find(name)
    with injected(name, "torch"):
        found = list(batches(fault.short, "torch", 120, warm_up=60))
    assert any(not close(told[key], wanted[key]) for wanted, told in found for key in wanted)
