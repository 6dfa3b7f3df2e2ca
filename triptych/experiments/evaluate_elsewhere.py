"""A test of weights as a job: on a node of a Ray cluster."""

from __future__ import annotations

from typing import Any, Literal

from triptych.experiments.evaluate import EvaluationResult, run_folder
from triptych.experiments.jobs import work_all
from triptych.experiments.load import Source
from triptych.experiments.ray_jobs import check_place, place_of
from triptych.recipes.serialise import to_dict
from triptych.runs.names import RECIPE_FILE


def evaluate_elsewhere(
    source: Source, games: int, seed: int, how: dict[str, Any], on: Literal["here", "ray"], address: str | None
) -> EvaluationResult:
    """What `evaluate` does, as a job.

    Args:
        source: the weights, which were found, and trusted, here.
        how: further arguments of `evaluate`.
    """
    check_place(on, address)
    folder = (run_folder(source) or source.file.parent).absolute()
    file = source.file.absolute().relative_to(folder).as_posix()
    carried = [file, *(name for name in ("config.json", RECIPE_FILE) if (folder / name).is_file())]
    job = {
        "recipe": to_dict(source.trained),
        "framework": source.framework,
        "runs_dir": str(folder.parent),
        "run_name": folder.name,
        "carries": carried if run_folder(source) else [file],
        "file": file,
        "games": games,
        "seed": seed,
        "how": how,
        "device": how["device"] or "auto",
        "trust": True,
    }
    results: list[dict[str, Any]] = []

    def keep(_: int, result: dict[str, Any]) -> None:
        results.append(result)

    with place_of(on, address, quiet=True) as place:
        work_all("evaluate", [job], keep, place=place)
    (found,) = results
    skip = found["frame_skip"]
    return EvaluationResult(**found | {"frame_skip": tuple(skip) if isinstance(skip, list) else skip})
