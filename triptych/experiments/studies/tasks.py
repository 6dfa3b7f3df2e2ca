"""The small tasks that several studies share, as changes of a recipe."""

from __future__ import annotations

from typing import Any

from triptych.experiments.studies import Arm

# Tasks that need memory, learned in a minute or a few: with DRQN, and with actor-critics. A2C's rollouts hold whole
# episodes (each takes a step more than it has actions, as a game that has ended begins anew with a step).
TASKS: dict[str, tuple[str, dict[str, Any]]] = {
    "positions": ("drqn-cartpole", {"steps": 40_000, "algorithm.epsilon_steps": 8_000}),
    "memory chain 20": (
        "memory-chain", {"env.length": 20, "algorithm.sequence_length": 21, "steps": 30_000, "algorithm.epsilon_steps": 6_000},
    ),
    "repeat previous 4": ("repeat-previous", {}),
    "blind catch": (
        "memory-chain",
        {"env.id": "triptych/Catch-v0", "env.blind": 8, "algorithm.sequence_length": 10, "algorithm.update_every": 8, "steps": 40_000},
    ),
}  # fmt: skip
POLICY_TASKS: dict[str, tuple[str, dict[str, Any]]] = {
    "positions, PPO": ("cartpole-positions-ppo", {"steps": 60_000}),
    "memory chain 20, PPO": ("memory-chain-ppo", {"env.length": 20, "steps": 40_000}),
    "memory chain 20, A2C": ("memory-chain-a2c", {"env.length": 20, "algorithm.rollout_steps": 44, "steps": 300_000}),
    "repeat previous 4, PPO": (
        "memory-chain-ppo",
        {"env.id": "triptych/RepeatPrevious-v0", "env.length": 4, "algorithm.rollout_steps": 64, "algorithm.gamma": 0.1, "steps": 80_000},
    ),
    "blind catch, A2C": (
        "memory-chain-a2c", {"env.id": "triptych/Catch-v0", "env.blind": 8, "algorithm.rollout_steps": 20, "steps": 200_000},
    ),
}  # fmt: skip


def arm(task: str, label: str, **more: Any) -> Arm:
    """A way of doing one of the tasks, as changes of its recipe; `memory_` changes the layer that remembers."""
    recipe, given = (TASKS | POLICY_TASKS)[task]
    quick = {"steps": 3_000} if task in POLICY_TASKS else {"steps": 1_500, "warm_up": 200}
    place = 0 if task in POLICY_TASKS else 1
    changes = {name.replace("memory_", f"network.{place}."): value for name, value in more.items()}
    return Arm(task, label, recipe, {**given, "evaluate_every": 0, **changes}, quick)
