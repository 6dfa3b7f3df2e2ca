"""In a process that was begun for a job: it reads the job, and ends with whoever gave it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from typing import Any

PATIENCE = 120.0  # seconds that a process without its parent is given to save


def read_job() -> dict[str, Any]:
    """In a process that `start` made: the job. From then on it ends with whoever gave it, however that one ends."""
    job = json.loads(sys.stdin.readline())
    pipe = os.dup(0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # the user's code finds nothing to read there
    threading.Thread(target=end_with, args=(pipe,), daemon=True).start()
    return job


def end_with(pipe: int) -> None:
    """Waits for the end of whoever holds the other end of a pipe; then this process saves and stops, as after SIGTERM."""
    with contextlib.suppress(OSError):
        while os.read(pipe, 1024):
            pass
    if sys.platform == "win32":
        signal.raise_signal(signal.SIGTERM)
    else:
        os.kill(os.getpid(), signal.SIGTERM)  # to the main thread, which may wait in a call of the system
    time.sleep(PATIENCE)
    os._exit(128 + signal.SIGTERM)
