"""Where A3C's workers are: in this process, or as Ray actors."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from triptych.experiments.ray_jobs import check_place
from triptych.recipes import Recipe
from triptych.recipes.load import RUN
from triptych.runs.travel import texts_of
from triptych.training.actors import Crew
from triptych.utils.checks import check
from triptych.utils.cluster import open_ray


def check_on(on: str, address: str | None, recipe: Recipe) -> None:
    """Refuses Ray for an algorithm that has no workers and for a recipe with a teacher, and an address without Ray."""
    check_place(on, address)
    if on == "ray":
        recipe.algorithm.check_apart()
        check(not recipe.teacher, "on", "ray", "here with a teacher")


@contextlib.contextmanager
def crew_of(on: str, address: str | None, recipe: Recipe, framework: str) -> Iterator[Crew | None]:
    """Ray, with what its workers must know; None: they are in this process.

    Raises:
        InputError: as `utils.cluster.open_ray` says.
    """
    if on == "here":
        yield None
        return
    files = (recipe.source,) if recipe.source and Path(recipe.source).resolve() in RUN else ()
    with open_ray(address) as cluster:
        yield Crew(cluster, framework, texts_of(files))
