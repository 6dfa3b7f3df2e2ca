"""Runs a single file of CleanRL's, as its wheel has it, and notes when its lines about speed came; runs in its environment."""

import io
import os
import runpy
import sys
import tempfile
import time
from pathlib import Path


class Clock(io.TextIOBase):
    """Stands in for standard output and notes when each line about speed came."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def write(self, text: str) -> int:
        if text.startswith("SPS:"):
            self.times.append(time.perf_counter())
        return len(text)


def run(name: str, *arguments: object) -> list[float]:
    """Runs a file to its end; the seconds at which it printed its lines "SPS: ...", by a clock without a date."""
    import cleanrl_utils

    # The package named cleanrl is a folder of scripts beside this one.
    script = Path(cleanrl_utils.__file__).parents[1] / "cleanrl" / name
    sys.argv = [str(script), *map(str, arguments)]
    clock, stdout = Clock(), sys.stdout
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # it writes its log where it stands
        sys.stdout = clock
        try:
            runpy.run_path(str(script), run_name="__main__")
        finally:
            sys.stdout = stdout
            os.chdir("/")
    return clock.times
