"""A run's teacher: found by its name, kept in the run's folder, and found there again by a resume."""

from __future__ import annotations

import dataclasses
import math
import shutil
from pathlib import Path
from typing import Any, TypedDict

from triptych.experiments.start import weights_of
from triptych.recipes import Recipe
from triptych.recipes.feasibility import Prepared
from triptych.recipes.teacher import TeacherWeights
from triptych.training.teacher import temperature_of
from triptych.utils.checks import InputError, check
from triptych.utils.console import counted
from triptych.utils.files import sha256, write_whole
from triptych.utils.reading import typed

NAME = "teacher.safetensors"  # in a run's folder


class Kept(TypedDict):
    """What config.json says of a teacher."""

    file: str
    sha256: str


def with_teacher(recipe: Recipe, runs_dir: str | Path) -> Recipe:
    """A recipe whose teacher is a weights file, where it names a run: the best weights of that, or the latest.

    Raises:
        InputError: there is no such run, or it has no weights yet.
    """
    if not recipe.teacher:
        return recipe
    return dataclasses.replace(recipe, teacher=str(weights_of(recipe.teacher, runs_dir, "teacher").resolve()))


def keep(folder: Path, teacher: TeacherWeights) -> dict[str, Any]:
    """Copies a teacher's weights into a run's folder, so that a resume needs nothing else; what config.json says of them."""
    path = folder / NAME
    write_whole(path, lambda temporary: shutil.copyfile(teacher.file, temporary))
    return {"teacher": Kept(file=str(teacher.file), sha256=sha256(path))}


def kept(folder: Path, config: dict[str, Any]) -> Path | None:
    """The weights of a run's teacher in its folder; None: it has no teacher.

    Raises:
        InputError: they are gone, or not those that the run began with.
    """
    if not config["recipe"].teacher:
        return None
    path, told = folder / NAME, typed(config.get("teacher", {}), Kept, "config.json", "teacher")
    if not path.is_file():
        raise InputError(f"{path} is not there; allowed: the teacher's weights that this run began with")
    check(sha256(path) == told["sha256"], f"SHA-256 of {path}", sha256(path), told["sha256"])
    return path


def told_of(prepared: Prepared) -> list[str]:
    """For the user: who teaches, how, and until when."""
    teacher, recipe = prepared.teacher, prepared.recipe
    if teacher is None:
        return []
    at = f" at temperature {temperature_of(recipe, teacher):g}" if recipe.teacher_loss == "kl" else ""
    beside = "nothing else is learned" if recipe.teacher_alone else f"beside the loss of {recipe.algorithm.kind}"
    until = "" if recipe.teacher_until is None else f", falling to 0 at step {recipe.teacher_until:,}"
    sizes = [sum(map(math.prod, network.tensors().values())) for network in (prepared.network, teacher.network)]
    lines = [
        f"teacher   {teacher.file}: {recipe.teacher_loss}{at}, weight {recipe.teacher_weight:g}{until}, {beside}",
        f"          the network has {counted(sizes[0], 'weight')}, {sizes[0] / sizes[1]:.0%} of the teacher's",
    ]
    plays = recipe.teacher_plays
    return [*lines, f"          the teacher chooses the actions until step {plays:,}"] if plays else lines
