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


def is_of_a_package(spec: Any) -> bool:
    """Whether an installed package brings an environment, and not a user's file."""
    module = (
        spec.entry_point.partition(":")[0]
        if isinstance(spec.entry_point, str)
        else getattr(spec.entry_point, "__module__", "")
    )
    found = sys.modules.get(module.partition(".")[0])
    return "site-packages" in (getattr(found, "__file__", None) or "")


@contextmanager
def restored() -> Iterator[None]:
    """Afterwards every table of names is as it was, and a recipe's file that was run meanwhile would be run again."""
    before, path = [dict(table) for table in TABLES], list(sys.path)
    builders, run = {name: dict(found) for name, found in BUILDERS.items()}, set(RUN)
    try:
        yield
    finally:
        # Packages register their ids when they are imported, which happens once: their modules stay loaded.
        theirs = {name: spec for name, spec in gymnasium.registry.items() if is_of_a_package(spec)}
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
