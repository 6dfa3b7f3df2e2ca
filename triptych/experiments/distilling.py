"""`distil`: a network learns to play as a run's does (policy distillation, Rusu et al. 2015)."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, cast

from triptych.algorithms import dqn
from triptych.experiments.start import settings_behind
from triptych.experiments.train import train
from triptych.recipes import Recipe, resolve
from triptych.runs.records import RunResult
from triptych.utils.checks import check
from triptych.utils.failures import machine_failures

WARM_UP = 20  # at most this part of the steps is played before the first update


@machine_failures()
def distil(
    teacher: str | Path | RunResult,
    recipe: str | Recipe | None = None,
    framework: str = "torch",
    *,
    share: float = 0.5,
    runs_dir: str | Path = "runs",
    label: str | None = None,
    run_name: str | None = None,
    quiet: bool = True,
    video: bool = True,
    device: str = "auto",
    track: Any = (),
    **changes: Any,
) -> RunResult:
    """Trains a network to do what a run's does, and returns what that came to. Rewards are logged, and not learned from.

    The student is a recipe whose games, network, optimiser and batches stay as they are; what it learns is the distance to the
    teacher. One that draws its actions learns the policy alone: its value stays as it was drawn.

    Args:
        teacher: a run (its best weights), what `train` returned, or a weights file.
        recipe: the student: a recipe's name or file, or a Recipe; None: the teacher's settings.
        share: of the steps, at first, in which the teacher plays; then the student plays, and still learns what the teacher would do.
        changes: recipe fields by name: steps=100_000, **{"network.dense_1.units": 64}, teacher_loss="nll".
        The others are those of `train`.

    Raises:
        InputError: the teacher is of another game, other actions or observations; or as `train` says.
    """
    check(0 <= share <= 1, "share", share, "0 to 1")
    run = str(teacher.path if isinstance(teacher, RunResult) else teacher)
    student = resolve(settings_behind(run, runs_dir) if recipe is None else recipe, changes | {"teacher": run})
    return train(
        as_student(student, share), framework, run_name=run_name, label=label or f"{student.env.id}-distilled",
        runs_dir=runs_dir, quiet=quiet, video=video, device=device, track=track,
    )  # fmt: skip


def as_student(recipe: Recipe, share: float) -> Recipe:
    """The recipe that learns from its teacher alone. Chance plays as much as at the end of an ordinary run, from the start."""
    algorithm = recipe.algorithm
    if algorithm.family == "off-policy":
        config = cast(dqn.Config, algorithm)
        warm_up = min(config.warm_up, recipe.steps // WARM_UP)
        algorithm = dataclasses.replace(config, epsilon_start=config.epsilon_end, warm_up=warm_up, learn_from=None)
    return dataclasses.replace(
        recipe,
        algorithm=algorithm,
        teacher_plays=round(share * recipe.steps),
        teacher_alone=True,
        teacher_until=None,
    )
