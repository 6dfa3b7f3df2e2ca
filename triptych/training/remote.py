"""The other process of a Ray worker: it plays a rollout when it is asked to, and sends what the run counts of it."""

from __future__ import annotations

import os
import socket
import tempfile
import time
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from triptych import envs, frameworks
from triptych.frameworks import check_framework, xla
from triptych.recipes.load import run_file
from triptych.recipes.serialise import from_dict
from triptych.runs.travel import unpacked
from triptych.runs.trust import allow_job
from triptych.training.agent import make_learner
from triptych.training.counting import Tick
from triptych.training.loop import run_loop
from triptych.training.sight import Pace, Sight, sight_of
from triptych.training.worker import Gradient, Worker
from triptych.utils import install
from triptych.utils.checks import EnvironmentFailed, InputError, check
from triptych.utils.failures import first_line

# Of the process' environment, before a framework is imported: without it each worker takes a thread for every core.
THREADS = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC")}


class Answer(NamedTuple):
    """What a worker sends of a rollout."""

    ticks: list[Tick]  # its steps, without observations and states
    gradient: Gradient | None  # None: there was nothing to learn from
    problem: str = ""  # why it cannot play here, in a line
    failed: EnvironmentFailed | None = None  # its games have
    sight: Sight | None = None  # what the first worker sees, now and then
    ref: Any = None  # by which it was awaited


class RemoteWorker:
    """A `Worker` with a learner of its own, on one thread of the processor.

    Args:
        job: the recipe and the framework, the worker's number, which of its lives it is, the user's files to run first, and
            the version of Triptych that asks.
    """

    def __init__(self, job: dict[str, Any]):
        self.job = job
        self.worker: Worker | None = None
        self.pace = Pace()

    def begin(self) -> str:
        """Makes all that plays; why it cannot, or nothing."""
        job = self.job
        try:
            check(
                job["version"] == install.version(),
                "triptych here",
                install.version(),
                f"{job['version']}, as where the run is",
            )
            check_framework(job["framework"])
            with tempfile.TemporaryDirectory(prefix="triptych-") as folder:
                for name, text in job["texts"].items():
                    run_file(unpacked(name, text, Path(folder)))
            allow_job(job)
            recipe = from_dict(job["recipe"])
            frameworks.use_cpu()
            frameworks.set_threads(1)
            xla.set_convolutions(job.get("convolutions", ""))
            games = envs.make(recipe.env, recipe.num_envs)
            learner = make_learner(recipe, games, frameworks.load(job["framework"]).Learner)
            self.worker = Worker(recipe, games, learner, job["number"], job["life"])
            self.worker.try_gradient()  # compiled before the others play on
        except (InputError, EnvironmentFailed) as error:
            return f"{first_line(error)} (worker {job['number']} on {socket.gethostname()})"
        return ""

    def renew(self, life: str) -> str:
        """Begins new episodes, with new random numbers, in the games that it has; why it cannot, or nothing."""
        self.job |= {"life": life}
        if self.worker is None:
            return self.begin()
        before = self.worker
        try:
            self.worker = Worker(before.recipe, before.games, before.learner, before.number, life)
        except EnvironmentFailed as error:
            return f"{first_line(error)} (worker {before.number} on {socket.gethostname()})"
        return ""

    def process(self) -> int:
        """Its number on its machine."""
        return os.getpid()

    def play(self, weights: Mapping[str, np.ndarray], version: int, steps: int, frozen: tuple[str, ...] = ()) -> Answer:
        """Plays a rollout with these weights, and takes its gradient.

        Args:
            weights: by neutral name, read-only: they lie in Ray's store.
            version: updates behind them.
            steps: of the run, when they were handed out.
            frozen: the tensors of which no gradient is taken.
        """
        if self.worker is None and (problem := self.begin()):
            return Answer([], None, problem)
        worker = self.worker
        assert worker is not None
        worker.take({name: np.array(tensor) for name, tensor in weights.items()}, version, steps)
        worker.learner.freeze(frozen)
        try:
            ticks = [bare(tick) for tick in islice(run_loop(worker), worker.config.rollout_steps)]
            gradient = worker.gradient()
        except EnvironmentFailed as error:
            return Answer([], None, failed=error)
        sight = self.look(worker)
        if gradient is None:
            return Answer(ticks, None, sight=sight)
        scalars = {name: float(value) for name, value in gradient.scalars.items() if name != "td_error"}
        return Answer(ticks, gradient._replace(scalars=scalars), sight=sight)

    def look(self, worker: Worker) -> Sight | None:
        """What the first of the workers sees, every few seconds: the others' games are as good, and would be sent for nothing."""
        if worker.number or not self.pace.is_due:
            return None
        began = time.perf_counter()
        found = sight_of(worker)
        if found is not None:
            self.pace.taken(began)
        return found


def bare(tick: Tick) -> Tick:
    """A step without what is large."""
    return tick._replace(choice=tick.choice._replace(state=None), step=tick.step._replace(obs=None))
