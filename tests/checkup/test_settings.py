"""Settings against each other: what a run with them cannot come to, and no alarm on what can learn."""

from __future__ import annotations

import pytest

from triptych.checkup.settings import judge_settings
from triptych.experiments.scoreboard.expected import EXPECTED
from triptych.recipes import BUILT_IN, Recipe, load_recipe
from triptych.recipes.override import override


def changed(name: str, **changes: object) -> Recipe:
    return override(load_recipe(name), {path.replace("__", "."): value for path, value in changes.items()})


def alarms(recipe: Recipe) -> list[str]:
    return [one.signal.name for one in judge_settings(recipe) if one.severity != "note"]


def notes(recipe: Recipe) -> list[str]:
    return [one.line() for one in judge_settings(recipe) if one.severity == "note"]


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_shipped_recipes_raise_no_alarm_but_those_that_an_original_deserves(name: str) -> None:
    assert alarms(load_recipe(name)) == list(EXPECTED.get(name, ()))


WRONG = [
    ("cartpole", {"steps": 50, "warm_up": 80}, "never-trains"),
    ("cartpole", {"steps": 5_000, "algorithm__learn_from": 5_000}, "never-trains"),
    ("cartpole", {"algorithm__update_every": 60_000}, "never-trains"),
    ("cartpole-ppo", {"steps": 200}, "never-trains"),
    ("cartpole-a3c", {"steps": 200}, "never-trains"),
    ("cartpole", {"algorithm__epsilon_steps": 900}, "epsilon-floor-early"),
    ("cartpole", {"warm_up": 0, "algorithm__learn_from": 100, "algorithm__epsilon_steps": 900}, "epsilon-floor-early"),
    ("cartpole", {"algorithm__epsilon_start": 0.0, "algorithm__epsilon_end": 0.3}, "epsilon-rises"),
    ("cartpole", {"algorithm__epsilon_steps": 10_000_000}, "epsilon-stays-high"),
    ("cartpole", {"algorithm__epsilon_end": 0.9}, "epsilon-stays-high"),
    ("cartpole", {"algorithm__target_every": (60_000, "steps")}, "target-never-copied"),
    ("cartpole", {"algorithm__target_every": (50_000, "updates")}, "target-never-copied"),
    ("cartpole", {"algorithm__target_every": (1, "updates")}, "target-always-copied"),
    ("cartpole", {"warm_up": 10}, "batch-of-few"),
    ("cartpole", {"algorithm__replay_size": 100}, "replay-of-few"),
    ("cartpole-ppo", {"algorithm__value_weight": 0.0}, "value-not-learned"),
    ("cartpole-ppo", {"algorithm__minibatches": 256, "algorithm__normalise_advantages": True}, "advantage-vanishes"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "changes", "signal"), WRONG, ids=[f"{row[0]}-{row[2]}-{i}" for i, row in enumerate(WRONG)]
)
def test_settings_that_cannot_learn_raise_one_alarm(name: str, changes: dict, signal: str) -> None:
    assert alarms(changed(name, **changes)) == [signal]


def test_where_epsilon_reaches_its_floor_is_one_plain_sentence() -> None:
    assert "epsilon reaches its floor, 0.1, after 10 % of the run" in notes(load_recipe("space-invaders"))
    assert "epsilon reaches its floor, 0.01, after 46,052 steps" in notes(load_recipe("breakout"))
    shorter = changed("space-invaders", steps=800_000)
    assert "epsilon does not reach its floor, 0.1, within the run: it ends at 0.28" in notes(shorter)
    assert "epsilon is 0.2 from step 1,000 on" in notes(
        changed("cartpole", algorithm__epsilon_start=0.2, algorithm__epsilon_end=0.2)
    )


def test_a_schedule_that_ends_after_the_run_is_noted() -> None:
    late = changed("rainbow-lite", algorithm__beta_steps=700_000)
    assert "algorithm.beta_steps is 700,000 steps, and the run ends after 600,000" in notes(late)
    assert not any("beta_steps" in line for line in notes(load_recipe("rainbow-lite")))
    assert any(
        line.startswith("evaluate_every is 60,000") for line in notes(changed("cartpole", evaluate_every=60_000))
    )


def test_a_budget_of_episodes_says_nothing_of_a_share_of_steps() -> None:
    assert alarms(changed("cartpole", episodes=1_000, steps=10_000_000)) == []
