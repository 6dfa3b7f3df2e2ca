"""The process that mirrors a run to one tracker while it trains: what hangs, fails or takes long there does so here.

It ends with the run: where the run's process is gone, it sends what is safe and closes, in the time that it has.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from pathlib import Path
from typing import TextIO

from triptych.trackers.failures import in_a_line
from triptych.trackers.mirror import Mirror
from triptych.trackers.state import LAST

PAUSE = 60.0  # seconds after which it looks by itself, as where a run has kept a checkpoint between its regular ones


def main(folder: str, name: str, group: str = "") -> None:
    """Mirrors until standard input ends, with the run or before it. One line of JSON on standard output says what came of it."""
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the tools print stands in the log
    if hasattr(os, "nice"):
        os.nice(19)  # the run comes first
    said: queue.SimpleQueue[bool] = queue.SimpleQueue()
    threading.Thread(target=listen, args=(said,), daemon=True).start()
    try:
        with Mirror(Path(folder), name, group=group or None) as mirror:
            while not is_over(said):
                mirror.go_on()
            rows = mirror.go_on(final=True)
            print(f"{rows} rows at the end; {mirror.reader.count} in all", flush=True)
        tell(answer, {"where": mirror.tracker.where})
    except BaseException as error:
        tell(answer, {"failed": in_a_line(error)})
        raise


def tell(answer: TextIO, what: dict[str, str]) -> None:
    print(json.dumps(what), file=answer, flush=True)


def is_over(said: queue.SimpleQueue[bool]) -> bool:
    """Waits until there is something to do; True: the last pass. What was said meanwhile is done in one."""
    try:
        is_last = said.get(timeout=PAUSE)
        while not is_last:
            is_last = said.get_nowait()
    except queue.Empty:
        return False
    return True


def listen(said: queue.SimpleQueue[bool]) -> None:
    """Hears of checkpoints, a line each, until the run has ended, and from then on counts the time."""
    for _ in sys.stdin:
        said.put(False)
    said.put(True)
    timer = threading.Timer(LAST, os._exit, [1])
    timer.daemon = True
    timer.start()


if __name__ == "__main__":
    main(*sys.argv[1:])
