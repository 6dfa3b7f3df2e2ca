"""Agents of such games outside Triptych, games without an end, modules of the current folder, settings that nothing reads."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

import triptych
from tests.envs.cases.games import Endless, FromMinusOne, Picture, Seen, named
from triptych import envs
from triptych.envs.play import play_games
from triptych.utils.checks import InputError

SHORT: dict[str, Any] = {
    "steps": 300, "threads": 1, "evaluate_every": 0, "warm_up": 100, "algorithm.update_every": 8, "algorithm.replay_size": 1000,
    "best_window": 2,
}  # fmt: skip


def trained(kind: type, runs_dir: Path, settings: dict[str, Any] | None = None, **kwargs: Any) -> Path:
    given = {"env.kwargs": json.dumps(kwargs), "runs_dir": runs_dir, **(settings or {})}
    return triptych.train(env=named(kind), **given, **SHORT).path


@pytest.mark.parametrize("form", ["choice", "choices", "bits", "point", "list", "sentence"])
def test_predict_takes_what_the_environment_gives_and_gives_what_it_takes(form: str, tmp_path: Path) -> None:
    settings = {"env.drop": ("mission",)} if form == "sentence" else {}
    run = trained(FromMinusOne, tmp_path, settings, form=form)
    agent, seen = triptych.load_agent(run), triptych.make_env(run)
    raw = gymnasium.make(named(FromMinusOne), form=form, disable_env_checker=True)
    assert seen.action_space == raw.action_space == gymnasium.spaces.Discrete(3, start=-1)
    given = set()
    for seed in range(5):
        ours, theirs, ended = seen.reset(seed=seed)[0], raw.reset(seed=seed)[0], False
        while not ended:
            action, same = agent.predict(theirs)[0], agent.predict(ours)[0]
            assert action == same
            assert action in raw.action_space
            given.add(int(action))
            theirs, reward, _, ended, _ = raw.step(action)
            ours, same_reward, *_ = seen.step(same)
            assert reward == same_reward
    assert given <= {-1, 0, 1}
    assert len(given) > 1 or form in ("choices", "bits")


def test_predict_takes_a_batch_of_what_the_environment_gives(tmp_path: Path) -> None:
    agent = triptych.load_agent(trained(FromMinusOne, tmp_path, form="choice"))
    single = [int(agent.predict(choice)[0]) for choice in (-1, 0, 1)]
    assert agent.predict(np.array([-1, 0, 1]))[0].tolist() == single
    assert agent.predict(np.eye(3, dtype=np.float32))[0].tolist() == single, "as make_env shows them"
    with pytest.raises(InputError, match="observation shape"):
        agent.predict(7)


def test_predict_stacks_pictures_of_the_environment_itself(tmp_path: Path) -> None:
    run = trained(Picture, tmp_path, {"env.fill": "first"}, shape=[3, None, None])
    agent, seen = triptych.load_agent(run), triptych.make_env(run)
    raw = gymnasium.make(named(Picture), shape=[3, None, None], disable_env_checker=True)
    ours, theirs, state, starts = seen.reset(seed=4)[0], raw.reset(seed=4)[0], None, np.ones(1, bool)
    for _ in range(10):
        action, state = agent.predict(theirs, state, starts)
        assert np.array_equal(state.pictures[0], ours)
        assert action == agent.predict(ours)[0]
        theirs, ours, starts = raw.step(action)[0], seen.step(action)[0], np.zeros(1, bool)


def test_stable_baselines_evaluates_on_both(tmp_path: Path) -> None:
    from stable_baselines3.common.evaluation import evaluate_policy

    run = trained(FromMinusOne, tmp_path, form="choice")
    agent = triptych.load_agent(run)
    for env in (gymnasium.make(named(FromMinusOne), form="choice", disable_env_checker=True), triptych.make_env(run)):
        mean, _ = evaluate_policy(agent, env, n_eval_episodes=2, warn=False)  # type: ignore[arg-type]
        assert 0 <= mean <= 12


class Idle:
    """Always action 0."""

    def predict(self, observation: Any, state: Any = None, episode_start: Any = None) -> tuple[np.ndarray, Any]:
        return np.zeros(len(observation), np.int64), None


def test_games_without_an_end_are_cut_and_counted_as_cut() -> None:
    games = envs.make(envs.EnvConfig(named(Endless)), 2)
    played = play_games(Idle(), games, np.arange(3), longest=50)
    assert [(game.length, game.cut) for game in played] == [(50, True)] * 3
    ended = play_games(Idle(), envs.make(envs.EnvConfig(named(Endless), time_limit=50), 2), np.arange(3), longest=50)
    assert [(game.length, game.cut) for game in ended] == [(50, False)] * 3


def test_evaluate_says_how_many_games_were_cut_and_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:  # fmt: skip
    run = trained(Endless, tmp_path)
    for module in ("triptych.envs.play", "triptych.experiments.evaluate"):
        monkeypatch.setattr(f"{module}.LONGEST", 60)
    monkeypatch.setattr(play_games, "__kwdefaults__", {"longest": 60, "film": None})
    score = triptych.evaluate(run, 2)
    assert (score.cut, score.lengths) == (2, [60, 60])
    said = capsys.readouterr().err
    assert "2 of 2 games did not end within 60 steps" in said
    assert "--env.time-limit" in said


def test_numbers_that_are_not_finite_are_told_where_games_are_played(capsys: pytest.CaptureFixture) -> None:
    games = envs.make(envs.EnvConfig(named(Seen), kwargs='{"form": "nan"}'), 1)
    assert play_games(Idle(), games, np.arange(2))[0].length == 12
    assert "holds nan in game 0 at step 5 of its episode, and 1 more such number" in capsys.readouterr().err


class Noting(Idle):
    """Keeps where it was told that a game begins."""

    def __init__(self) -> None:
        self.starts: list[bool] = []

    def predict(self, observation: Any, state: Any = None, episode_start: Any = None) -> tuple[np.ndarray, Any]:
        self.starts.append(bool(episode_start[0]))
        return super().predict(observation, state, episode_start)


def test_memory_begins_anew_behind_numbers_that_are_not_finite() -> None:
    """As the training has it: nan at step 5, so the step to it and the one from it, which begins at what never was."""
    player = Noting()
    play_games(player, envs.make(envs.EnvConfig(named(Seen), kwargs='{"form": "nan"}'), 1), np.arange(1))
    assert [step for step, begins in enumerate(player.starts) if begins] == [0, 5, 6]


OWN = """
import gymnasium as gym, numpy as np
import beside
class Own(gym.Env):
    observation_space = gym.spaces.Box(-1, 1, (1,))
    action_space = gym.spaces.Discrete(2)
    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed); self.t = 0
        return np.zeros(1, np.float32), {}
    def step(self, action):
        self.t += 1
        return np.zeros(1, np.float32), 1.0, False, self.t > 9, {}
