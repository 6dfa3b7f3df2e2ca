"""Attention against none, and against recurrence. (M11)"""

from typing import Any

from triptych.studies import Study
from triptych.studies.tasks import arm

TASKS = (
    "memory chain 20", "repeat previous 4", "positions", "memory chain 20, A2C", "repeat previous 4, PPO", "positions, PPO",
)  # fmt: skip
WINDOW = {"memory_length": 32}
KINDS: dict[str, dict[str, Any]] = {
    "none": {"memory": "none"},
    "lstm": {"memory": "lstm"},
    "attention": {"memory": "attention", **WINDOW},
    "attention, gated": {"memory": "attention", "memory_gated": True, **WINDOW},
}

study = Study(
    question="Does attention over the last 32 steps help where memory is needed, and do gates help it?",
    arms=tuple(arm(task, label, **given) for task in TASKS for label, given in KINDS.items()),
)
