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

from triptych.trackers.mirror import Mirror
from triptych.utils.failures import first_line

LAST = 120.0  # seconds from the end of the run until this process is gone, whatever hangs in it
PAUSE = 60.0  # seconds after which it looks by itself, as where a run has kept a checkpoint between its regular ones
NEWS, END = "news", "end"  # what the run says, a line each


def main(folder: str, name: str) -> None:
    """Mirrors until the run says that it has ended, or is gone. One line of JSON on standard output says what came of it."""
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the tools print stands in the log
    if hasattr(os, "nice"):
        os.nice(19)  # the run comes first
    said: queue.SimpleQueue[bool] = queue.SimpleQueue()
    threading.Thread(target=listen, args=(said,), daemon=True).start()
    try:
        with Mirror(Path(folder), name) as mirror:
            while not is_over(said):
                mirror.go_on()
            rows = mirror.go_on(final=True)
            print(f"{rows} rows at the end; {mirror.reader.count} in all", flush=True)
        tell(answer, {"where": mirror.tracker.where})
    except BaseException as error:
        tell(answer, {"failed": first_line(error)})
        raise


def tell(answer: TextIO, what: dict[str, str]) -> None:
    print(json.dumps(what), file=answer, flush=True)


def is_over(said: queue.SimpleQueue[bool]) -> bool:
    """Waits until there is something to do; True: the last pass."""
    try:
        return said.get(timeout=PAUSE)
    except queue.Empty:
        return False


def listen(said: queue.SimpleQueue[bool]) -> None:
    """Hears the run until it has ended, and from then on counts the time."""
    for line in sys.stdin:
        if line.strip() == END:
            break
        said.put(False)
    said.put(True)
    timer = threading.Timer(LAST, os._exit, [1])
    timer.daemon = True
    timer.start()


if __name__ == "__main__":
    main(*sys.argv[1:])
