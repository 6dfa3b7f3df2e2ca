"""A run that was stopped loses nothing; and one that has ended may be given more steps."""

from __future__ import annotations

import csv
import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

import triptych
from tests.experiments.test_resume import BREAKOUT, CARTPOLE, CARTPOLE_PPO, MEMORY, assert_same, rows
from triptych.report.page import report
from triptych.training import session
from triptych.utils.checks import InputError
from triptych.utils.files import read_tensors, sha256

SHORT: dict[str, Any] = CARTPOLE | {"steps": 1_300, "evaluate_every": 500}
GYM: dict[str, Any] = SHORT | {"recipe": None, "env": "MountainCar-v0", "env.time_limit": 60, "best_window": 3}


def interrupt_at(step: int, number: int = signal.SIGINT) -> Any:
    def interrupting(run: Any, tick: Any) -> None:
        if run.counters.steps >= step and not interrupting.done:  # type: ignore[attr-defined]
            interrupting.done = True  # type: ignore[attr-defined]
            signal.raise_signal(number)

    interrupting.done = False  # type: ignore[attr-defined]
    return interrupting


def train(path: Path, framework: str, settings: dict[str, Any], **more: Any) -> triptych.experiments.train.RunResult:  # type: ignore[name-defined]
    return triptych.train(framework=framework, runs_dir=path.parent, run_name=path.name, **settings, **more)


SAVED = {"cartpole": SHORT, "memory": MEMORY | {"steps": 1_300}, "cartpole-ppo": CARTPOLE_PPO | {"steps": 1_300}}


@pytest.mark.parametrize(
    ("framework", "recipe"),
    [("torch", "cartpole"), ("jax", "memory"), ("keras", "cartpole-ppo")],
)
def test_games_that_can_be_saved_go_on_from_the_very_step_to_the_same_bytes(
    framework: str, recipe: str, tmp_path: Path
) -> None:
    """In the middle of an episode, and of an actor-critic's rollout."""
    settings = SAVED[recipe]
    train(tmp_path / "whole", framework, settings)
    stopped = train(tmp_path / "stopped", framework, settings, callbacks=[interrupt_at(777)])
    assert (stopped.stopped_by, stopped.signal) == ("interrupted", signal.SIGINT)
    assert stopped.steps == stopped.checkpoint == pytest.approx(777, abs=4)
    assert stopped.resumes_exactly
    triptych.resume(tmp_path / "stopped")
    assert_same(tmp_path / "whole", tmp_path / "stopped")
    assert rows(tmp_path / "stopped" / "resumes.csv")[0]["exact"] == "True"
    assert json.loads((tmp_path / "stopped" / "config.json").read_text())["resume_exact"] is True


def test_every_signal_saves_alike(tmp_path: Path) -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):
        stopped = train(tmp_path / str(number), "torch", SHORT, callbacks=[interrupt_at(333, number)])
        assert (stopped.signal, stopped.checkpoint) == (number, stopped.steps)


def test_a_closed_terminal_may_say_so_twice(tmp_path: Path) -> None:
    def twice(run: Any, tick: Any) -> None:
        if run.counters.steps == 20:
            signal.raise_signal(signal.SIGHUP)
            signal.raise_signal(signal.SIGHUP)

    assert train(tmp_path / "r", "torch", SHORT, callbacks=[twice]).checkpoint == 20


