"""Somebody's Ray cluster: whether it answers, and joining it. Ray itself would wait for minutes, and then end this process."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from triptych.utils.checks import InputError, shown
from triptych.utils.console import warn
from triptych.utils.failures import first_line

ALLOWED = "auto, or HOST:PORT of a Ray cluster that this machine has joined (ray start --address=HOST:PORT)"
LOOPBACK = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"  # "0": as on those systems Ray then binds everything to 127.0.0.1
KNOCK, ANSWER = 5.0, 14.0  # seconds for a port to open, and for the cluster behind it to answer
# In a process of its own, since nothing stops Ray where it waits: joins, and prints where.
PROBE = r"""
import logging, sys
import ray
ray.init(address=sys.argv[1], logging_level=logging.CRITICAL, log_to_driver=False)
print("\nat", ray.get_runtime_context().gcs_address, flush=True)
"""


def checked(address: str) -> str:
    """The address of a cluster that answers, within 20 seconds; nothing of it has been used yet.

    Raises:
        InputError: the address is none, nobody answers there, or not this machine.
    """
    if address != "auto":
        knock(address)
        if address.startswith(("127.", "localhost:", "[::1]:")):
            os.environ.setdefault(LOOPBACK, "0")  # Ray would turn it into an address that others can reach
    set_mode()
    command = [sys.executable, "-c", PROBE, address]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise unusable(address, f"no cluster of this machine and this token answered in {ANSWER:.0f} seconds") from None
    if found.returncode != 0:
        said = next((line for line in reversed(found.stderr.splitlines()) if line.strip()), "it ended without a word")
        raise unusable(address, said)
    # Ray may tell of its nodes there, too.
    return next(line.split()[1] for line in found.stdout.splitlines() if line.startswith("at "))


def unusable(address: str, why: str) -> InputError:
    return InputError(f"address is {shown(address)}: {why}; allowed: {ALLOWED}")


def knock(address: str) -> None:
    """Refuses an address behind which nobody listens."""
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise InputError(f"address is {shown(address)}; allowed: {ALLOWED}")
    try:
        socket.create_connection((host.strip("[]"), int(port)), KNOCK).close()
    except OSError as error:
        raise unusable(address, f"nobody listens there ({error.strerror or error})") from None


def set_mode() -> None:
    """Ray wants to be told that there is a token, where an address is given; and a token is for its owner's eyes."""
    if "RAY_AUTH_MODE" in os.environ:
        return
    file = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token")
    if "RAY_AUTH_TOKEN" in os.environ or file.is_file():
        os.environ["RAY_AUTH_MODE"] = "token"
    close_to_others(file)


def close_to_others(file: Path) -> None:
    """Takes a token file that others may read from them; Ray writes its own with mode 0644."""
    with contextlib.suppress(OSError):
        told = file.stat()
        if os.name != "nt" and told.st_uid == os.getuid() and stat.S_IMODE(told.st_mode) & 0o077:
            file.chmod(0o600)
            warn(f"{file} could be read by others; it has mode 0600 now")


@contextlib.contextmanager
def joined(address: str, imported: Callable[[], Any]) -> Iterator[Any]:
    """Ray as a part of that cluster, which stays as it is afterwards."""
    ray = imported()
    forget(ray)
    before = handlers()
    try:
        ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False)
    except (Exception, SystemExit) as error:
        raise unusable(address, first_line(error)) from error
    finally:
        give_back(before)
    try:
        yield ray
    finally:
        with unharmed():
            ray.shutdown()


@contextlib.contextmanager
def forking() -> Iterator[None]:
    """While Ray begins its processes: each is another program at once, so that JAX need not warn of threads that fork."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"os\.fork\(\) was called", RuntimeWarning)
        yield


@contextlib.contextmanager
def unharmed() -> Iterator[None]:
    """Passes over what goes wrong while Ray ends: its processes are killed in any case."""
    with contextlib.suppress(Exception, SystemExit):
        yield


def handlers() -> dict[int, Any]:
    """What this program does at a signal."""
    return {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}


def give_back(before: dict[int, Any]) -> None:
    """Puts handlers of signals back: Ray takes their place when it starts."""
    if threading.current_thread() is threading.main_thread():
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def changed_environment(variables: dict[str, str]) -> Iterator[None]:
    """Sets variables of this process, which those begun meanwhile inherit; afterwards all is as it was, what Ray has set too."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)


def forget(ray: Any) -> None:
    """Lets Ray look at the environment again, where this program has used it before: it keeps the token and what it binds to."""
    with contextlib.suppress(AttributeError, ImportError):
        constants: Any = importlib.import_module("ray._private.ray_constants")
        constants.ENABLE_RAY_CLUSTER = os.environ.get(LOOPBACK) != "0"
        ray._raylet.Config.initialize("")
        ray._raylet.AuthenticationTokenLoader.instance().reset_cache()
