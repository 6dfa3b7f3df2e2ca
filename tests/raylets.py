"""A Ray cluster on this machine for tests: a head without cores, and raylets that come and go when they are told to.

As a program it reads what to do from standard input, a line each, and answers each with one: the address at first, then `add CORES`
(the new raylet's number) and `kill NUMBER` (SIGKILL, with the raylet's agents).
"""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any


class Raylets:
    """A context manager: while it is entered the cluster is there.

    Attributes:
        address: HOST:PORT of its head.
        variables: of the environment, with which it is joined.
    """

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(dir="/tmp", prefix="r-", ignore_cleanup_errors=True)  # short: sockets
        (Path(self.folder.name) / "ray").mkdir()
        self.variables = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        loopback = {
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_TMPDIR": self.folder.name,
        }
        quick = {"RAY_health_check_period_ms": "500", "RAY_health_check_failure_threshold": "3"}
        environment = os.environ | self.variables | loopback | quick
        self.process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment,
        )  # fmt: skip
        self.address = self.line()

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def tell(self, words: str) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()
        return self.line()

    def add(self, cores: int, path: Path | None = None) -> int:
        """Adds a raylet. `path`: a folder that its processes import from first."""
        return int(self.tell(f"add {cores} {path or ''}"))

    def kill(self, number: int) -> None:
        assert self.tell(f"kill {number}") == "killed"

    def __enter__(self) -> Raylets:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.process.communicate("end\n", timeout=60)
        self.folder.cleanup()


def main() -> None:
    import psutil
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    print(cluster.address, flush=True)
    nodes: list[Any] = []
    for line in sys.stdin:
        what, *number = line.split()
        if what == "end":
            break
        if what == "add":
            place = {"env_vars": {"PYTHONPATH": os.pathsep.join([*number[1:], os.environ.get("PYTHONPATH", "")])}}
            nodes.append(cluster.add_node(num_cpus=int(number[0]), **(place if number[1:] else {})))
            print(len(nodes) - 1, flush=True)
        else:
            raylet = psutil.Process(nodes[int(number[0])].all_processes["raylet"][0].process.pid)
            agents = [
                child for child in raylet.children() if "Agent" in child.name() or "Agent" in " ".join(child.cmdline())
            ]
            for process in [raylet, *agents]:
                with contextlib.suppress(psutil.Error):  # an agent ends with its raylet
                    process.kill()
            print("killed", flush=True)
    everything = psutil.Process().children(recursive=True)
    cluster.shutdown()
    for process in everything:
        with contextlib.suppress(psutil.Error):
            process.kill()


if __name__ == "__main__":
    main()