@pytest.mark.parametrize("settings", [GYM, BREAKOUT | {"steps": 1_300}], ids=["gym", "atari"])
def test_games_that_cannot_be_saved_are_cut_and_the_run_says_so(
    settings: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    run = tmp_path / "r"
    stopped = train(run, "torch", settings, callbacks=[interrupt_at(901)])
    assert stopped.checkpoint == stopped.steps == pytest.approx(901, abs=2)
    assert not stopped.resumes_exactly
    capsys.readouterr()
    ended = triptych.resume(run)
    assert (ended.steps, ended.stopped_by) == (pytest.approx(1_300, abs=2), "steps")
    assert "cut there and begin new episodes; --exact goes back" in capsys.readouterr().err
    config = json.loads((run / "config.json").read_text())
    assert config["resume_exact"] is False
    assert "cut at step 90" in config["resume_inexact"][0]
    assert rows(run / "resumes.csv")[0]["exact"] == "False"
    steps = [int(row["steps"]) for row in rows(run / "episodes.csv")]
    assert steps == sorted(steps)


def test_exact_goes_on_from_the_last_regular_checkpoint_to_the_same_bytes(tmp_path: Path) -> None:
    whole, told, asked = tmp_path / "whole", tmp_path / "told", tmp_path / "asked"
    train(whole, "torch", GYM)
    assert train(told, "torch", GYM, callbacks=[interrupt_at(901)], exact=True).checkpoint == 500
    assert (told / "checkpoints" / "latest.safetensors").exists()
    triptych.resume(told)
    assert_same(whole, told)
    assert train(asked, "torch", GYM, callbacks=[interrupt_at(901)]).checkpoint > 900
    triptych.resume(asked, exact=True)
    assert_same(whole, asked)
    assert json.loads((asked / "config.json").read_text())["resume_exact"] is True


def test_a_rollout_that_is_cut_goes_on(tmp_path: Path) -> None:
    settings = {**CARTPOLE_PPO, "recipe": "cartpole-ppo", "env": "MountainCar-v0", "env.time_limit": 60, "steps": 1_300}
    run = tmp_path / "r"
    assert train(run, "torch", settings, callbacks=[interrupt_at(777)]).checkpoint == pytest.approx(777, abs=4)
    ended = triptych.resume(run)
    assert ended.stopped_by == "steps"
    assert ended.updates > 60


def test_long_without_a_checkpoint_one_is_written_that_changes_no_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In games that are cut, too: an endless one, or a very slow one, is not lost."""
    short = GYM | {"steps": 340, "warm_up": 60, "checkpoint_every": 200}
    train(tmp_path / "whole", "torch", short)
    monkeypatch.setattr(session, "OVERDUE", 0.0)  # after each step
    seen: list[set[str]] = []

    def look(run: Any, tick: Any) -> None:
        seen.append({path.name[:8] for path in (run.path / "checkpoints").glob("*-*") if path.is_dir()})

    train(tmp_path / "often", "torch", short, callbacks=[look])
    assert {"boundary", "snapshot"} in seen
    assert_same(tmp_path / "whole", tmp_path / "often")


def test_a_finished_run_is_given_more_steps(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """To the bytes of a run that was as long from its start, where no schedule ends with the run."""
    fixed = SHORT | {"optimiser.final_rate": None}
    train(tmp_path / "whole", "torch", fixed)
    train(tmp_path / "half", "torch", fixed | {"steps": 800})
    for steps in (500, 800, "+0", "many", "²", "+٣", "--900"):
        with pytest.raises(InputError, match=r"steps is .*; allowed: a whole number above 800"):
            triptych.resume(tmp_path / "half", steps=steps)
    assert triptych.resume(tmp_path / "half", steps="+500").steps == pytest.approx(1_300, abs=1)
    whole, half = tmp_path / "whole", tmp_path / "half"
    assert rows(whole / "episodes.csv") == rows(half / "episodes.csv")
    for name in ("best", "latest"):
        ours, theirs = (read_tensors(run / "checkpoints" / f"{name}.safetensors")[0] for run in (whole, half))
        assert all((ours[key] == theirs[key]).all() for key in ours)
    config = json.loads((half / "config.json").read_text())
    assert config["recipe"]["steps"] == 1_300
    assert config["changes"] == [{"step": 800, "settings": {"steps": [800, 1_300]}}]
    assert rows(half / "resumes.csv")[0]["changes"] == "steps: 800 -> 1300"
    assert triptych.resume(half).stopped_by == "steps", "what a resume has written itself is no foreign change"


def test_games_that_cannot_be_saved_go_on_after_the_end(tmp_path: Path) -> None:
    train(tmp_path / "r", "torch", GYM | {"steps": 800})
    assert triptych.resume(tmp_path / "r", steps=1_000).steps == 1_000


def test_schedules_that_end_with_the_run_are_told(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    train(tmp_path / "r", "torch", SHORT | {"steps": 800, "optimiser.final_rate": 0.0, "algorithm.epsilon_steps": 300})
    capsys.readouterr()
    triptych.resume(tmp_path / "r", steps=900)
    said = capsys.readouterr().err
    assert "the learning rate falls to its end at the run's last step: here it was 0, and is" in said
    assert "epsilon has come to its end" in said


def test_a_solved_run_goes_on_too(tmp_path: Path) -> None:
    settings = SHORT | {"solved_at": 1.0, "steps": 50_000, "warm_up": 3_000, "evaluate_every": 0}
    solved = train(tmp_path / "r", "torch", settings)
    assert solved.stopped_by == "solved"
    ended = triptych.resume(tmp_path / "r", steps=solved.steps + 100)
    assert (ended.stopped_by, ended.steps) == ("steps", pytest.approx(solved.steps + 100, abs=1))


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "stopped"
    train(path, "torch", SHORT, callbacks=[interrupt_at(777)])
    return path


def changed(path: Path, **settings: Any) -> None:
    config = json.loads((path / "config.json").read_text())
    for name, value in settings.items():
        part = config["recipe"]
        *parents, last = name.split("__")
        for parent in parents:
            part = part[parent]
        part[last] = value
    (path / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"algorithm__gamma": 0.9}, "algorithm.gamma is 0.9, was 0.99"),
        ({"seed": 1}, "seed is 1, was 0"),
        ({"precision": "float64"}, "precision is 'float64', was 'float32'"),
        ({"steps": 5_000}, "steps is 5000, was 1300"),
        ({"num_envs": 3}, "num_envs is 3, was 2"),
    ],
)
def test_settings_changed_by_hand_are_named(settings: dict[str, Any], said: str, stopped: Path, tmp_path: Path) -> None:
    run = tmp_path / "r"
    shutil.copytree(stopped, run)
    changed(run, **settings)
    with pytest.raises(InputError) as refused:
        triptych.resume(run)
    assert said in str(refused.value)
    assert "--accept-changes" in str(refused.value)


def test_settings_changed_by_hand_are_taken_where_the_user_says_so(stopped: Path, tmp_path: Path) -> None:
    run = tmp_path / "r"
    shutil.copytree(stopped, run)
    changed(run, algorithm__gamma=0.9)
    assert triptych.resume(run, accept_changes=True, callbacks=[interrupt_at(900)]).stopped_by == "interrupted"
    assert rows(run / "resumes.csv")[0]["changes"] == "algorithm.gamma: 0.99 -> 0.9"
    assert triptych.resume(run).stopped_by == "steps", "once is enough"


def test_a_checkpoint_of_an_older_version_says_nothing_of_its_settings(stopped: Path, tmp_path: Path) -> None:
    run = tmp_path / "r"
    shutil.copytree(stopped, run)
    newest = max((run / "checkpoints").glob("snapshot-*"))
    manifest = json.loads((newest / "boundary.json").read_text())
    for name in ("recipe", "threads", "exact"):
        del manifest[name]
    (newest / "boundary.json").write_text(json.dumps(manifest))
    (newest / "boundary.sha256").write_text(sha256(newest / "boundary.json"))
    assert triptych.resume(run).stopped_by == "steps"


def test_a_run_begins_with_anothers_weights(stopped: Path, tmp_path: Path) -> None:
    begun = train(tmp_path / "r", "jax", SHORT | {"steps": 200, "warm_up": 300}, from_run=stopped)
    file = stopped / "checkpoints" / "best.safetensors"
    ours, theirs = read_tensors(begun.path / "checkpoints" / "latest.safetensors")[0], read_tensors(file)[0]
    assert all((ours[name] == theirs[name]).all() for name in theirs), "nothing was learned in a warm-up"
    told = json.loads((begun.path / "config.json").read_text())["from"]
    assert (told["sha256"], told["file"]) == (sha256(file), str(file))
    assert told["steps"] > 0


def test_without_a_recipe_the_other_runs_settings_are_taken(stopped: Path, tmp_path: Path) -> None:
    for name, given in (("run", stopped), ("file", stopped / "checkpoints" / "latest.safetensors")):
        begun = triptych.train(from_run=given, runs_dir=tmp_path, run_name=name, steps=160)
        recipe = json.loads((begun.path / "config.json").read_text())["recipe"]
        assert (recipe["batch_size" if "batch_size" in recipe else "num_envs"], recipe["steps"]) == (2, 160)


def test_weights_that_do_not_fit_are_refused_before_anything_is_written(stopped: Path, tmp_path: Path) -> None:
    other = SHORT | {"network.0.units": 7, "network.1.units": 7}
    with pytest.raises(InputError, match=r"none of its layers fits this network \(dense_1/kernel has shape"):
        train(tmp_path / "r", "torch", other, from_run=stopped)
    with pytest.raises(InputError, match="take is 'lstm'; allowed: a layer"):
        train(tmp_path / "r", "torch", SHORT, from_run=stopped, take=["lstm"])
    with pytest.raises(InputError, match=r"take is \['dense'\]; allowed: layers, beside --from RUN"):
        train(tmp_path / "r", "torch", SHORT, take="dense")
    with pytest.raises(InputError, match="no such run"):
        train(tmp_path / "r", "torch", SHORT, from_run="absent")
    assert not (tmp_path / "r").exists()


def test_a_run_without_weights_is_told_from_one_that_is_not_there(stopped: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    shutil.copy(stopped / "config.json", bare)
    with pytest.raises(
        InputError, match="this run has no weights, or none yet; allowed: a run that has written a checkp"
    ):
        train(tmp_path / "r", "torch", SHORT, from_run=bare)
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("kept", ["config.json", "checkpoints/best.safetensors"])
def test_a_runs_games_are_made_from_its_settings_alone(stopped: Path, tmp_path: Path, kept: str) -> None:
    """As results/ and fetched folders hold them: with the best weights only, or with none."""
    for name in {"config.json", kept}:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(stopped / name, tmp_path / name)
    assert triptych.make_env(tmp_path).action_space.n == 2


def test_layers_are_taken_into_another_algorithms_run_and_the_page_tells_which(
    stopped: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {"recipe": "cartpole-ppo", "network.0.units": 256, "steps": 80, "best_window": 1}
    begun = train(tmp_path / "r", "torch", settings, from_run=stopped, take=["dense"], quiet=False, video=False)
    told = json.loads((begun.path / "config.json").read_text())["from"]
    theirs = read_tensors(stopped / "checkpoints" / "best.safetensors")[0]
    taken = {name for name, origin in told["tensors"].items() if origin == "taken"}
    assert taken == {"dense_1/kernel", "dense_1/bias"}
    assert told["take"] == ["dense"]
    first = read_tensors(next((begun.path / "checkpoints").glob("boundary-000000000")) / "state.safetensors")[0]
    assert all((first[f"learner/online/{name}"] == theirs[name]).all() for name in taken)
    shape, misfit = theirs["dense_2/kernel"].shape, "dense_2/kernel is fresh: has shape"
    lines = capsys.readouterr().err.splitlines()
    assert f"warning: {misfit} {shape} there, (256, 64) here" in lines
    assert any(line.split() == ["dense_1/bias", "(256,)", "taken"] for line in lines)
    page = report([str(begun.path)], out=tmp_path / "page.html").read_text()
    assert "<tr><th>dense_1/kernel</th><td>taken</td></tr>" in page
    assert "<tr><th>head/policy_bias</th><td>fresh: not asked for</td></tr>" in page
    assert f"--from={stopped}/checkpoints/best.safetensors --take dense</pre>" in page


def test_a_moved_run_goes_on_and_is_evaluated(stopped: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    moved = tmp_path / "elsewhere" / "another-name"
    shutil.copytree(stopped, moved)
    assert triptych.evaluate("another-name", 2, runs_dir=tmp_path / "elsewhere").games == 2
    ended = triptych.resume(moved)
    assert (ended.path, ended.stopped_by) == (moved, "steps")


def read_csv(path: Path) -> list[list[str]]:
    with open(path, newline="") as file:
        return list(csv.reader(file))


def test_what_a_resume_does_not_need_does_not_stop_it(stopped: Path, tmp_path: Path) -> None:
    run = tmp_path / "r"
    shutil.copytree(stopped, run)
    before = read_csv(run / "episodes.csv")
    with open(run / "episodes.csv", "ab") as file:
        file.write(b"\xff\xfe\n")
    (run / "summary.json").write_text('{"steps": 7')
    stray = run / "checkpoints" / ".tmpAbC123"
    stray.write_bytes(b"left by a killed process")
    assert triptych.resume(run).stopped_by == "steps"
    assert read_csv(run / "episodes.csv")[: len(before)] == before
    assert not stray.exists()
    assert json.loads((run / "summary.json").read_text())["stopped_by"] == "steps"


def test_logs_that_end_before_the_newest_checkpoint_fit_the_one_before(
    stopped: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    run = tmp_path / "r"
    shutil.copytree(stopped, run)
    before = json.loads((run / "checkpoints" / "boundary-000000500" / "boundary.json").read_text())
    with open(run / "episodes.csv", "rb+") as file:
        file.truncate(before["logs"]["episodes.csv"] + 3)
    assert triptych.resume(run).stopped_by == "steps"
    assert "episodes.csv is shorter than at this checkpoint" in capsys.readouterr().err
    assert rows(run / "resumes.csv")[0]["step"] == "500"


def test_a_flipped_bit_in_the_best_weights_ends_no_run(stopped: Path, tmp_path: Path) -> None:
    run = tmp_path / "r"
    shutil.copytree(stopped, run)
    best = run / "checkpoints" / "best.safetensors"
    whole = best.read_bytes()
    with open(best, "rb+") as file:
        file.seek(-5, 2)
        file.write(bytes([whole[-5] ^ 1]))
    held = [path / "best.safetensors" for path in (run / "checkpoints").glob("*-*") if path.is_dir()]
    assert sum(path.exists() and path.read_bytes() == whole for path in held) >= 1
    assert not any(path.exists() and path.samefile(best) for path in held)
    assert triptych.resume(run).stopped_by == "steps"
