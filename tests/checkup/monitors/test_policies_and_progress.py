"""Actions drawn from the policy; policies that stay policies; scores against chance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.checkup.streams import QUICK, Made
from triptych.checkup.monitors.policies import Certain, Drawn
from triptych.checkup.monitors.progress import Progress
from triptych.training.agent import draw
from triptych.training.counting import Episode


def drawn(choose: Any, steps: int = 200) -> list[str]:
    """Signals of 8 games whose actions are chosen so from logits [8, 2]."""
    run, rng = Made("cartpole-ppo"), np.random.default_rng(0)
    monitor = run.begun(Drawn())
    for _ in range(steps):
        outputs = rng.standard_normal((run.size, 3))
        monitor.acted(0, (None,), (outputs, None))
        monitor.sent(0, choose(outputs[:, :2], rng))
        run.step(monitor)
    return run.found(monitor)


def test_actions_that_are_drawn_from_the_policy_raise_no_alarm() -> None:
    assert drawn(lambda logits, rng: draw(logits, rng)[0]) == []


@pytest.mark.parametrize(
    "choose",
    [
        lambda logits, rng: logits.argmax(axis=1),
        lambda logits, rng: rng.integers(2, size=len(logits)),
        lambda logits, rng: np.roll(draw(logits, rng)[0], 1),
        lambda logits, rng: draw(-logits, rng)[0],
    ],
    ids=["greedy", "uniform", "the neighbour's", "the other sign"],
)
def test_actions_that_are_chosen_otherwise_are_told(choose: Any) -> None:
    assert drawn(choose) == ["policy-not-followed"]


def test_a_policy_that_is_as_good_as_certain_may_be_followed_greedily() -> None:
    assert drawn(lambda logits, rng: draw(50 * logits, rng)[0], steps=1) == [], "too few to tell"


def reported(*entropies: float, kl: float = 0.01, at: int = 1_000) -> list[str]:
    run, monitor, found = Made("cartpole-ppo", steps=100_000), Certain(), list[str]()
    run.counters.steps = at
    for entropy in entropies:
        run.counters.steps += 100
        monitor.row(run, "metrics", {"loss": 1.0, "entropy": entropy, "approx_kl": kl})  # type: ignore[arg-type]
        found += run.found(monitor)
    return list(dict.fromkeys(found))


def test_a_policy_that_is_certain_at_once_is_told_and_one_that_becomes_so_is_not() -> None:
    assert reported(0.69, 0.6, 0.3, 0.1) == []
    assert reported(0.69, 0.001, 0.0) == ["entropy-collapse"]
    assert reported(0.001, 0.0, at=60_000) == []


def test_an_update_that_moves_the_policy_far_is_told() -> None:
    assert reported(0.6, 0.6, kl=0.2) == []
    assert reported(0.6, 0.6, kl=0.5) == ["kl-jump"]
    assert reported(0.6, kl=9.0) == ["kl-jump"]


def scored(
    last: float, updates: int = 5_000, share: float = 0.95, actions: Any = (0, 1), recipe: str = "cartpole"
) -> list[str]:
    """Signals of a run whose first episodes scored about 20, and the last ones so much."""
    run, rng = Made(recipe, **QUICK), np.random.default_rng(0)
    monitor = run.begun(Progress())
    for number in range(60):
        monitor.episode(run, Episode(number, 20 + rng.standard_normal(), 20, 0, 0))
    run.counters.updates, run.counters.steps = updates, int(0.1 * run.recipe.steps)
    for number in range(60):
        monitor.episode(run, Episode(number, last + rng.standard_normal(), 20, 0, 0))
    for _ in range(500):
        monitor.sent(0, np.resize(actions, 4))
    run.counters.steps = int(share * run.recipe.steps)
    return run.found(monitor)


def test_a_score_above_that_of_chance_raises_no_alarm() -> None:
    assert scored(30.0) == []
    assert scored(30.0, actions=[1]) == [], "one action may be the right one"


def test_a_score_no_better_than_chance_is_told_near_the_runs_end() -> None:
    assert scored(19.0) == ["no-better-than-random"]
    assert scored(19.0, share=0.5) == [], "too early"
    assert scored(19.0, updates=500) == [], "it has hardly learned"


def test_where_a_memory_is_needed_more_is_allowed_for() -> None:
    assert scored(19.0, recipe="drqn-cartpole") == []
    assert scored(19.0, recipe="drqn-cartpole", updates=30_000) == ["no-better-than-random"]


def test_one_action_alone_is_told_where_the_score_is_that_of_chance() -> None:
    assert scored(19.0, share=0.5, actions=[1]) == ["action-collapse"]


def test_a_resume_keeps_what_chance_scored() -> None:
    run = Made(**QUICK)
    first, second = run.begun(Progress()), run.begun(Progress())
    first.episode(run, Episode(1, 7.0, 20, 0, 0))
    second.set_state(first.get_state())
    assert second.chance == [7.0]
