"""An agent in mazes, from training to a test on held-out ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import triptych
from tests.experiments.test_parts import Killed
from tests.experiments.test_resume import assert_same
from triptych import envs
from triptych.cli.runs import Evaluate
from triptych.experiments.jobs import study_job
from triptych.experiments.resume import resume
from triptych.experiments.train import train
from triptych.recipes import load_recipe, resolve
from triptych.recipes.override import override
from triptych.runs.records import read_evaluations
from triptych.training.callbacks.logs import Logs
from triptych.utils.checks import InputError

SMALL = {
    "steps": 600, "num_envs": 4, "algorithm.rollout_steps": 10, "env.maze_size": (7, 9), "env.time_limit": 25,
    "env.curriculum": 60, "checkpoint_every": 100, "log_every": 50, "best_window": 5, "network.4.units": 8,
    "evaluate_every": 0,
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    recipe = override(load_recipe("maze-lstm"), SMALL)
    return train(recipe, framework="torch", run_name="whole", runs_dir=tmp_path_factory.mktemp("runs"), quiet=True)


def test_a_killed_training_goes_on_in_the_same_mazes(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    see = Logs.see

    def dies(self: Any, training: Any, tick: Any) -> None:
        see(self, training, tick)
        if training.counters.steps >= 330:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Logs, "see", dies)
        with pytest.raises(Killed):
            train(
                override(load_recipe("maze-lstm"), SMALL),
                framework="torch",
                run_name="killed",
                runs_dir=tmp_path,
                quiet=True,
            )
    resume(tmp_path / "killed", "torch", quiet=True)
    assert_same(tmp_path / "killed", run.path)


def test_a_test_on_held_out_mazes_is_told_as_one(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings = ("split=test", "maze-size=13,15", "time-limit=30")
    assert Evaluate(name=str(run.path), setting=settings, games=3).run() == 0
    assert "of triptych/Maze-v0, split test, maze_size (13, 15), time_limit 30" in capsys.readouterr().out
    (kept,) = read_evaluations(run.path)
    assert kept["settings"] == {"split": "test", "maze_size": [13, 15], "time_limit": 30}
    assert kept["lengths"] == [30, 30, 30]
    again = triptych.evaluate(run.path, 3, **{"env.split": "test", "env.maze_size": (13, 15), "env.time_limit": 30})
    assert again.rewards == kept["rewards"]


def test_a_study_judges_a_run_in_the_mazes_that_it_names(run: Any) -> None:
    held_out = {"env.split": "test", "env.maze_size": (13, 15), "env.time_limit": 30}
    job = {"runs_dir": str(run.path.parent), "run_name": run.path.name, "quiet": True, "flicker": [None], "games": 3}
    job |= {"epsilon": 0.0, "window": 2, "threshold": None, "test": json.dumps(held_out)}
    found = study_job(override(load_recipe("maze-lstm"), SMALL), job)
    assert found["tests"] == [{"flicker": None, "score": triptych.evaluate(run.path, 3, **held_out).mean}]
    kept = read_evaluations(run.path)[-1]
    assert kept["settings"] == {"split": "test", "maze_size": [13, 15], "time_limit": 30}


@pytest.mark.parametrize("env_id", ["triptych/Maze-v0", "triptych/MazeRaycast-v0"])
def test_a_maze_given_by_its_id_alone_has_a_network_that_fits(env_id: str) -> None:
    recipe = resolve(None, {"env": env_id})
    games = envs.make(recipe.env, 1)
    assert recipe.make_network(games.observation, games.num_actions).tensors()


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("split=held", "split is 'held'; allowed: train, test"),
        ("splt=test", "splt is 'test'; did you mean split?"),
        ("maze_size=8,9", "maze_size is (8, 9); allowed: two odd numbers"),
        ("split", "setting is 'split'; allowed: NAME=VALUE, such as split=test"),
    ],
)
def test_a_setting_that_is_not_allowed_is_told(run: Any, setting: str, said: str) -> None:
    with pytest.raises(InputError) as raised:
        Evaluate(name=str(run.path), setting=(setting,), games=1).run()
    assert said in str(raised.value)
