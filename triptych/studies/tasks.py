"""The small tasks that several studies share, as changes of a recipe."""

from __future__ import annotations

from typing import Any

from triptych.studies import Arm

# Tasks that need memory, learned in a minute or a few.
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
QUICK: dict[str, Any] = {"steps": 1_500, "warm_up": 200}


def arm(task: str, label: str, **more: Any) -> Arm:
    """A way of doing one of the tasks, as changes of its recipe."""
    recipe, given = TASKS[task]
    return Arm(task, label, recipe, {**given, "evaluate_every": 0, **more})
