"""Attention against none, and against recurrence. (M11)"""

from typing import Any

from triptych.studies import Study
from triptych.studies.tasks import QUICK, arm

WINDOW = {"network.1.length": 32}
KINDS: dict[str, dict[str, Any]] = {
    "none": {"memory": "none"},
    "lstm": {"memory": "lstm"},
    "attention": {"memory": "attention", **WINDOW},
    "attention, gated": {"memory": "attention", "network.1.gated": True, **WINDOW},
}

study = Study(
    question="Does attention over the last 32 steps help where memory is needed, and do gates help it?",
    arms=tuple(
        arm(task, label, **given)
        for task in ("memory chain 20", "repeat previous 4", "positions")
        for label, given in KINDS.items()
    ),
    quick=QUICK,
)
