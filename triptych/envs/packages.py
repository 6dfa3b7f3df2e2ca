"""Packages whose Gymnasium ids are known here by how they begin, so that nobody has to say which module brings them."""

from __future__ import annotations

import importlib
import importlib.util
import os
from dataclasses import dataclass
from importlib import metadata

from triptych.utils.checks import InputError
from triptych.utils.install import install_hint


@dataclass(frozen=True)
class Package:
    """A package with environments."""

    name: str  # as it is installed
    module: str  # which registers its ids when it is imported
    extra: str  # of ours, that installs it
    prefixes: tuple[str, ...]  # of its ids

    @property
    def is_there(self) -> bool:
        return importlib.util.find_spec(self.module.partition(".")[0]) is not None

    @property
    def version(self) -> str:
        """The installed one; '' without."""
        try:
            return metadata.version(self.name)
        except metadata.PackageNotFoundError:
            return ""


PACKAGES = (
    Package("vizdoom", "vizdoom.gymnasium_wrapper", "doom", ("Vizdoom",)),
    Package("minigrid", "minigrid", "worlds", ("MiniGrid-", "BabyAI-")),
    Package("miniworld", "miniworld", "worlds", ("MiniWorld-",)),
    Package("popgym", "popgym", "worlds", ("popgym-",)),
    Package("flappy-bird-gymnasium", "flappy_bird_gymnasium", "worlds", ("FlappyBird-",)),
)
ATARI = Package("ale-py", "ale_py", "atari", ("ALE/",))


def package_of(env_id: str) -> Package | None:
    """The package that brings an id; None: it is not known here, or comes with us."""
    return next((package for package in PACKAGES if env_id.startswith(package.prefixes)), None)


def bring(package: Package) -> None:
    """Makes the ids of a package known.

    Raises:
        InputError: it is not installed, or cannot be imported.
    """
    if not package.is_there:
        raise InputError(f"{package.name} is not installed; allowed: {install_hint(package.extra)}")
    quietly()
    try:
        importlib.import_module(package.module)
    except Exception as error:  # whatever a package may want that is not here
        raise InputError(f"{package.name} cannot be imported: {' '.join(str(error).split())}") from None


def quietly() -> None:
    """Has pictures drawn into memory and no sound played, where nobody said otherwise."""
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    os.environ.setdefault("SDL_AUDIODRIVER", "dummy")
    if not os.environ.get("DISPLAY"):
        os.environ.setdefault("PYGLET_HEADLESS", "1")  # before pyglet is imported
