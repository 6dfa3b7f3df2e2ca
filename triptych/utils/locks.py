"""Locks on files: held by one process, and gone with it."""

from __future__ import annotations

import sys
import time
from typing import Any


def try_lock(file: Any) -> bool:
    """Takes an exclusive lock that ends with the process; False where another process holds it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def wait_for_lock(file: Any, patience: float = 30.0) -> bool:
    """The same, trying again for so many seconds."""
    end = time.monotonic() + patience
    while not (taken := try_lock(file)) and time.monotonic() < end:
        time.sleep(0.05)
    return taken
