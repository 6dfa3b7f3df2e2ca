"""A trial's run: to a rung, from there to the end, and where its process was killed in between."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import triptych
from triptych.experiments.tune import tracking
from triptych.experiments.tune.tracking import Tracking
from triptych.experiments.tune.trial import trial_job
from triptych.recipes import load_recipe
from triptych.recipes.override import override
from triptych.recipes.serialise import to_dict
from triptych.report.logs.events import read_events

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


def test_trackers_follow_a_trial_from_rung_to_rung_as_one_run_of_the_search(tmp_path: Path) -> None:
    """And what fails in one of them is told to whoever searches: a trial itself says nothing."""
    tracked = {"track": ["tensorboard", "wandb"], "group": "tune-memory"}
    (tmp_path / "r" / "trackers").mkdir(parents=True)
    (tmp_path / "r" / "trackers" / "wandb.log").symlink_to(tmp_path)
    for until in (300, None):
        found = trial_job(RECIPE, job(tmp_path, until) | tracked)
        assert found["untracked"]["wandb"].startswith("wandb does not follow the run: ")
        assert set(found["untracked"]) == {"wandb"}
    (file,) = (tmp_path / "r").glob("events.out.tfevents.*")
    shown = read_events(file)[0]
    assert len(shown["episodes/episode"]["step"]) == len(logs(tmp_path / "r")) - 1
    assert any(tag.startswith("test/") for tag in shown), "its test games, too"
    assert json.loads((tmp_path / "r" / "trackers" / "tensorboard.json").read_text())["group"] == "tune-memory"


def test_a_tracker_that_fails_in_each_trial_is_told_of_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(tracking, "warn", told.append)
    search = Tracking(tmp_path / "tune-a", ("wandb",))
    assert search.shared == {"track": ("wandb",), "group": "tune-a"}
    for trial in range(3):
        search.hear({"untracked": {"wandb": f"wandb failed in trial {trial}"}})
    assert told == ["wandb failed in trial 0"]


def test_a_search_on_ray_is_sent_when_it_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("trials/a", "trials/b", "fresh/c"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "config.json").touch()
    (tmp_path / "trials/refused").mkdir()
    sent: list[Any] = []
    monkeypatch.setattr(tracking, "send_all", lambda *given: sent.append(given))
    search = Tracking(tmp_path, ("wandb",), live=False)
    search.end()
    assert search.shared["track"] == ()
    assert sent == [([tmp_path / name for name in ("trials/a", "trials/b", "fresh/c")], ("wandb",), tmp_path.name)]
