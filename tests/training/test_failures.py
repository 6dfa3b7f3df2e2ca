"""An environment or a callback that fails, and numbers that are not finite: what is told, and that nothing is lost."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import triptych
from tests.experiments.test_resume import rows
from tests.training import failing_env
from triptych.envs.closing import TOLD
from triptych.envs.gym import GymGames
from triptych.training.callbacks.evaluation import Evaluation
from triptych.utils.files import read_tensors

QUICK: dict[str, Any] = {
    "warm_up": 100, "steps": 1_200, "checkpoint_every": 500, "evaluate_every": 0, "threads": 1, "best_window": 5, "video": False,
}  # fmt: skip


@pytest.fixture(autouse=True)
def from_the_start() -> None:
    failing_env.Base.seen = 0


def raising(kind: str) -> dict[str, Any]:
    return QUICK | {"env": "tests.training.failing_env:Raises-v0", "env.kwargs": json.dumps({"kind": kind})}


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("RuntimeError", "RuntimeError: simulator lost connection"),
        ("exit", "SystemExit"),
        ("pipe", "BrokenPipeError"),
        ("os", "ConnectionResetError"),
    ],
)
def test_a_game_that_raises_is_told_and_all_is_saved(kind: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(triptych.RunFailed) as failed:
        triptych.train(runs_dir=tmp_path, run_name="r", **raising(kind))
    line, result = str(failed.value), failed.value.result
    run = tmp_path / "r"
    assert "\n" not in line
    assert all(word in line for word in (said, "in game 0 at step", str(run / "error.txt"), f"triptych resume {run}"))
    assert failed.value.path == run
    assert isinstance(failed.value.__cause__, triptych.EnvironmentFailed)
    assert (result.stopped_by, result.checkpoint) == ("failed", result.steps)
    assert 600 < result.steps < 700
    kept = (run / "error.txt").read_text()
    assert "Traceback" in kept
    assert "failing_env.py" in kept
    assert said.partition(":")[0] in kept
    assert json.loads((run / "summary.json").read_text())["why"] in line
    ended = triptych.resume(run)
    assert (ended.stopped_by, ended.steps) == ("steps", 1_200)
    assert rows(run / "resumes.csv")[0]["step"] == str(result.steps)


def test_an_actor_critics_rollout_survives_the_failure(tmp_path: Path) -> None:
    settings = {name: value for name, value in raising("os").items() if name != "warm_up"}
    with pytest.raises(triptych.RunFailed) as failed:
        triptych.train("cartpole-ppo", runs_dir=tmp_path, run_name="r", **settings)
    assert failed.value.result.checkpoint == failed.value.result.steps > 500
    assert triptych.resume(tmp_path / "r").stopped_by == "steps"


def test_a_game_that_never_begins_leaves_no_folder(tmp_path: Path) -> None:
    for more in ({}, {"run_name": "r"}):
        with pytest.raises(triptych.EnvironmentFailed, match=r"at its reset: FileNotFoundError.*maps/level-1\.txt"):
            triptych.train(env="tests.training.failing_env:NeverBegins-v0", runs_dir=tmp_path, **QUICK | more)
    assert list(tmp_path.iterdir()) == []


def test_test_games_that_fail_stop_the_run_and_are_played_again(tmp_path: Path) -> None:
    """What is learned from is as it should be, and games that can be saved go on exactly."""
    broken = {"now": True}
    make = triptych.envs.make

    def sometimes(config: Any, num_envs: int, threads: int = 1) -> Any:
        games = make(config, num_envs, threads)
        if num_envs == 7 and broken["now"]:
            games.recv = failing  # type: ignore[method-assign]
        return games

    def failing() -> Any:
        raise triptych.EnvironmentFailed("CartPole-v1", 3, 1, "RuntimeError: lost")

    settings = QUICK | {"recipe": "cartpole", "evaluate_every": 300, "evaluate_games": 7}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(triptych.envs, "make", sometimes)
        with pytest.raises(triptych.RunFailed, match="in game 3 at step 1"):
            triptych.train(runs_dir=tmp_path, run_name="r", **settings)
    triptych.resume(tmp_path / "r")
    triptych.train(runs_dir=tmp_path, run_name="whole", **settings)
    assert rows(tmp_path / "r" / "metrics.csv") == rows(tmp_path / "whole" / "metrics.csv")


@pytest.mark.parametrize("saved", [True, False], ids=["games that are saved", "games that are cut"])
def test_test_games_that_fail_at_the_last_step_are_played_again(saved: bool, tmp_path: Path) -> None:
    """With the weights of then, as often as they fail; the run is finished only afterwards, and has no step more."""
    failing = {"now": True}
    make = triptych.envs.make

    def sometimes(config: Any, num_envs: int, threads: int = 1) -> Any:
        games = make(config, num_envs, threads)
        recv = games.recv
        games.recv = lambda: lost() if num_envs == 7 and failing["now"] else recv()  # type: ignore[method-assign]
        return games

    def lost() -> Any:
        raise triptych.EnvironmentFailed("the game", 3, 1, "RuntimeError: lost")

    settings: dict[str, Any] = {name: value for name, value in QUICK.items() if name != "warm_up"}
    settings |= {"steps": 1_200, "evaluate_every": 1_200, "evaluate_games": 7, "recipe": "cartpole-ppo"}
    settings |= {} if saved else {"env": "MountainCar-v0", "env.time_limit": 60}
    run, whole = tmp_path / "r", tmp_path / "whole"
    triptych.train(runs_dir=tmp_path, run_name="whole", **settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(triptych.envs, "make", sometimes)
        with pytest.raises(triptych.RunFailed, match=f"in game 3 at step 1.*go on with: triptych resume {run}"):
            triptych.train(runs_dir=tmp_path, run_name="r", **settings)
        with pytest.raises(triptych.RunFailed, match="in game 3 at step 1") as failed:
            triptych.resume(run)
        assert failed.value.result.stopped_by == "failed"
        failing["now"] = False
        ended = triptych.resume(run)
    assert (ended.stopped_by, ended.steps) == ("steps", failed.value.result.steps)
    assert json.loads((run / "config.json").read_text())["resume_exact"] is True, "no game was cut for it"
    for name in ("episodes.csv", "metrics.csv"):
        assert rows(run / name) == rows(whole / name)
    assert rows(run / "metrics.csv")[-1]["evaluation_games"] == "7"
    latest = [read_tensors(path / "checkpoints" / "latest.safetensors")[0] for path in (run, whole)]
    assert all(np.array_equal(latest[0][name], latest[1][name]) for name in latest[1])
    assert triptych.resume(run).steps == ended.steps, "it is finished now"


def test_a_callbacks_stop_is_kept_while_test_games_fail(tmp_path: Path) -> None:
    """The test is played again first, and then the run ends as the callback wanted, where it wanted it."""
    failing = {"now": True}
    play = Evaluation.play

    def sometimes(evaluation: Evaluation, run: Any) -> Any:
        if failing["now"]:
            raise triptych.EnvironmentFailed("the game", 3, 1, "RuntimeError: lost")
        return play(evaluation, run)

    def enough(run: Any, tick: Any) -> None:
        if run.counters.steps == 600:
            run.stop("enough")

    settings = QUICK | {"recipe": "cartpole", "evaluate_every": 600, "evaluate_games": 2}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Evaluation, "play", sometimes)
        with pytest.raises(triptych.RunFailed):
            triptych.train(runs_dir=tmp_path, run_name="r", callbacks=[enough], **settings)
        failing["now"] = False
        ended = triptych.resume(tmp_path / "r")
    assert (ended.stopped_by, ended.steps) == ("enough", 600)
    assert rows(tmp_path / "r" / "metrics.csv")[-1]["evaluation_games"] == "2"


def test_a_callback_that_fails_stops_the_run_where_it_is_consistent(tmp_path: Path) -> None:
    def failing(run: Any, tick: Any) -> None:
        if run.counters.steps == 321:
            raise ValueError("of the user's own")

    settings = QUICK | {"recipe": "cartpole"}
    with pytest.raises(triptych.RunFailed, match=r"callback .*failing failed: ValueError: of the user's own") as failed:
        triptych.train(runs_dir=tmp_path, run_name="r", callbacks=[failing], **settings)
    assert failed.value.result.checkpoint == 321
    assert "of the user's own" in (tmp_path / "r" / "error.txt").read_text()
    triptych.resume(tmp_path / "r")
    triptych.train(runs_dir=tmp_path, run_name="whole", **settings)
    assert rows(tmp_path / "r" / "episodes.csv") == rows(tmp_path / "whole" / "episodes.csv")


def test_a_callback_that_ends_the_process_does_not(tmp_path: Path) -> None:
    def leaving(run: Any, tick: Any) -> None:
        raise SystemExit(0)

    with pytest.raises(triptych.RunFailed, match="SystemExit"):
        triptych.train("cartpole", runs_dir=tmp_path, callbacks=[leaving], **QUICK)


def test_games_are_closed_after_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[bool] = []
    monkeypatch.setattr(GymGames, "close", lambda games: closed.append(True))
    with pytest.raises(triptych.RunFailed):
        triptych.train(runs_dir=tmp_path, **raising("os"))
    assert closed


def test_each_game_is_closed_once(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    failing_env.Closes.closed.clear()
    TOLD.clear()
    settings = QUICK | {"env": "tests.training.failing_env:Closes-v0", "steps": 200, "evaluate_every": 100, "evaluate_games": 2}  # fmt: skip
    assert triptych.train(runs_dir=tmp_path, num_envs=2, **settings).stopped_by == "steps"
    closed = failing_env.Closes.closed
    assert len(closed) >= 4, "two that are learned from, and two that are tested"
    assert closed == [1] * len(closed)
    said = capsys.readouterr().err
    assert said.count("closing tests.training.failing_env:Closes-v0 failed: OSError: no such window") == 1
    assert "Traceback" not in said


NAN = QUICK | {"env": "tests.training.failing_env:NotFinite-v0", "steps": 500, "precision": "float64"}


def finite(run: Path) -> None:
    for file in (run / "checkpoints").glob("*.safetensors"):
        assert all(np.isfinite(array).all() for array in read_tensors(file)[0].values())
    for file in run.rglob("*.json"):
        json.loads(file.read_text(), parse_constant=lambda word: pytest.fail(f"{word} in a file"))


@pytest.mark.parametrize("recipe", ["cartpole", "drqn-cartpole", "cartpole-ppo"])
def test_numbers_that_are_not_finite_are_named_and_not_learned_from(
    recipe: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    """Alike in the three frameworks: they take the same actions and play the same episodes."""
    found = {}
    settings = {name: value for name, value in NAN.items() if name != "warm_up" or "ppo" not in recipe}
    for framework in ("torch", "jax", "keras"):
        result = triptych.train(recipe, framework, runs_dir=tmp_path, run_name=framework, **settings)
        assert result.stopped_by == "steps"
        assert result.updates > 10
        kept = json.loads((tmp_path / framework / "summary.json").read_text())
        assert kept["broken_steps"] == result.broken_steps > 0
        assert re.search(r"is nan in game \d.*, at step [\d,]+ of the run", kept["broken_first"] or "") or "inf" in str(
            kept["broken_first"]
        )
        finite(tmp_path / framework)
        columns = ("episode", "steps", "episode_reward", "episode_length")
        found[framework] = [tuple(row[name] for name in columns) for row in rows(tmp_path / framework / "episodes.csv")]
    assert len(found["torch"]) > 20
    assert found["torch"] == found["jax"] == found["keras"]
    said = capsys.readouterr().err
    assert said.count("nothing is learned from such steps") == 3, "the first one of each run"
    assert re.search(r"(reward is nan|observation holds inf) in game \d at step \d+ of its episode", said)


@pytest.mark.parametrize(
    ("recipe", "settings", "steps"),
    [
        ("cartpole", {}, 100),
        (
            "cartpole-ppo",
            {"warm_up": None, "num_envs": 2, "algorithm.rollout_steps": 64, "algorithm.minibatches": 2},
            128,
        ),
    ],
)
def test_a_game_that_nothing_can_be_learned_from_fails_once_it_should_have_been(
    recipe: str, settings: dict[str, Any], steps: int, tmp_path: Path
) -> None:
    chosen = NAN | {"env": "tests.training.failing_env:NeverFinite-v0"} | settings
    chosen = {name: value for name, value in chosen.items() if value is not None}
    with pytest.raises(
        triptych.RunFailed, match=f"not one of the {steps} steps so far could be learned from"
    ) as failed:
        triptych.train(recipe, runs_dir=tmp_path, run_name="r", **chosen)
    assert "the observation holds nan in game 0" in str(failed.value)
    result = failed.value.result
    assert (result.stopped_by, result.steps, result.updates, result.broken_steps) == ("failed", steps, 0, steps)


def test_a_run_that_was_not_to_learn_ends_well_on_such_a_game(tmp_path: Path) -> None:
    settings = NAN | {"env": "tests.training.failing_env:NeverFinite-v0", "steps": 200, "warm_up": 200}
    assert triptych.train(runs_dir=tmp_path, **settings).stopped_by == "steps"


def test_an_observation_of_a_reset_that_is_not_finite_is_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    settings = NAN | {"env": "tests.training.failing_env:DarkResets-v0", "checkpoint_every": 110, "steps": 220}
    triptych.train(runs_dir=tmp_path, run_name="r", **settings)
    said = capsys.readouterr().err
    assert said.count("nothing is learned from such steps") == 1
    assert re.search(r"the observation holds nan in game 0 at its reset, at step 20 of the run", said)
    triptych.resume(tmp_path / "r", steps=330)
    assert "nothing is learned from such steps" not in capsys.readouterr().err, "told already"


@pytest.mark.parametrize("framework", ["torch", "jax", "keras"])
def test_a_run_that_diverges_keeps_its_last_good_weights(
    framework: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    """The learning rate turns absurd after the first checkpoint."""

    def absurd(run: Any, tick: Any) -> None:
        if run.counters.steps == 600:
            monkey.setattr(type(run.training), "learning_rate", 1e38)

    with pytest.MonkeyPatch.context() as monkey:
        result = triptych.train("cartpole", framework, runs_dir=tmp_path, run_name="r", callbacks=[absurd], **QUICK)
    assert result.stopped_by == "diverged"
    assert (600 <= result.steps < 650, result.checkpoint) == (True, 500)
    assert capsys.readouterr().err.count("the run has diverged: ") == 1
    finite(tmp_path / "r")
    assert json.loads((tmp_path / "r" / "summary.json").read_text())["stopped_by"] == "diverged"
    assert triptych.resume(tmp_path / "r").stopped_by == "steps", "from the last good checkpoint"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_never_the_best(value: float, tmp_path: Path) -> None:
    """Also where the loss does not say it."""

    def poison(run: Any, tick: Any) -> None:
        if run.counters.steps == 777:
            weights = run.weights()
            next(iter(weights.values())).flat[0] = value
            run.training.learner.set_weights(weights)

    result = triptych.train("cartpole", runs_dir=tmp_path, run_name="r", callbacks=[poison], **QUICK)
    assert result.stopped_by == "diverged"
    finite(tmp_path / "r")
