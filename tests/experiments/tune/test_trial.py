"""A trial's run: to a rung, from there to the end, and where its process was killed in between."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import triptych
from triptych.experiments.tune.trial import trial_job
from triptych.recipes import load_recipe
from triptych.recipes.override import override
from triptych.recipes.serialise import to_dict

CHANGES = {"steps": 900, "warm_up": 100, "num_envs": 2, "algorithm.replay_size": 2_000, "checkpoint_every": 100}
RECIPE = override(load_recipe("memory-chain"), CHANGES)


def job(folder: Path, until: int | None) -> dict[str, Any]:
    recipe = to_dict(RECIPE)
    return {
        "framework": "torch", "recipe": recipe, "until": until, "games": 4, "device": "cpu", "runs_dir": str(folder), "run_name": "r",
    }  # fmt: skip


def logs(run: Path) -> list[str]:
    """Rows of episodes.csv without their last column, the seconds."""
    return [row.rpartition(",")[0] for row in (run / "episodes.csv").read_text().splitlines()]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("whole")
    return folder / "r", trial_job(RECIPE, job(folder, None))


def test_a_run_pauses_at_the_first_checkpoint_behind_each_rung_and_ends_as_one_that_never_paused(
    whole: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    steps = [trial_job(RECIPE, job(tmp_path, until)) for until in (120, 300, None)]
    assert [(found["steps"], found["ended"]) for found in steps] == [(200, ""), (300, ""), (900, "steps")]
    assert logs(tmp_path / "r") == logs(whole[0])
    assert steps[-1]["rewards"] == whole[1]["rewards"]
    assert steps[-1]["score"] == sum(whole[1]["rewards"]) / 4
    evaluation = next(path for path in (whole[0] / "evaluations").glob("*games-4*"))
    assert json.loads(evaluation.read_text())["rewards"] == whole[1]["rewards"], (
        "of its best weights, as evaluate has them"
    )


def test_a_run_that_stands_at_its_rung_already_does_not_play_on(tmp_path: Path) -> None:
    """Its process was killed before anybody knew."""
    first = trial_job(RECIPE, job(tmp_path, 300))
    before = logs(tmp_path / "r")
    assert trial_job(RECIPE, job(tmp_path, 300)) | {"seconds": 0} == first | {"seconds": 0}
    assert logs(tmp_path / "r") == before


def test_a_run_that_was_stopped_before_its_rung_goes_on_to_it(
    whole: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    class Stopping(triptych.Callback):
        def step(self, run: Any, tick: Any) -> None:
            if run.counters.steps >= 170:
                run.pause()

    result = triptych.train(RECIPE, "torch", runs_dir=tmp_path, run_name="r", callbacks=[Stopping], video=False)
    assert 100 < result.checkpoint < 200, "no regular checkpoint"
    assert trial_job(RECIPE, job(tmp_path, 160))["steps"] == 200
    trial_job(RECIPE, job(tmp_path, None))
    assert logs(tmp_path / "r") == logs(whole[0])


def test_a_run_that_diverges_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = override(RECIPE, {"learning_rate": 1e30, "optimiser.max_norm": None})
    found = trial_job(recipe, job(tmp_path, None) | {"recipe": to_dict(recipe)})
    assert (found["ended"], found["score"]) == ("diverged", None)
    assert "finite" in found["why"] or "nan" in found["why"]
