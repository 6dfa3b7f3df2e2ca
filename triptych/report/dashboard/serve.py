"""`triptych dashboard`: opens a port on this machine and shows a folder of runs there until it is stopped."""

from __future__ import annotations

import errno
import os
import socket
import sys
import webbrowser
from collections.abc import Callable
from pathlib import Path

from triptych.utils.checks import InputError, check
from triptych.utils.console import put, say
from triptych.utils.install import install_hint

HOST = "127.0.0.1"  # never another one: what stands in a run's folder is its owner's
PORT = 7007
PATIENCE = 2  # seconds for which answers under way are waited for at the end


def dashboard(runs: Path, port: int = PORT, *, opened: bool = True, tell: Callable[[str], None] = put) -> None:
    """Serves the page until Ctrl-C.

    Args:
        runs: a folder of runs, or a run's.
        port: 0 for any that is free.
        opened: show it in a browser, where there is a screen.
        tell: is given the page's address.

    Raises:
        InputError: the libraries are not installed, there is no such folder, or the port cannot be had.
        KeyboardInterrupt: it was stopped.
    """
    check_libraries()
    if not runs.is_dir():
        raise InputError(
            f"runs are {str(runs)!r}: no such folder; allowed: a folder of runs, or a run's name or folder"
        )
    check(0 <= port <= 65_535, "port", port, "0 to 65535; 0 for any that is free")
    with listening(port) as here:
        import uvicorn

        from triptych.report.dashboard.app import app_of
        from triptych.report.dashboard.live import Live

        address = f"http://{HOST}:{here.getsockname()[1]}"
        tell(address)
        say(f"shows {runs}, on this machine alone; Ctrl-C ends it")
        if opened and has_screen():
            webbrowser.open(address)
        config = uvicorn.Config(
            app_of(Live(runs)), log_config=None, access_log=False, server_header=False, lifespan="off", ws="none",
            proxy_headers=False, timeout_graceful_shutdown=PATIENCE,
        )  # fmt: skip
        uvicorn.Server(config).run(sockets=[here])


def check_libraries() -> None:
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ModuleNotFoundError as error:
        raise InputError(f"dashboard needs {error.name}, which is not installed: {install_hint('dashboard')}") from None


def listening(port: int) -> socket.socket:
    """A socket that listens on this machine alone.

    Raises:
        InputError: the port is in use, or not for this user.
    """
    here = socket.socket()
    try:
        if os.name != "nt":  # there it would take the port from another program
            here.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        here.bind((HOST, port))
        here.listen(128)
    except OSError as error:
        here.close()
        reason = "which is in use" if error.errno == errno.EADDRINUSE else f"which cannot be opened ({error.strerror})"
        raise InputError(
            f"port is {port}, {reason}; allowed: another --port, or --port 0 for any that is free"
        ) from None
    return here


def has_screen() -> bool:
    """Whether a browser could show itself to whoever typed the command, and is not one that draws into the terminal."""
    if os.environ.get("SSH_CONNECTION") or not sys.stdout.isatty():
        return False
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
