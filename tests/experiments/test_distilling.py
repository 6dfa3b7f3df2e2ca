"""`distil` off-policy: who plays, whose scores count, and what a student's own outputs are to its pupils."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import triptych
from tests.experiments.test_resume import assert_same
from triptych.experiments.distilling import as_student
from triptych.recipes import load_recipe, resolve
from triptych.recipes.teacher import gives_values
from triptych.runs.folder import RUNNING
from triptych.utils.checks import InputError

SMALL: dict[str, Any] = {"network.dense_1.units": 8, "network.dense_2.units": 4, "evaluate_every": 0}
WINDOW, GAMES = 5, 1


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that plays badly: its episodes are short."""
    folder = tmp_path_factory.mktemp("teacher")
    return triptych.train("cartpole", steps=300, runs_dir=folder, run_name="teacher", video=False, **SMALL).path


def distilled(teacher: Path, folder: Path, **more: Any) -> Path:
    settings: dict[str, Any] = SMALL | {"steps": 2_400, "best_window": WINDOW, "num_envs": GAMES, "seed": 3} | more
    return triptych.distil(teacher, "cartpole", runs_dir=folder, run_name="student", video=False, **settings).path


def paused(teacher: Path, folder: Path, stop: int, **more: Any) -> Path:
    """The same run as `distilled` makes, stopped on its way."""
    settings = (
        SMALL | {"steps": 2_400, "best_window": WINDOW, "num_envs": GAMES, "seed": 3, "teacher": str(teacher)} | more
    )
    student = as_student(resolve("cartpole", settings), 0.5)
    return triptych.train(student, runs_dir=folder, run_name="student", video=False, callbacks=[StopAt(stop)]).path


def episodes(run: Path) -> list[dict[str, float]]:
    with open(run / "episodes.csv", encoding="utf-8") as file:
        return [{name: float(value or "nan") for name, value in row.items()} for row in csv.DictReader(file)]


def own(rows: list[dict[str, float]], plays: int) -> list[float]:
    """The rewards of the episodes that no teacher had begun."""
    return [row["episode_reward"] for row in rows if row["steps"] - row["episode_length"] * GAMES >= plays]


def test_only_the_students_own_episodes_are_its_scores(teacher: Path, tmp_path: Path) -> None:
    run = distilled(teacher, tmp_path)
    rows, summary = episodes(run), json.loads((run / "summary.json").read_text())
    rewards = own(rows, 1_200)
    assert 2 * WINDOW < len(rewards) < len(rows) - 2 * WINDOW
    windows = np.lib.stride_tricks.sliding_window_view(rewards, WINDOW).mean(axis=1)
    assert summary["best_score"] == pytest.approx(windows.max())
    assert summary["best_step"] > 1_200
    assert summary["running_reward"] == pytest.approx(np.mean(rewards[-RUNNING:]))
    assert rows[-1]["running_reward"] == pytest.approx(np.mean(rewards[-RUNNING:]))
    first = next(row for row in rows if row["steps"] > 1_000)
    assert first["running_reward"] != first["episode_reward"], "the teacher's own are shown while it plays"


def test_a_teacher_that_is_good_enough_does_not_end_the_run(teacher: Path, tmp_path: Path) -> None:
    run = distilled(teacher, tmp_path, steps=9_000, solved_at=1.0, **{"algorithm.update_every": 60})
    summary = json.loads((run / "summary.json").read_text())
    assert summary["stopped_by"] == "solved"
    assert summary["steps"] > 4_500
    assert len(own(episodes(run), 4_500)) == RUNNING


@pytest.fixture(scope="module")
def whole(teacher: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing stops."""
    return distilled(teacher, tmp_path_factory.mktemp("whole"), checkpoint_every=100)


@pytest.mark.parametrize("stop", [600, 1_300])
def test_a_run_that_stops_on_either_side_of_the_handover_goes_on_alike(
    stop: int, teacher: Path, whole: Path, tmp_path: Path
) -> None:
    part = paused(teacher, tmp_path / "part", stop, checkpoint_every=100)
    triptych.resume(part, video=False)
    assert_same(whole, part)
    found = [json.loads((run / "summary.json").read_text()) for run in (whole, part)]
    assert found[0]["best_score"] == found[1]["best_score"]
    assert found[0]["running_reward"] == found[1]["running_reward"]


class StopAt(triptych.Callback):
    def __init__(self, step: int):
        self.at = step

    def step(self, run: Any, tick: Any) -> None:
        if run.counters.steps >= self.at:
            run.pause()


def test_a_teacher_that_plays_all_the_time_leaves_no_best_weights(teacher: Path, tmp_path: Path) -> None:
    run = distilled(teacher, tmp_path, share=1.0)
    assert json.loads((run / "summary.json").read_text())["best_score"] is None
    assert not (run / "checkpoints" / "best.safetensors").exists()
    assert (run / "checkpoints" / "latest.safetensors").exists()


def test_a_student_plays_with_the_chance_of_an_ordinary_runs_end_and_learns_soon() -> None:
    recipe = load_recipe("cartpole")
    student: Any = as_student(dataclasses.replace(recipe, teacher="pole", steps=2_000), 0.25)
    assert student.algorithm.epsilon_start == student.algorithm.epsilon_end == recipe.algorithm.epsilon_end  # type: ignore[attr-defined]
    assert student.algorithm.warm_up == 100
    assert (student.teacher_plays, student.teacher_alone, student.teacher_until) == (500, True, None)


def test_what_a_students_outputs_are_follows_from_how_it_was_taught(teacher: Path, tmp_path: Path) -> None:
    recipe = dataclasses.replace(load_recipe("cartpole"), teacher="somebody")
    assert gives_values(recipe), "of one that was kickstarted too"
    for loss, values in {"kl": False, "nll": False, "mse": True}.items():
        assert gives_values(dataclasses.replace(recipe, teacher_alone=True, teacher_loss=loss)) == values  # type: ignore[arg-type]
    assert not gives_values(load_recipe("cartpole-ppo"))
    by_kl = distilled(teacher, tmp_path, steps=300)
    with pytest.raises(InputError, match="kl or nll, as the teacher gives logits and the student Q values"):
        triptych.train(
            "cartpole", steps=300, teacher=str(by_kl), teacher_loss="mse", runs_dir=tmp_path, run_name="pupil"
        )
    assert not (tmp_path / "pupil").exists()
    triptych.train("cartpole-ppo", steps=600, teacher=str(by_kl), teacher_loss="mse", runs_dir=tmp_path, video=False)
