"""The frameworks, loaded only when asked for. Nothing else in Triptych imports one.

Each folder holds the same files with the same names: `ops` (NumPy-spelled operations), `net` (the
spec as that framework's own network), `layers` (what it lacks: memory), `learner` (differentiation, optimiser, compiled step),
`frames` (a replay's pictures on the device), `export` (a policy as a file of its own), `plain` (an agent as `show --loop` writes it into a file; no run uses it);
`faults` are mistakes that a checkup must find, and no run uses them either.

May be in here: the only imports of a framework in Triptych. May not: an algorithm, a buffer, a game.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from triptych.frameworks.protocol import Frames as Frames
from triptych.frameworks.protocol import Learner as Learner
from triptych.utils import machine
from triptych.utils.checks import InputError
from triptych.utils.install import install_hint
from triptych.utils.words import likely, shown


@dataclass(frozen=True)
class Framework:
    """What there is to know of a framework without loading it."""

    title: str  # as people write it
    extra: str  # of the package, which installs it
    packages: tuple[str, ...]  # that it imports
    distributions: tuple[str, ...]  # whose versions decide numbers
    colour: str  # in figures; told apart by colour-blind readers too
    folder: str  # the package with ops, net, layers, learner and frames
    exports: tuple[str, ...] = ()  # what its export.py writes a policy as, if it has one
    aliases: tuple[str, ...] = ()  # what else people type for it


FRAMEWORKS = {
    "torch": Framework(
        "PyTorch",
        "torch",
        ("torch",),
        ("torch",),
        "#d9560b",
        "triptych.frameworks.torch",
        ("onnx", "torchscript"),
        ("pytorch",),
    ),
    "jax": Framework(
        "JAX",
        "jax",
        ("jax", "flax", "optax"),
        ("jax", "flax", "optax"),
        "#1f77d0",
        "triptych.frameworks.jax",
        ("stablehlo",),
        ("flax",),
    ),
    "keras": Framework(
        "Keras",
        "keras",
        ("keras", "tensorflow"),
        ("keras", "tensorflow-cpu", "tensorflow"),
        "#c2449a",
        "triptych.frameworks.keras",
        ("savedmodel",),
        ("tensorflow", "tf"),
    ),
}

ALIASES = {alias: name for name, framework in FRAMEWORKS.items() for alias in framework.aliases}

DISTRIBUTIONS = tuple(name for framework in FRAMEWORKS.values() for name in framework.distributions)


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide numbers, as far as they are installed."""
    return machine.versions(DISTRIBUTIONS)


def title_of(name: str) -> str:
    """What people call a framework; a name that is not known stays as it is."""
    return FRAMEWORKS[name].title if name in FRAMEWORKS else name


THREADS = 1  # what `set_threads` was last told; pictures are cut into as many parts


def set_threads(threads: int) -> None:
    """Tells every framework how many threads to use. Works only before one of them is imported."""
    global THREADS
    THREADS = threads
    # Set before OpenMP starts: on a busy machine spinning threads cost 20 to 50 times the work itself.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ["OMP_NUM_THREADS"] = str(threads)
    os.environ["NPROC"] = str(threads)  # XLA's CPU thread pool
    # Two operations side by side gain more than two halves of one; an update has no third to run beside them.
    os.environ["TF_NUM_INTRAOP_THREADS"] = str(max(1, threads // 2))
    os.environ["TF_NUM_INTEROP_THREADS"] = str(min(2, threads))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


DEVICE = "auto"  # what `set_device` was last told


def set_device(device: str, framework: str | None = None) -> None:
    """Says where the learners made from now on are: "auto" (a GPU, where the framework sees one), "cpu", "cuda", "cuda:1".

    Args:
        framework: that is to be used, which is loaded to ask for its GPUs where one is asked for.

    Raises:
        InputError: there is no such device here.
    """
    global DEVICE
    device = device.lower()
    kind, _, number = device.partition(":")
    known = device in ("auto", "cpu", "cuda") or (kind == "cuda" and number.isdecimal() and len(number) < 4)
    if not known:
        raise InputError(f"device is {shown(device)}; allowed: auto, cpu, cuda, cuda:1")
    if kind == "cuda" and framework is not None:
        check_gpu(device, framework)
    DEVICE = device


def check_gpu(device: str, framework: str) -> None:
    """Refuses a GPU that a framework does not see."""
    count = load(framework).count_gpus()
    wanted = int(device.partition(":")[2] or 0)
    if wanted >= count:
        seen = "no CUDA device" if not count else "one CUDA device" if count == 1 else f"{count} CUDA devices"
        there = [*(f"cuda:{number}" for number in range(count)), "cpu", "auto"]
        raise InputError(f"device is {device!r}, but {framework} sees {seen}; allowed: {', '.join(there)}")


def gpu_of(count: int) -> int | None:
    """Which of a framework's GPUs the next learner is on, as `set_device` was told; None: the processor."""
    if DEVICE == "cpu" or not count:
        return None
    return int(DEVICE.partition(":")[2] or 0)


def use_cpu() -> None:
    """Hides every GPU from the frameworks. Works only before one of them is imported."""
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    os.environ["JAX_PLATFORMS"] = "cpu"


@contextmanager
def quiet_start() -> Iterator[None]:
    """Keeps standard error to ourselves while a framework is imported.

    TensorFlow's C++ side greets there before any log level holds. Python's exceptions pass.
    """
    sys.stderr.flush()
    try:
        kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    except OSError:  # no standard error to begin with
        yield
        return
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def check_framework(name: str) -> None:
    """Refuses an unknown or missing framework without loading it.

    Raises:
        InputError: the line names the extra that installs it.
    """
    if name not in FRAMEWORKS:
        meant = f"; did you mean {ALIASES[name.lower()]}?" if name.lower() in ALIASES else likely(name, FRAMEWORKS)
        raise InputError(f"framework is {shown(name)}; allowed: {', '.join(FRAMEWORKS)}{meant}")
    for package in FRAMEWORKS[name].packages:
        if importlib.util.find_spec(package) is None:
            raise missing(name, package)


def missing(name: str, package: str) -> InputError:
    hint = install_hint(FRAMEWORKS[name].extra)
    return InputError(f"framework {name} needs {package}, which is not installed: {hint}")


def load(name: str) -> ModuleType:
    """Imports a framework's learner module, which has `Learner`, `ops` and `net`.

    Raises:
        InputError: the name is unknown or the framework is not installed (the line names the extra).
    """
    check_framework(name)
    machine.keep_memory()  # before its threads are there
    try:
        with quiet_start():
            return importlib.import_module(f"{FRAMEWORKS[name].folder}.learner")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("triptych"):
            raise
        raise missing(name, f"the package {error.name}") from None


def exporter(name: str, to: str) -> tuple[Callable[..., None], Callable[..., Any]]:
    """What writes a policy as one of a framework's `exports`, and what opens such a file to play it.

    The first is (learner, signature, path, about: what the file says of itself), the second (signature, path) and gives
    a function of the arrays that go in to those that come out, NumPy's, in the signature's order.
    """
    load(name)
    module = importlib.import_module(f"{FRAMEWORKS[name].folder}.export")
    found: tuple[Callable[..., None], Callable[..., Any]] = module.FORMATS[to]
    return found
