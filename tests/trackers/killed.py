"""A mirror that is killed when it has sent so many rows: `python -m tests.trackers.killed FOLDER TRACKER ROWS`."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from triptych.trackers.base import Point
from triptych.trackers.mirror import Mirror

if __name__ == "__main__":
    folder, name, most = sys.argv[1:]
    mirror = Mirror(Path(folder), name)
    send, left = mirror.tracker.rows, int(most)

    def send_some(points: Sequence[Point]) -> None:
        half = min(left, len(points)) // 2
        send(points[:half])
        time.sleep(1.2)  # some tools write what they have a moment later: of these rows all, of the next none
        send(points[half:left])
        os.kill(os.getpid(), signal.SIGKILL)

    mirror.tracker.rows = send_some  # type: ignore[method-assign]
    mirror.go_on()
