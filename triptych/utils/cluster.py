"""Ray, started and ended: the one place that imports it.

    with open_ray(address) as cluster:                       # None: a cluster of our own on this machine
        Actor = cluster.ray.remote(Worker).options(**task_options(cores=2, variables={"OMP_NUM_THREADS": "2"}))
        ...

Whoever wants work done elsewhere takes `cluster.ray` from here, ends its own tasks before the end of the `with`, and never
calls `ray.init` or `ray.shutdown`. A cluster of our own listens on the loopback alone, asks for a token that no file holds,
and ends with this process: its processes are killed by their ids, its folder is removed, and where this process was killed
the next `open_ray` does it. Ray keeps no statistics of use, opens no dashboard and prints nothing.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import logging
import os
import secrets
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from triptych.utils import clusters, machine
from triptych.utils.checks import InputError
from triptych.utils.console import detail
from triptych.utils.failures import first_line
from triptych.utils.install import install_hint
from triptych.utils.interrupts import HANGUP, Interrupted
from triptych.utils.leftovers import Scratch, below

# Before Ray is imported.
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # no statistics sent home
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",  # under `uv run` the workers take the environment that is there
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # a task without a GPU of its own finds CUDA_VISIBLE_DEVICES as it was
}
GENERATIONS = 2  # of processes that are Ray's: what this one begins, and the workers that those begin


@dataclass(frozen=True)
class Node:
    """A machine of a cluster, or one that plays one."""

    id: str
    host: str  # its address
    cores: int


@dataclass(frozen=True)
class Cluster:
    """Ray, ready for work.

    Attributes:
        ray: the module.
        local: whether it is a cluster of our own, on this machine.
    """

    ray: Any
    local: bool

    def nodes(self) -> list[Node]:
        """The nodes that are alive now."""
        return [
            Node(node["NodeID"], node["NodeManagerAddress"], int(node["Resources"].get("CPU", 0)))
            for node in self.ray.nodes()
            if node["Alive"]
        ]


@contextlib.contextmanager
def open_ray(address: str | None = None) -> Iterator[Cluster]:
    """Ray for as long as this is entered.

    A Ray that the calling program has started or joined itself is taken as it is, and left as it is.

    Args:
        address: None: a cluster of our own on this machine, which never joins another one; "auto": the cluster that runs on
            this machine; "HOST:PORT": that one, of which this machine is a node.

    Raises:
        InputError: Ray is not installed, or nothing that can be used answers at the address.
    """
    if importlib.util.find_spec("ray") is None:
        raise InputError(f"--on ray needs ray, which is not installed: {install_hint('ray')}")
    if "ray" in sys.modules and sys.modules["ray"].is_initialized():
        yield Cluster(sys.modules["ray"], local=False)
    elif address is None:
        with own_cluster() as ray:
            yield Cluster(ray, local=True)
    else:
        with clusters.changed_environment({}), clusters.joined(clusters.checked(address), imported) as ray:
            yield Cluster(ray, local=False)


def task_options(cores: int, variables: dict[str, str] | None = None) -> dict[str, Any]:
    """What `.options(...)` of a task or an actor gets.

    Args:
        cores: that it takes from its node.
        variables: of its process' environment, set before anything is imported there, such as its threads.
    """
    env = {"runtime_env": {"env_vars": variables}} if variables else {}
    return {"num_cpus": cores, **env}


def imported() -> Any:
    """The module, told to be quiet."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    ray = importlib.import_module("ray")
    with contextlib.suppress(ImportError):  # what it says of nodes on standard output, whatever it was told of logs
        inside: Any = importlib.import_module("ray._private.worker")
        inside.print_to_stdstream = lambda data, *_, **__: detail(f"Ray: {' '.join(data['lines'])}")
    return ray


@contextlib.contextmanager
def own_cluster() -> Iterator[Any]:
    """A cluster on this machine that nobody else can reach, and that ends with this process."""
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32), clusters.LOOPBACK: "0"}
    with Scratch() as scratch, clusters.changed_environment(token), stoppable():
        ray = imported()
        clusters.forget(ray)
        scratch.path.joinpath("r").mkdir()  # Ray opens its folder to everybody, but ours lies around it
        try:
            with noting(scratch):
                handlers = clusters.handlers()
                try:
                    with clusters.forking():
                        ray.init(
                            address="local",
                            num_cpus=machine.cores(),
                            include_dashboard=False,
                            logging_level=logging.ERROR,
                            log_to_driver=False,
                            _temp_dir=str(scratch.path / "r"),
                        )
                except (Exception, SystemExit) as error:
                    raise InputError(
                        f"Ray did not start here ({first_line(error)}); allowed: without --on ray"
                    ) from error
                finally:
                    clusters.give_back(handlers)
                yield ray
        finally:
            scratch.note(below(GENERATIONS, named=str(scratch.path)))  # the youngest ones
            with clusters.unharmed():
                ray.shutdown()


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """SIGTERM and SIGHUP, which would end this process at once, become an exception, so that it clears up."""
    before: dict[int, Any] = {}

    def stop(number: int, frame: Any) -> None:
        raise Interrupted(number)

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, HANGUP):
            if number is not None and signal.getsignal(number) == signal.SIG_DFL:
                before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        clusters.give_back(before)


@contextlib.contextmanager
def noting(scratch: Scratch, every: float = 0.1) -> Iterator[None]:
    """Writes down Ray's processes as they come: whoever kills this one leaves a list of them."""
    done = threading.Event()

    def watch() -> None:
        wait = every
        while not done.wait(wait):
            with contextlib.suppress(OSError):
                scratch.note(below(GENERATIONS, named=str(scratch.path)))
            wait = min(wait * 1.05, 2.0)  # most of them come at the start

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
