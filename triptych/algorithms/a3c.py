"""A3C (Mnih et al. 2016, algorithm S3): workers that play apart, and one learner that takes their gradients as they come."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from triptych.algorithms import a2c, base
from triptych.algorithms.a2c import make_loss as make_loss
from triptych.algorithms.a2c import network as network
from triptych.spec.batches import Rollout
from triptych.utils.checks import at_least, check, one_of, positive

SCHEDULES = ("round-robin",)


@dataclass(frozen=True)
class Config(a2c.Config):
    """A3C's settings: those of A2C, of each worker. `num_envs` are the games of each worker; each has weights of its own.

    A worker plays `rollout_steps` with the weights it has and takes the gradient of A2C's loss there. When the learner applies
    it, other workers' gradients have moved the weights meanwhile: the updates in between are the gradient's staleness.
    """

    workers: int = 2  # each with `num_envs` games, a memory's state and weights of its own
    schedule: Literal["round-robin"] = "round-robin"  # in one process: the workers' gradients come in turn
    # by worker, the updates between its taking weights and its gradient's turn, 0 to workers - 1; None: workers - 1 for all
    delays: tuple[int, ...] | None = None
    max_staleness: int | None = None  # an older gradient is dropped and counted; None: 4 times the workers

    worker_timeout: float = 120.0  # with Ray: seconds for a rollout, after which another worker takes its place

    kind: ClassVar[str] = "a3c"
    family: ClassVar[base.Family] = "asynchronous"
    metrics: ClassVar[tuple[str, ...]] = (*a2c.Config.metrics, "staleness_mean", "staleness_max")

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self, "workers", "worker_timeout")
        at_least(self, 0, "max_staleness")
        one_of(self, "schedule", SCHEDULES)
        if self.delays is None:
            return
        most = self.workers - 1
        whole = all(isinstance(delay, int) and not isinstance(delay, bool) for delay in self.delays)
        fits = len(self.delays) == self.workers and whole and all(0 <= delay <= most for delay in self.delays)
        allowed = f"{self.workers} whole numbers from 0 to {most} (workers - 1), one a worker"
        check(fits, "delays", self.delays, allowed)

    def delay(self, worker: int) -> int:
        """Updates between a worker's taking weights and its gradient's turn, where the workers take turns."""
        return self.workers - 1 if self.delays is None else self.delays[worker]

    @property
    def oldest(self) -> int:
        """The staleness up to which a gradient is applied."""
        return 4 * self.workers if self.max_staleness is None else self.max_staleness

    def games_at_once(self, num_envs: int) -> int:
        return self.workers * num_envs

    def warnings(self, steps: int, num_envs: int) -> list[str]:
        found = super().warnings(steps, num_envs)
        late = [str(worker) for worker in range(self.workers) if self.delay(worker) > self.oldest]
        told = f"gradients of worker {', '.join(late)} come later than max_staleness ({self.oldest}) and are dropped"
        return [*found, told] if late else found

    def unreached(self, steps: int, num_envs: int) -> str:
        return super().unreached(steps, self.games_at_once(num_envs))

    def steps_before_updates(self, num_envs: int) -> int:
        return super().steps_before_updates(self.games_at_once(num_envs))

    def check_apart(self) -> None:
        allowed = "none with --on ray: there a gradient is as old as the machines make it"
        check(self.delays is None, "algorithm.delays", self.delays, allowed)

    def smallest(self, num_envs: int) -> Self:
        return dataclasses.replace(self, workers=1, delays=None)


algorithm = base.Algorithm(Config, network, make_loss, Rollout)
