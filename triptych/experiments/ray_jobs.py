"""Jobs as Ray tasks: each takes its threads as cores of a node, and a lost one is begun again where it was.

A job's process is the one that does it without Ray (`jobs.worker`); a `Host` beside it on its node watches it. What a run on
another machine makes comes home while it goes on, so that what is lost with a node is the time since.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from triptych.experiments.ray_table import LiveTable
from triptych.experiments.ray_task import RayJob
from triptych.utils import machine
from triptych.utils.checks import check
from triptych.utils.cluster import Cluster, open_ray
from triptych.utils.console import warn
from triptych.utils.leftovers import sweep
from triptych.utils.processes import Place

NODES = 10.0  # seconds between two looks at which nodes there are
On = Literal["here", "ray"]


@contextlib.contextmanager
def place_of(on: On, address: str | None, quiet: bool) -> Iterator[Place | None]:
    """Where jobs are done; None: on this machine, in processes of this one's own.

    Args:
        on: "here" or "ray".
        address: of a Ray cluster, as `open_ray` takes it.
        quiet: no table of what runs where.

    Raises:
        InputError: as `open_ray` says.
    """
    check_place(on, address)
    if on == "here":
        yield None
        return
    with open_ray(address) as cluster, OnRay(cluster, quiet) as place:
        yield place


def check_place(on: str, address: str | None) -> None:
    """Refuses what no place is made of."""
    check(on in ("here", "ray"), "on", on, "here, ray")
    check(on == "ray" or address is None, "address", address, "only with --on ray")


class OnRay:
    """A Ray cluster, where as many jobs run as have cores. A context manager, which shows them while it is entered."""

    def __init__(self, cluster: Cluster, quiet: bool = True):
        self.cluster, self.table = cluster, LiveTable(quiet)
        nodes = cluster.nodes()
        self.largest = max((node.cores for node in nodes), default=1)
        # Some more than there are cores for: the cluster may grow, and a core that comes free is not to wait for us.
        self.at_once = 2 * sum(node.cores for node in nodes) + 2
        self.warned = self.none_told = False
        self.looked = time.monotonic()

    def __enter__(self) -> OnRay:
        self.table.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.table.__exit__()
        sweep()  # of workers that were killed on this machine

    def start(self, entry: str, kind: str, job: dict[str, Any]) -> RayJob:
        cores = machine.threads_for(job["recipe"]["threads"])
        if cores > self.largest > 0 and not self.warned:
            self.warned = True
            warn(f"a run has {cores} threads, but no node has more than {self.largest} cores: they share them")
        return RayJob(self.cluster.ray, entry, kind, job, min(cores, self.largest) or cores)

    def look(self, running: Mapping[int, Any], waiting: int) -> None:
        self.table.show(list(running.values()), waiting)
        if time.monotonic() - self.looked > NODES:
            self.looked = time.monotonic()
            self.look_at_nodes(list(running.values()))

    def look_at_nodes(self, jobs: list[RayJob]) -> None:
        """Lets no job wait for cores that went away with a node."""
        self.largest = max((node.cores for node in self.cluster.nodes()), default=0)
        late = [job for job in jobs if job.state == "waiting" and time.monotonic() - job.asked > NODES]
        if late and self.largest == 0 and not self.none_told:
            warn("no node with a core is left: the runs wait until one comes")
        self.none_told = self.largest == 0
        for job in late:
            if 0 < self.largest < job.cores:
                warn(f"{job.name}: no node has {job.cores} cores now; its threads share {self.largest}")
                job.take_fewer(self.largest)
