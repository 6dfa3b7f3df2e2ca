"""Whether numbers stay finite."""

from __future__ import annotations

from collections.abc import Iterator

from triptych.checkup.findings import Finding, Signal
from triptych.checkup.monitors.base import Monitor
from triptych.training.callbacks.base import Run
from triptych.utils.failures import NotFiniteError

NOT_FINITE = Signal(
    "not-finite",
    "stop",
    "the run diverged",
    (
        "a learning rate that is too high, or no limit on the gradient's norm",
        "targets that grow without bound: the target network, the discount at an episode's end, rewards that are not scaled",
        "a logarithm, a division or a root in a loss or layer of one's own",
    ),
    "optimiser.learning_rate, optimiser.max_norm; the last rows of metrics.csv",
)


class Finite(Monitor):
    """A loss, a gradient or a weight that is no finite number has ended the run."""

    def judge(self, run: Run) -> Iterator[Finding]:
        if isinstance(run.failure, NotFiniteError):
            yield Finding(NOT_FINITE, str(run.failure), "finite numbers", run.counters.steps)
