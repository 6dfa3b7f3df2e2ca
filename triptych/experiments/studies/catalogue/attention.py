"""Attention against none, and against recurrence. (M11)"""

from typing import Any

from triptych.experiments.studies import Study
from triptych.experiments.studies.tasks import arm

TASKS = (
    "memory chain 20", "repeat previous 4", "positions", "memory chain 20, A2C", "repeat previous 4, PPO", "positions, PPO",
)  # fmt: skip
KINDS: dict[str, dict[str, Any]] = {
    "none": {"memory": "none"},
    "lstm": {"memory": "lstm"},
    "attention": {"memory": "attention"},
    "attention, gated": {"memory": "attention", "memory_gated": True},
}
STEPS = 32
SHORTER = {
    "repeat previous 4": 16
}  # whose sequences of 20 steps begin from zeros: what lies farther back is never learned


def window(task: str, label: str) -> dict[str, Any]:
    return {"memory_length": SHORTER.get(task, STEPS)} if "attention" in label else {}


study = Study(
    question="Does attention over the last 32 steps help where memory is needed, and do gates help it?",
    learned="With Q-learning, attention keeps the chain's sign as surely as an LSTM where its window reaches, and with gates it is the best on the positions. With PPO that turns round: the LSTM is clearly ahead on the positions, and attention on repeat previous. So there is no answer without the learner beside it.",
    arms=tuple(arm(task, label, **given, **window(task, label)) for task in TASKS for label, given in KINDS.items()),
    reading="Repeat previous with DRQN: the last 16 steps. The kinds are of different size; see the parameters.",
)
