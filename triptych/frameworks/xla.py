"""Which of XLA's libraries convolves for JAX on a processor, and what it compiled is kept for the next process.

Nothing here imports JAX: a run asks before it is loaded.

JAX hands convolutions and the gradients of their weights to YNNPACK. With Eigen, which does them where YNNPACK does not, an update of our
networks takes 0 to 17 % less of the processor's time on a Zen 5 (results/benchmarks). XLA is told with each function that a learner compiles,
and not by XLA_FLAGS: so no other JAX code of the process is touched, JAX may have been imported before, an option that JAX does not
know is an error and not the process' end, and a run that was begun without Eigen goes on without.
"""

from __future__ import annotations

import hashlib
import os
import platform
from importlib import metadata, util
from typing import Any

from triptych.utils import machine
from triptych.utils.checks import check
from triptych.utils.files import cache_folder

EIGEN = "eigen"
OPTION = "xla_cpu_experimental_ynn_fusion_type"
# By whom we convolve: XLA's options, and how many pictures go at once.
WAYS: dict[str, tuple[dict[str, str], int]] = {
    "": ({}, 32),  # JAX's own choice, YNNPACK: its gradients of more pictures are twice as slow, picture by picture
    # All that YNNPACK does by default but convolutions. On one thread, pieces of 256 pictures save an eighth; of 32, compiling takes longer.
    EIGEN: ({OPTION: "LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT,LIBRARY_FUSION_TYPE_REDUCE"}, 64),
}
TRIED = ("0.10.2",)  # of jaxlib: those that know this option, and whose default it is but for convolutions

CONVOLUTIONS = ""  # what `set_convolutions` was last told


def usual() -> str:
    """By whom a new run's convolutions are: a fixed rule, never a measurement. It was measured on AMD alone."""
    return EIGEN if platform.machine().lower() in ("x86_64", "amd64") and is_free() else ""


def is_free() -> bool:
    """Whether the jaxlib that is installed was tried, and the user's own XLA_FLAGS do not say what YNNPACK does."""
    try:
        return metadata.version("jaxlib") in TRIED and OPTION not in own_flags()
    except metadata.PackageNotFoundError:
        return False


def own_flags() -> str:
    """The user's."""
    return os.environ.get("XLA_FLAGS", "").strip()


def set_convolutions(by: str) -> None:
    """Says by whom the convolutions of JAX learners on the processor are from now on: "eigen", or "", as JAX chooses.

    Where Eigen cannot be told, they are as JAX chooses; `differences` says so.

    Raises:
        InputError: there is no such library.
    """
    global CONVOLUTIONS
    check(isinstance(by, str) and by in WAYS, "convolutions", by, "eigen")
    CONVOLUTIONS = by if is_free() else ""


def recorded(learner: Any) -> dict[str, str]:
    """What stands in config.json of how a run's learner is compiled; nothing where there is nothing to choose."""
    by = getattr(learner, "convolutions", None)  # JAX's alone has it
    if by is None:
        return {}
    found = {"convolutions": by, "xla_flags": own_flags()}
    return {name: said for name, said in found.items() if said}


def differences(config: dict[str, Any], framework: str) -> list[str]:
    """What is compiled otherwise in a resume than config.json says of the run, some words each."""
    if framework != "jax" or config["framework"] != "jax":
        return []
    reasons = []
    if config.get("convolutions", "") != CONVOLUTIONS:
        reasons.append("convolutions as JAX chooses, since this JAX or XLA_FLAGS cannot be told to use Eigen as before")
    if config.get("xla_flags", "") != own_flags():
        reasons.append(f"other XLA_FLAGS than before ({config.get('xla_flags') or 'none'})")
    return reasons


KEPT = 200 * 2**20  # bytes of what was compiled; the oldest goes
WORTH = 0.1  # seconds of compiling from which on it is kept
OWN = ("JAX_COMPILATION_CACHE_DIR", "JAX_ENABLE_COMPILATION_CACHE")  # by which a user tells JAX himself


def cache_settings() -> dict[str, Any]:
    """JAX's own settings for a cache of what it compiles, so that the next process need not: the same code, so the same bits.

    Nothing where the user's environment says what JAX does, where no folder can be made, and where `filelock` is missing: without it two
    processes may meet at a half-written file. A folder is for one kind of processor and number of threads, for which XLA compiles
    and which JAX does not look at when it takes a file from its cache.
    """
    folder = cache_folder()
    if folder is None or any(name in os.environ for name in OWN) or util.find_spec("filelock") is None:
        return {}
    here = [machine.processor(), machine.cpuinfo().get("flags", ""), os.environ.get("NPROC", "")]
    folder = folder / "jax" / hashlib.sha256("\n".join(here).encode()).hexdigest()[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return {}
    if not os.access(folder, os.W_OK):
        return {}
    return {
        "jax_compilation_cache_dir": str(folder),
        "jax_compilation_cache_max_size": KEPT,
        "jax_persistent_cache_min_compile_time_secs": WORTH,
    }
