"""Each family learns: a few seconds of training with a framework lift it far above random play."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from triptych import evaluate, train

# A recipe, its changes, what random play comes to and what must be passed, of fresh games played greedily.
FAMILIES: dict[str, tuple[str, dict[str, Any], float, float]] = {
    "dqn": (
        "cartpole",
        {
            "env": "triptych/Catch-v0", "steps": 5_000, "num_envs": 8, "warm_up": 500, "learning_rate": 1e-3,
            "network.0.units": 64, "network.1.units": 64, "algorithm.delta": 1.0, "algorithm.update_every": 4,
            "algorithm.epsilon_steps": 2_500,
        },
        -0.6, 0.3,
    ),
    "drqn": (
        "memory-chain",
        {
            "env.length": 5, "algorithm.sequence_length": 6, "steps": 5_000, "warm_up": 500, "learning_rate": 4e-3,
            "algorithm.epsilon_steps": 2_500,
        },
        0.0, 0.7,
    ),
    "a2c": ("cartpole-a2c", {"steps": 20_000}, 22.0, 100.0),
    "ppo": ("cartpole-ppo", {"steps": 10_000}, 22.0, 150.0),
}  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_learns(family: str, tmp_path: Path) -> None:
    recipe, changes, by_chance, goal = FAMILIES[family]
    run = train(recipe, "jax", runs_dir=tmp_path, evaluate_every=0, **changes)
    learned = evaluate(run.path, 40, weights="latest", policy="greedy")
    assert learned.mean > goal
    random = evaluate(run.path, 40, weights="latest", policy="greedy", epsilon=1.0)
    assert random.high < goal, "random play does not come near"
    assert random.low < by_chance < random.high
