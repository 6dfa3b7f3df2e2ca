"""Attention against none, and against recurrence. (M11; the actor-critics' half comes with them.)"""

from typing import Any

from triptych.studies import Arm, Study
from triptych.studies.tasks import QUICK, changes

KINDS: dict[str, dict[str, Any]] = {
    "none": {"memory": "none"},
    "lstm": {"memory": "lstm"},
    "attention": {"memory": "attention"},
    "attention, gated": {"memory": "attention", "network.1.gated": True},
}

study = Study(
    question="Does attention over the last 32 steps help where memory is needed, and do gates help it?",
    arms=tuple(
        Arm(
            task,
            label,
            "drqn-cartpole",
            changes(task, **given, **({"network.1.length": 32} if "attention" in label else {})),
        )
        for task in ("memory chain 20", "repeat previous 4", "positions")
        for label, given in KINDS.items()
    ),
    quick=QUICK,
)
