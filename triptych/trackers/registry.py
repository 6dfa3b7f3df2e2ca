"""Which trackers there are. Each is a module here, imported when it is used: what it stands on takes seconds to load."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from triptych.trackers.state import file_of
from triptych.utils.checks import InputError, check
from triptych.utils.console import say
from triptych.utils.install import install_hint

if TYPE_CHECKING:
    from triptych.trackers.base import About, Tracker

# Name on the command line, and of the extra -> (the package that it needs, or none; its title)
TRACKERS = {
    "tensorboard": (None, "TensorBoard"),  # its files are written here; the package is for looking at them
    "wandb": ("wandb", "Weights & Biases"),
    "trackio": ("trackio", "trackio"),
    "mlflow": ("mlflow", "MLflow"),
}


def check_trackers(names: Iterable[str], what: str = "track") -> tuple[str, ...]:
    """The trackers that a user named, each once.

    Args:
        what: as what he named them.

    Raises:
        InputError: one is not known, or not installed.
    """
    names = tuple(dict.fromkeys(names))
    for name in names:
        check(name in TRACKERS, what, name, ", ".join(TRACKERS))
        package = TRACKERS[name][0]
        if package is not None and not is_installed(package):
            raise InputError(f"{what} is {name}, which is not installed: {install_hint(name)}")
    return names


def is_installed(package: str) -> bool:
    """Whether there is such a package; W&B leaves a folder `wandb` wherever it runs, and Python takes any folder for one."""
    found = importlib.util.find_spec(package)
    return found is not None and found.origin is not None


def tell_of_others(folder: Path, names: Sequence[str]) -> None:
    """Says which trackers a run was sent to before, where they do not follow it now."""
    others = [name for name in TRACKERS if name not in names and file_of(folder, name).exists()]
    if others:
        say(f"the run was sent to {' and '.join(others)} before; --track {' '.join(others)} goes on with it there")


def open_run(name: str, about: About) -> Tracker:
    """Begins a run in a tracker, or goes on with it."""
    tracker: Tracker = importlib.import_module(f"triptych.trackers.{name}").open_run(about)
    return tracker
