"""The small tasks that several studies share, as changes of a recipe."""

from __future__ import annotations

from typing import Any

# Tasks that need memory, learned in a minute or a few.
DRQN: dict[str, dict[str, Any]] = {
    "positions": {"steps": 60_000},
    "memory chain 20": {
        "env.id": "triptych/MemoryChain-v0", "env.length": 20, "steps": 30_000, "algorithm.sequence_length": 22,
        "algorithm.burn_in": 0, "algorithm.epsilon_steps": 8_000, "algorithm.delta": 1.0,
    },
    "repeat previous 4": {
        "env.id": "triptych/RepeatPrevious-v0", "env.length": 4, "steps": 40_000, "algorithm.sequence_length": 20,
        "algorithm.burn_in": 8, "algorithm.gamma": 0.5, "algorithm.epsilon_steps": 10_000, "algorithm.delta": 1.0,
    },
    "blind catch": {
        "env.id": "triptych/Catch-v0", "env.blind": 6, "steps": 20_000, "algorithm.sequence_length": 10,
        "algorithm.burn_in": 0, "algorithm.epsilon_steps": 6_000, "algorithm.delta": 1.0,
    },
}  # fmt: skip
QUICK: dict[str, Any] = {"steps": 1_500, "warm_up": 200}


def changes(task: str, **more: Any) -> dict[str, Any]:
    """A task's changes of `drqn-cartpole`, and more."""
    return {**DRQN[task], "evaluate_every": 0, **more}