gym.register("Own-v0", entry_point=Own)
"""
SCRIPT = "import sys; sys.path[:] = [p for p in sys.path if p]; from triptych.cli.main import main; main()"  # as an installed command is started


def command(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", SCRIPT, *arguments], cwd=cwd, capture_output=True, text=True)


def test_a_module_of_the_current_folder_is_importable_by_the_command(tmp_path: Path) -> None:
    (tmp_path / "own_games.py").write_text(OWN)
    (tmp_path / "beside.py").write_text("")
    few = ["--steps", "60", "--warm-up", "20", "--quiet", "--evaluate-every", "0"]
    done = command("train", "--env", "own_games:Own-v0", *few, "--run-name", "own", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    played = command("evaluate", "own", "--games", "2", cwd=tmp_path)
    assert played.returncode == 0, played.stderr
    assert played.stdout.startswith("10.0")


def test_a_module_of_the_current_folder_is_not_imported_for_what_is_only_read(tmp_path: Path) -> None:
    (tmp_path / "own_games.py").write_text("open('ran', 'w')\n" + OWN)
    (tmp_path / "beside.py").write_text("")
    few = ["--steps", "60", "--warm-up", "20", "--quiet", "--evaluate-every", "0"]
    assert command("train", "--env", "own_games:Own-v0", *few, "--run-name", "own", cwd=tmp_path).returncode == 0
    config = json.loads((tmp_path / "runs/own/config.json").read_text())
    (tmp_path / "runs/own/config.json").write_text(json.dumps(config | {"mark": "0" * 64}))  # a stranger's
    (tmp_path / "ran").unlink()
    refused = command("evaluate", "own", "--games", "2", cwd=tmp_path)
    assert refused.returncode == 2
    assert "own_games:Own-v0" in refused.stderr
    command("report", "own", cwd=tmp_path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"recipe": "cartpole", "env.stack": 8}, "stack is 8; allowed: nothing but 4"),
        ({"recipe": "cartpole", "env.crop": (0.0, 0.5, 0.0, 1.0)}, "crop is .*; allowed: nothing but"),
        ({"recipe": "cartpole", "env.layout": "hwc"}, "env.layout is 'hwc'; allowed: one that fits the shape of what is seen"),
        ({"recipe": "cartpole", "env.noop_max": 8}, "noop_max is 8; allowed: nothing, as these games do not read it"),
        ({"env": named(Picture), "env.kwargs": '{"shape": [4, null, null]}', "env.stack": 2}, "stack is 2; allowed: nothing but 4"),
    ],
)  # fmt: skip
def test_a_setting_that_the_game_never_reads_is_refused(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said):
        triptych.train(runs_dir=tmp_path, steps=100, **changes)
    assert not list(tmp_path.iterdir())


def test_atari_games_may_have_all_actions_of_the_console() -> None:
    games = {full: envs.make(envs.EnvConfig("ALE/Pong-v5", full_action_space=full), 1) for full in (False, True)}
    assert {full: found.num_actions for full, found in games.items()} == {False: 6, True: 18}
    for found in games.values():
        found.close()


RECIPE = """
import triptych
recipe = triptych.override(triptych.load_recipe("cartpole"), {"env": "Own-v0", "steps": 60, "algorithm.warm_up": 20, "evaluate_every": 0})
"""


def test_a_moved_run_of_a_recipe_file_plays_and_goes_on(tmp_path: Path) -> None:
    for name in ("there", "here"):
        (tmp_path / name).mkdir()
    recipe = tmp_path / "there/mine.py"
    recipe.write_text(OWN.replace("import beside", "") + RECIPE)
    assert command("train", "mine.py", "--run-name", "own", "--quiet", cwd=tmp_path / "there").returncode == 0
    copy = tmp_path / "here/kept.py"
    copy.write_bytes(recipe.read_bytes())
    (tmp_path / "there/runs/own").rename(tmp_path / "here/own")
    assert (tmp_path / "here/own/recipe.py").read_bytes() == recipe.read_bytes()
    recipe.unlink()
    for arguments in (["evaluate", "own", "--games", "2"], ["evaluate", "own", "--games", "2", "--recipe", "kept.py"]):
        done = command(*arguments, "--runs-dir", ".", cwd=tmp_path / "here")
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("10.0")
    done = command("resume", "own", "--recipe", "kept.py", "--runs-dir", ".", cwd=tmp_path / "here")
    assert done.returncode == 0, done.stderr
