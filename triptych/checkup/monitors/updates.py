"""Whether the run learns at all: updates against what its settings promise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from triptych.checkup.findings import Finding, Signal
from triptych.checkup.monitors.base import Monitor
from triptych.training.callbacks.base import Run

NEVER = Signal(
    "no-updates",
    "stop",
    "nothing is learned",
    (
        "a warm-up, `learn_from` or a batch that is larger than the replay, or than the whole run",
        "an update that is never reached: a condition that is never true",
    ),
    "algorithm.warm_up, learn_from, batch_size, replay_size; the place that calls the learner's update",
)
PATIENCE = 2_000  # steps after the warm-up in which the first update must come


class Updates(Monitor):
    """Off-policy: the first update must follow the warm-up."""

    def judge(self, run: Run) -> Iterator[Finding]:
        config, counters = cast(Any, run.recipe.algorithm), run.counters
        if config.family != "off-policy" or counters.updates:
            return
        begins = max(config.warm_up, config.learn_from or 0)
        if counters.steps > begins + PATIENCE:
            yield Finding(
                NEVER, f"no update in {counters.steps:,} steps", f"the first one soon after step {begins:,}", begins
            )
