"""What a user registers, taken back at a test's end."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gymnasium

from triptych.algorithms import ALGORITHMS
from triptych.envs.packages import package_of
from triptych.frameworks import FRAMEWORKS
from triptych.recipes.load import RUN
from triptych.spec import KINDS, LAYERS
from triptych.spec.registry import BUILDERS
from triptych.training.callbacks.base import LOGGERS

TABLES: tuple[Any, ...] = (ALGORITHMS, FRAMEWORKS, KINDS, LAYERS, LOGGERS, gymnasium.registry, sys.modules)


@contextmanager
def restored() -> Iterator[None]:
    """Afterwards every table of names is as it was, and a recipe's file that was run meanwhile would be run again."""
    before, path = [dict(table) for table in TABLES], list(sys.path)
    builders, run = {name: dict(found) for name, found in BUILDERS.items()}, set(RUN)
    try:
        yield
    finally:
        # Packages register their ids when they are imported, which happens once: their modules stay loaded.
        theirs = {name: spec for name, spec in gymnasium.registry.items() if package_of(name)}
        for table, kept in zip(TABLES[:-1], before[:-1], strict=True):
            table.clear()
            table.update(kept)
        gymnasium.registry.update(theirs)
        for name in set(sys.modules) - set(before[-1]):
            if name.startswith("_"):  # a file that `run_file` ran: other modules stay loaded
                origin = getattr(sys.modules[name], "__spec__", None)
                if origin is None:
                    del sys.modules[name]
        BUILDERS.clear()
        BUILDERS.update(builders)
        RUN.clear()
        RUN.update(run)
        sys.path[:] = path
