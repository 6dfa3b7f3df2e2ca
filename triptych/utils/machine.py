"""What a result must name: processor, threads, versions, memory."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import statistics
import subprocess
import sys
import threading
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

PACKAGES = (
    "triptych",
    "numpy",
    "gymnasium",
    "ale-py",
    "safetensors",
)
MULTIPLIES_BFLOAT16 = "avx512_bf16"  # the processor's flag
# mallopt's number of an option, and what it is set to. Large blocks stay, in the one arena that all threads share: each arena gives back its own.
MALLOC = {"ARENA_MAX": (-8, 1), "MMAP_MAX": (-4, 0), "TRIM_THRESHOLD": (-1, 2**29)}
MOST_THREADS = 8  # a network of this size gains nothing beyond


def processor() -> str:
    """The processor's name, with a note where it multiplies bfloat16 itself."""
    named = cpuinfo()
    if not named:
        return platform.processor() or platform.machine()
    family = f"family {named['cpu family']} model {named['model']}" if "cpu family" in named else ""
    bfloat16 = "bfloat16" if MULTIPLIES_BFLOAT16 in named.get("flags", "") else "no bfloat16"
    return f"{named.get('model name', platform.machine())} ({', '.join(filter(None, [family, bfloat16]))})"


def cpuinfo() -> dict[str, str]:
    """What Linux tells of the first processor, its `flags` too; nothing elsewhere."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    fields = dict(line.split(":", 1) for line in text.split("\n\n")[0].splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, value in fields.items()}


def precision_notes(precision: str) -> list[str]:
    """What should be known before a run in that precision."""
    if precision != "bfloat16":
        return []
    notes = ["bfloat16 has not been shown to learn as float32 does"]
    if "no bfloat16" in processor():
        notes.append("this processor does not multiply bfloat16: a GPU may, but here it is slower than float32")
    return notes


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


THREADS: int | None = None  # what `fix_threads` was told


def fix_threads(threads: int | None) -> None:
    """Says what a run has that leaves it open; None: as many as this machine's rule gives.

    A run that another machine asks for has the number of that one: another number would give other bits.
    """
    global THREADS
    THREADS = threads


def threads_for(wanted: int | None) -> int:
    """The fixed rule: what the recipe says, else one thread a core, at most 8. Never a measurement."""
    return wanted or THREADS or min(MOST_THREADS, cores())


def versions(more: Iterable[str] = ()) -> dict[str, str]:
    """Versions of Python, of the packages that decide numbers and of `more`, as far as they are installed."""
    found = {"python": platform.python_version()}
    for name in (*PACKAGES, *more):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def git_commit() -> str | None:
    """The commit of the checkout that Triptych runs from, `+changes` where it differs; None outside one."""
    folder = Path(__file__).resolve().parents[1]  # the whole package
    try:
        known = run_git(folder, "ls-files", "--error-unmatch", __file__)
        if known is None:
            return None
        return (run_git(folder, "rev-parse", "HEAD") or "") + (
            "+changes" if run_git(folder, "status", "--porcelain", "-uno", ".") else ""
        )
    except OSError:
        return None


def run_git(folder: Path, *arguments: str) -> str | None:
    result = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True)
    return result.stdout.strip() if result.returncode == 0 else None


def describe(device: str, threads: int, packages: Iterable[str]) -> dict[str, Any]:
    """What stands in config.json and resumes.csv about where a run ran."""
    return {
        "versions": versions(packages),
        "processor": processor(),
        "cores": cores(),
        "threads": threads,
        "device": device,
        "platform": platform.platform(),
        "git_commit": git_commit(),
    }


def memory_now() -> int:
    """Resident bytes of this process."""
    return psutil.Process().memory_info().rss


def memory_total() -> int:
    """Bytes of memory this machine has."""
    return int(psutil.virtual_memory().total)


def memory_free() -> int:
    """Bytes of memory that a program could take now without anything being swapped out."""
    return int(psutil.virtual_memory().available)


def memory_peak() -> int:
    """The most resident bytes this process has had."""
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss would hold the size of the process that started this one
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        return int(fields["VmHWM"].split()[0]) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def keep_memory() -> bool:
    """Tells malloc to keep what an update frees for the next one, and not to hand it back to the system in between.

    An update of 256 pictures frees some 100 MB. Handed back, they come again a page at a time, which took a fifth of such an update. More than
    512 MB that are free at the end of its memory still go back. Only glibc is told (Linux); a process whose environment tells malloc what to do
    keeps that. Threads that are there already go on as they did.

    Returns:
        whether it was told.
    """
    if any(name.startswith("MALLOC_") for name in os.environ) or "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", ""):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # no glibc: macOS, musl, Windows
        return False
    return all([mallopt(option, value) for option, value in MALLOC.values()])


def gpu_note(framework: str) -> str | None:
    """Native Windows has no GPU build of JAX and TensorFlow; a run there should not hide it."""
    if sys.platform == "win32" and framework in ("jax", "keras"):
        return f"{framework} has no GPU support on native Windows; WSL2 has"
    return None


def is_there(pid: int, begun: float) -> bool:
    """Whether a process runs still, and is not another one of the same number.

    Args:
        begun: when it began, in seconds since 1970.
    """
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - begun) < 0.1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


class Load:
    """How much work the machine has while this context lasts, of all who use it.

    `typical` is the median of the load averages over a minute, in processes that run or want to; None: the system tells none.
    """

    def __init__(self, every: float = 5.0):
        self.every = every  # seconds between two looks
        self.cores = os.cpu_count() or 1  # the machine's, as the load is; not only those this process may use
        self.seen: list[float] = []
        self.over = threading.Event()
        self.watcher = threading.Thread(target=self.watch, daemon=True)

    def watch(self) -> None:
        while not self.over.wait(self.every):
            self.look()

    def look(self) -> None:
        with contextlib.suppress(OSError, AttributeError):  # Windows has none
            self.seen.append(os.getloadavg()[0])

    @property
    def typical(self) -> float | None:
        return statistics.median(self.seen) if self.seen else None

    def __enter__(self) -> Load:
        self.watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.watcher.join()
        self.look()
