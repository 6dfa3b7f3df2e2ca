"""What a study's run begins with, where that is another run's: its weights, a larger network made of them, or its teaching."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from triptych.experiments.distilling import as_student
from triptych.experiments.growing import grow
from triptych.recipes import Recipe
from triptych.recipes.override import override


def begun_with(recipe: Recipe, job: dict[str, Any]) -> tuple[Recipe, dict[str, Any]]:
    """The recipe as it is trained, and what `train` is told beside it.

    Args:
        job: `begins`, as `Begins` has it with the name of the run, or its place where it is a stored one; `runs_dir` and `run_name`.
    """
    begins, folder = job["begins"], Path(job["runs_dir"])
    source, by = begins["stored"] or str(folder / begins["run"]), begins["by"]
    if by == "weights":
        return recipe, {"from_run": source, "take": tuple(begins["take"])}
    if by == "grown":
        file = folder / f"{job['run_name']}-grown.safetensors"
        file.unlink(missing_ok=True)  # of a run that was stopped before it began
        grow(
            source,
            begins["wider"],
            tuple(begins["deeper"]),
            noise=begins["noise"],
            seed=recipe.seed,
            out=file,
            trust=True,
        )
        return recipe, {"from_run": str(file)}
    taught = override(dataclasses.replace(recipe, teacher=source), begins["settings"])
    return (as_student(taught, begins["share"]) if by == "distilled" else taught), {}
