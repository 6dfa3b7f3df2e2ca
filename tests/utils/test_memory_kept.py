"""malloc keeps what an update frees: counted as page faults of a process of its own."""

import os
import platform
import subprocess
import sys

import pytest

WORK = """
import resource, sys
from triptych.utils import machine

told = machine.keep_memory() if sys.argv[1] == "keep" else None

def update():  # blocks small and large, 160 MB, on a thread of their own
    small, large = [b"x" * 2_500_000 for _ in range(32)], b"x" * 80_000_000

from threading import Thread
faults = []
for _ in range(4):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    thread = Thread(target=update)
    thread.start()
    thread.join()
    faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
print(told, faults[-1])
"""
GLIBC = platform.libc_ver()[0] == "glibc"  # elsewhere nothing is told


def faults(what: str, **environment: str) -> tuple[str, int]:
    own = {name: said for name, said in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_TUNABLES"))}
    command = [sys.executable, "-c", WORK, what]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=own | environment)
    told, count = done.stdout.split()
    return told, int(count)


def test_freed_blocks_are_kept_for_the_next_update():
    told, kept = faults("keep")
    _, usual = faults("leave")
    assert told == str(GLIBC)
    assert kept < usual / 10 or not GLIBC


@pytest.mark.parametrize("own", [{"MALLOC_TRIM_THRESHOLD_": "131072"}, {"GLIBC_TUNABLES": "glibc.malloc.mmap_max=10"}])
def test_what_the_environment_tells_malloc_stays(own):
    told, kept = faults("keep", **own)
    assert told == "False"
    assert kept > 10_000
