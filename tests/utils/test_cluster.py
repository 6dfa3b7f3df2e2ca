"""Ray, started and ended, with real processes: whom it listens to, what is left of it, and addresses where nothing answers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from triptych.utils import clusters
from triptych.utils.checks import InputError
from triptych.utils.cluster import open_ray, task_options
from triptych.utils.leftovers import PROCESSES, is_alive, noted, own_place, running

# Starts Ray, tells the ids of its processes, and then does what it is told to.
DRIVER = """
import os, signal, sys, time
from triptych.utils.cluster import open_ray
from triptych.utils.leftovers import below
with open_ray() as cluster:
    print(*(number for number, _ in below(2)), flush=True)
    if sys.argv[1] == "raise":
        raise ValueError("on purpose")
    time.sleep(600)
"""


class Asked:
    """An actor."""

    def about(self) -> tuple[int, str | None, str]:
        return os.getpid(), os.environ.get("OMP_NUM_THREADS"), os.environ["RAY_AUTH_MODE"]


def started(what: str) -> tuple[subprocess.Popen[str], list[psutil.Process]]:
    """A process with a Ray of its own, and the processes of that."""
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, what], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    found = []
    for number in process.stdout.readline().split():
        if psutil.pid_exists(int(number)):
            found.append(psutil.Process(int(number)))
    assert len(found) >= 6, process.stderr
    return process, found


def alive(found: list[psutil.Process]) -> list[int]:
    return [one.pid for one in found if is_alive(one)]


def ended(process: subprocess.Popen[str]) -> int:
    process.communicate(timeout=60)
    return process.returncode


def test_a_cluster_of_our_own_is_nobody_elses(capfd: pytest.CaptureFixture[str]) -> None:
    """It listens on the loopback alone, asks for a token that no file holds, prints nothing, and is gone afterwards."""
    before, environment = signal.getsignal(signal.SIGTERM), dict(os.environ)
    home = Path.home() / ".ray"
    was_there = home.exists()
    others = set(psutil.Process().children(recursive=True))  # what other tests have left to end with this process
    with open_ray() as found:
        assert found.local
        (node,) = found.nodes()
        assert node.host == "127.0.0.1"
        actor = found.ray.remote(Asked).options(**task_options(1, {"OMP_NUM_THREADS": "3"})).remote()
        number, threads, mode = found.ray.get(actor.about.remote())
        assert (threads, mode) == ("3", "token")
        assert number != os.getpid()
        family = [psutil.Process(), *(set(psutil.Process().children(recursive=True)) - others)]
        listening = [one.laddr.ip for process in family for one in connections(process) if one.status == "LISTEN"]
        assert len(listening) > 4
        assert {address.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}
        ours = {process.pid for process in family}  # beside folders of others that run meanwhile
        folders = [one for one in own_place().iterdir() if {number for number, _ in noted(one / PROCESSES)} & ours]
        assert len(folders) == 1
    assert alive(family[1:]) == []
    assert not [folder for folder in folders if folder.exists()]
    assert home.exists() == was_there
    assert signal.getsignal(signal.SIGTERM) is before
    assert dict(os.environ) == environment
    assert capfd.readouterr() == ("", "")


def connections(process: psutil.Process) -> list[psutil._common.pconn]:
    try:
        return process.net_connections()
    except psutil.Error:
        return []


def test_a_ray_beside_jax_starts_without_a_warning() -> None:
    """Which warns wherever a process forks."""
    import jax

    jax.numpy.zeros(1).block_until_ready()
    with open_ray() as cluster:
        assert cluster.nodes()


@pytest.mark.parametrize(("what", "number", "code"), [
    ("raise", None, 1), ("wait", signal.SIGINT, -signal.SIGINT), ("wait", signal.SIGTERM, 1),
])  # fmt: skip
def test_nothing_outlives_its_driver(what: str, number: int | None, code: int) -> None:
    process, found = started(what)
    if number is not None:
        process.send_signal(number)
    assert ended(process) == code
    assert alive(found) == []


def test_the_next_start_sweeps_what_a_killed_driver_left() -> None:
    process, found = started("wait")
    process.kill()
    ended(process)
    (folder,) = [
        one
        for one in own_place().iterdir()
        if {p.pid for p in running(noted(one / PROCESSES))} & {p.pid for p in found}
    ]
    with open_ray():
        assert alive(found) == []
        assert not folder.exists()


def test_a_dead_cluster_of_somebody_else_is_no_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray keeps the address of the last one, which it would join."""
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:6399")
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text("127.0.0.1:6399")
    with open_ray() as found:
        assert found.local


@pytest.mark.parametrize("address", ["ray://head:10001", "head", "head:port", ":6379", "head:70000", ""])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(InputError, match=r"^address is .*; allowed: auto, or HOST:PORT"), open_ray(address):
        pass


def test_an_address_where_nobody_listens_is_refused_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with (
        pytest.raises(InputError, match=rf"^address is '127.0.0.1:{port}': nobody listens there \("),
        open_ray(f"127.0.0.1:{port}"),
    ):
        pass


def test_a_port_that_is_no_clusters_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray would wait for two minutes, and then end the process."""
    monkeypatch.setattr(clusters, "ANSWER", 3.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with (
            pytest.raises(InputError, match="no cluster of this machine and this token answered in 3 seconds"),
            open_ray(address),
        ):
            pass
    assert clusters.KNOCK + 14 < 20


def test_ray_that_is_not_installed_is_said_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with (
        pytest.raises(InputError, match=r"^--on ray needs ray, which is not installed: pip install .*\[ray\]"),
        open_ray(),
    ):
        pass


def test_a_token_that_others_can_read_is_closed_to_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "token"
    file.write_text("ab" * 32)
    file.chmod(0o644)
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(file))
    clusters.set_mode()
    assert file.stat().st_mode & 0o777 == 0o600
    assert os.environ.pop("RAY_AUTH_MODE") == "token"
    assert "could be read by others" in capsys.readouterr().err
