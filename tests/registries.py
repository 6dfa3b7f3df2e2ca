"""What a user registers, taken back at a test's end."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gymnasium

from triptych.algorithms import ALGORITHMS
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
        for table, kept in zip(TABLES[:-1], before[:-1], strict=True):
            table.clear()
            table.update(kept)
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
