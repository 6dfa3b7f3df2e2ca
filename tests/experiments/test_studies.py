"""Studies: every variant can be trained, what is done is not done again, and what the page says follows from the rows."""

from __future__ import annotations

import csv
import dataclasses
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats

from tests import forks
from triptych.cli.main import main
from triptych.experiments.studies import NAMES, load_study, published
from triptych.experiments.studies import run as studies
from triptych.experiments.studies.arms import chosen_arms, fingerprint, plan_of, quick_of, recipe_of
from triptych.experiments.studies.page import command, highest, sentences
from triptych.experiments.studies.rows import Result
from triptych.experiments.studies.rows import StudyRow as Row
from triptych.experiments.studies.run import run_study
from triptych.report.show.build import network_of
from triptych.utils import processes
from triptych.utils.checks import InputError
from triptych.utils.statistics import bootstrap_iqm

TASKS = ("positions, trained at 0% blank", "positions, trained at 25% blank")


def done(tests: list[dict[str, Any]], games: int = 50, epsilon: float = 0.0) -> dict[str, Any]:
    """What a run's process brings."""
    made = {"parameters": 9, "processor": "one", "versions": "numpy=2.0.0"}
    return {"path": "x", "tests": tests, "games": games, "epsilon": epsilon, **made}


def answering(jobs: list[dict[str, Any]]) -> Callable[..., None]:
    """What stands for `work_all`: it notes the jobs, and each scores 7 in all of its tests."""

    def work_all(kind: str, given: list[dict], then: Callable[[int, dict], None], *how: Any, **more: Any) -> None:
        jobs.extend(given)
        for place, job in enumerate(given):
            tests = [{"flicker": chance, "score": 7.0} for chance in job["flicker"]]
            then(place, done(tests, job["games"], job["epsilon"]))

    return work_all


@pytest.mark.parametrize("name", NAMES)
def test_every_arm_can_be_trained(name: str) -> None:
    study = load_study(name)
    plan = plan_of(study, 2, False, {})
    assert all(network_of(run.recipe).tensors() for (_, seed), run in plan.items() if seed == 0)
    ways = {(run.settings, studies.played(study, run.arm.task)) for run in plan.values()}
    assert len(ways) == len(plan), "no two arms are the same run in the same test"
    assert len({(arm.task, arm.label) for arm in study.arms}) == len(study.arms)
    assert study.seeds >= 5 or name in (
        "visual-attention",
        "atari57",
        "memory-loses",
        "neural-map",
        "transfer-atari",
    )  # hours instead of minutes
    quick = [recipe_of(arm, 0, quick_of(arm)) for arm in study.arms]
    assert max(recipe.steps for recipe in quick) <= 4_096


@pytest.mark.usefixtures("forked")
def test_a_study_runs_and_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    arguments = [
        "study",
        "flicker",
        "--quick",
        "--only",
        "gru",
        "--games",
        *TASKS,
        "--quiet",
        "--runs-dir",
        str(tmp_path),
        "--json",
    ]
    with pytest.raises(SystemExit) as stop:
        main([*arguments, "--seeds", "1"])
    assert stop.value.code == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {(row["task"], row["flicker"]) for row in result["rows"]} == {
        (task, flicker) for task in TASKS for flicker in (0.0, 0.1, 0.25, 0.5)
    }
    assert all(row["low"] <= row["iqm"] <= row["high"] for row in result["rows"])
    folder = tmp_path / "study-flicker-torch-quick"
    with open(folder / "runs.csv", newline="") as file:
        runs = list(csv.DictReader(file))
    assert len(runs) == 8
    assert all((Path(row["run"]) / "config.json").exists() for row in runs)
    page = (folder / "study.html").read_text()
    assert "A quick pass" in page
    assert ", and no other variant beside it." in page
    jobs: list[dict[str, Any]] = []

    monkeypatch.setattr(studies, "work_all", answering(jobs))
    run_study("flicker", quick=True, seeds=1, only=("gru",), games=TASKS, runs_dir=tmp_path)
    assert not jobs, "what is done is not done again"
    curves = (folder / "curves.json").read_text()
    assert json.loads(curves)[TASKS[0]][0]["mean"]
    for row in runs:
        shutil.rmtree(row["run"], ignore_errors=True)
    run_study("flicker", quick=True, seeds=1, only=("gru",), games=TASKS, runs_dir=tmp_path)
    assert (folder / "curves.json").read_text() == curves, "a page made without the runs' folders keeps its curves"
    again = run_study("flicker", quick=True, seeds=2, only=("lstm",), games=TASKS, runs_dir=tmp_path)
    assert [job["recipe"]["seed"] for job in jobs] == [0, 1, 0, 1]
    assert {row.label for row in again.rows} == {"gru", "lstm"}, "what was there is shown too"
    jobs.clear()
    run_study("flicker", "jax", quick=True, seeds=1, only=("gru",), games=TASKS, runs_dir=tmp_path, out=folder)
    assert len(jobs) == 2, "another framework's runs are not these"


def test_what_a_score_was_measured_by_is_part_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs: list[dict[str, Any]] = []

    def trained(**changes: Any) -> tuple[int, list[Row]]:
        study = dataclasses.replace(load_study("flicker"), **changes)
        monkeypatch.setattr(studies, "load_study", lambda name: study)
        jobs.clear()
        result = run_study("flicker", seeds=1, only=("gru",), games=TASKS, out=tmp_path)
        return len(jobs), result.rows

    monkeypatch.setattr(studies, "work_all", answering(jobs))
    study = load_study("flicker")
    assert trained()[0] == 2
    assert trained() == (0, trained()[1])
    count, rows = trained(flicker=(0.25, 0.75))
    assert count == 2
    assert [job["flicker"] for job in jobs] == [[0.75], [0.75]], "a chance that was not tested yet is"
    assert {row.flicker for row in rows} == {0.25, 0.75}
    assert trained(games=20)[0] == 2, "a score over other games is another score"
    assert trained(epsilon=0.05)[0] == 2, "and with random actions too"
    assert trained(tests={TASKS[0]: {"env.observe": "all"}})[0] == 1, "and in another environment, where a task says so"
    assert [job["test"] for job in jobs] == ['{"env.observe": "all"}']
    assert trained(tests={TASKS[0]: {"env.observe": "all"}})[0] == 0
    renamed = tuple(dataclasses.replace(arm, label=f"a {arm.label}") for arm in study.arms)
    monkeypatch.setattr(studies, "load_study", lambda name: dataclasses.replace(study, arms=renamed))
    jobs.clear()
    assert {row.label for row in run_study("flicker", seeds=1, only=("a gru",), games=TASKS, out=tmp_path).rows} == {
        "a gru"
    }
    assert not jobs, "an arm by another name is the same runs"


def test_one_run_is_tested_in_each_task_that_wants_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs: list[dict[str, Any]] = []
    calls: list[list[str]] = []

    def work_all(kind: str, given: list[dict], *how: Any, **more: Any) -> None:
        calls.append([job["task"] for job in given])
        answering(jobs)(kind, given, *how, **more)

    monkeypatch.setattr(studies, "work_all", work_all)
    rows = run_study("neural-map", seeds=2, only=("none",), out=tmp_path).rows
    small, large = "mazes of 7 to 11", "mazes of 13 and 15"
    assert [call for call in calls if call] == [[small] * 2, [large] * 2], "first trained, then tested once more"
    assert len({job["run_name"] for job in jobs}) == 2
    sizes = {job["task"]: json.loads(job["test"])["env.maze_size"] for job in jobs}
    assert sizes == {small: [7, 11], large: [13, 15]}
    assert [(row.task, row.label) for row in rows] == [(small, "none"), (large, "none")]
    calls.clear()
    run_study("neural-map", seeds=2, only=("none",), out=tmp_path)
    assert not any(calls)


def test_the_published_scores(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    games = published.load()
    assert len({game.game for game in games}) == 57
    kung_fu = next(game for game in games if game.game == "kung_fu_master")
    assert kung_fu.scores == {"feed-forward": 28819.0, "LSTM": 40835.0}
    assert kung_fu.normalised(kung_fu.human) == 100
    assert kung_fu.normalised(kung_fu.random) == 0
    [line] = published.sentences(games)
    assert "more in 37 of 57 games, less in 18, the same in 2." in line
    assert "loses most in robotank (-311)" in line
    rows = [
        Row("pong", label, None, score, 0, 0, [score], 9) for label, score in (("feed-forward", -20.7), ("LSTM", 14.6))
    ]
    own = published.figure(games, [*rows, Row("alien", "LSTM", None, 1.0, 0, 0, [1.0], 9)])["own"]
    assert [(game["game"], game["raw"], game["normalised"]) for game in own] == [("pong", pytest.approx(35.3), 100)]
    with pytest.raises(SystemExit) as stop:
        main(["study", "atari57", "--out", str(tmp_path), "--runs-dir", str(tmp_path)])
    assert stop.value.code == 0
    assert "no runs yet" in capsys.readouterr().out
    assert "video pinball" in (tmp_path / "study.html").read_text()


def test_which_arms_are_trained() -> None:
    study, games = load_study("memory-kinds"), load_study("atari57")
    assert chosen_arms(study, (), ()) == list(study.arms)
    assert {arm.task for arm in chosen_arms(study, ("lstm",), ("positions",))} == {"positions"}
    assert not chosen_arms(games, (), ()), "57 games twice would take weeks"
    assert [arm.label for arm in chosen_arms(games, (), ("pong",))] == ["feed-forward", "LSTM"]


def test_the_interquartile_mean_and_its_interval() -> None:
    rng = np.random.default_rng(0)
    for count in (1, 4, 5, 10):
        scores = rng.standard_normal(count).tolist()
        iqm, low, high = bootstrap_iqm(scores)
        assert iqm == pytest.approx(scipy.stats.trim_mean(scores, 0.25))
        assert low <= iqm <= high
    scores = rng.standard_normal(40)
    wanted = scipy.stats.bootstrap(
        (scores,), lambda x, axis: scipy.stats.trim_mean(x, 0.25, axis=axis), method="percentile", rng=1
    ).confidence_interval
    assert bootstrap_iqm(scores)[1:] == pytest.approx((wanted.low, wanted.high), abs=0.03)


def test_what_the_page_says_follows_from_the_intervals() -> None:
    rows = [
        Row("t", "a", None, 10.0, 9.0, 11.0, [10.0] * 4, 9),
        Row("t", "b", None, 8.5, 7.0, 9.5, [8.5] * 4, 9),
        Row("t", "c", None, 2.0, 1.0, 3.0, [2.0] * 4, 9),
    ]
    result = Result("s", "q", rows, {"t": "a"}, "torch", 4, 1, False, None, None, "", "", "", {})
    assert sentences(result) == [
        "t: highest is a with 10.00 (9.00 to 11.00). Its interval overlaps with those of b. Below it, intervals apart: c (2.00)."
    ]
    few = dataclasses.replace(result, rows=[dataclasses.replace(row, scores=row.scores[:3]) for row in rows])
    assert sentences(few) == ["t: highest is a with 10.00 (b 8.50, c 2.00); too few seeds to say more."]


def test_the_page_tells_how_its_runs_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(studies, "work_all", answering([]))
    result = run_study("atari57", games=("pong", "breakout"), steps=5_000, precision="bfloat16")
    wanted = (
        "triptych study atari57 --framework torch --seeds 1 --steps 5000 --precision bfloat16 --games breakout pong"
    )
    assert command(load_study("atari57"), result) == wanted
    assert wanted in Path(result.page).read_text()
    before = Path(result.csv).read_text()
    others = [run_study("atari57"), run_study("atari57", steps=5_000)]
    assert Path(result.csv).read_text() == before, "others do not overwrite these"
    folders = [Path(run.csv).parent.name for run in (result, *others)]
    assert folders == ["torch-5000-steps-bfloat16", "torch", "torch-5000-steps"]
    given: list[Any] = []
    monkeypatch.setattr(studies, "work_all", lambda kind, jobs, *_: given.extend(jobs))
    again = run_study("atari57", games=("pong", "tennis"), steps=5_000, precision="bfloat16", train=False)
    assert (Path(again.csv).read_text(), again.rows) == (before, result.rows), "of what is there alone"
    assert given == []
    monkeypatch.setattr(studies, "work_all", answering([]))
    part = run_study("atari57", games=("pong",), only=("LSTM",))
    assert command(load_study("atari57"), part) == "triptych study atari57 --framework torch --seeds 1 --games pong --only LSTM"  # fmt: skip
    part = run_study("memory-loses", only=("LSTM",), seeds=1)
    assert command(load_study("memory-loses"), part) == "triptych study memory-loses --framework torch --seeds 1 --only LSTM"  # fmt: skip
    rows = [dataclasses.replace(row, scores=[7.0] * (1 + (row.task == "seaquest"))) for row in part.rows]
    unlike = dataclasses.replace(part, rows=[row for row in rows if row.task != "riverraid"])
    assert command(load_study("memory-loses"), unlike).splitlines() == [
        "triptych study memory-loses --framework torch --seeds 2 --games seaquest --only LSTM",
        "triptych study memory-loses --framework torch --seeds 1 --games kung_fu_master road_runner --only LSTM",
    ], "a line for each number of seeds"
    first, second = part.rows[0], dataclasses.replace(part.rows[0], label="LSTM, skip", scores=[7.0, 8.0])
    mixed = dataclasses.replace(part, rows=[first, second])
    assert [line.partition("--seeds ")[2] for line in command(load_study("memory-loses"), mixed).splitlines()] == [
        f"2 --games {first.task} --only 'LSTM, skip'",
        f"1 --games {first.task} --only LSTM",
    ], "of one task too"
    with pytest.raises(InputError, match="games is 'none'; allowed: named where --only is, as there are 57"):
        run_study("atari57", only=("LSTM",))


def test_memory_loses_shares_its_runs_with_atari57() -> None:
    wide = {fingerprint(recipe_of(arm, 0, {"steps": 200_000})) for arm in load_study("atari57").arms}
    own = [arm.label for arm in load_study("memory-loses").arms if fingerprint(recipe_of(arm, 0, {})) in wide]
    assert own == ["feed-forward", "LSTM"] * 4


def test_the_highest_row_is_the_surest_of_equal_ones() -> None:
    lucky, sure = Row("t", "a", None, 1.0000000001, 0.5, 1.0, [1.0], 9), Row("t", "b", None, 1.0, 0.9, 1.0, [1.0], 9)
    assert highest([lucky, sure]) is sure
    assert highest([Row("t", "c", None, 1.1, 0.0, 2.0, [1.1], 9), sure]).label == "c"


def test_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="study is 'gravity'; allowed: atari57, "):
        run_study("gravity")
    with pytest.raises(InputError, match=r"only is 'nothing'; allowed: 'positions', .*'none'"):
        run_study("memory-kinds", only=("lstm", "nothing"), runs_dir=tmp_path)
    with pytest.raises(InputError, match="games is 'tetris'; allowed: 'alien', "):
        run_study("atari57", games=("tetris",), runs_dir=tmp_path)
    with pytest.raises(InputError, match="only is 'positions'; allowed: a variant of blind catch"):
        run_study("memory-kinds", only=("positions",), games=("blind catch",), runs_dir=tmp_path)
    with pytest.raises(InputError, match="steps is 0; allowed: above 0"):
        run_study("memory-kinds", steps=0, out=tmp_path / "new")
    assert not (tmp_path / "new").exists()
    (tmp_path / "runs.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"runs.csv, line 2: [a-z]+ is missing"):
        run_study("losses", out=tmp_path, runs_dir=tmp_path)


def test_ctrl_c_reaches_every_run_and_a_second_call_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = [sys.executable, "-m", "triptych", "study", "flicker", "--quick", "--only", "gru", "--seeds", "1"]
    command += ["--games", *TASKS, "--quiet", "--jobs", "2", "--runs-dir", str(tmp_path)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        runs = [path.parent for path in tmp_path.glob("*/episodes.csv") if len(path.read_text().splitlines()) > 3]
        if len(runs) == 2:
            break
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM, err
    assert all(f"triptych resume {run}" in err for run in runs), err
    assert "Traceback" not in err
    monkeypatch.setattr(processes, "start", forks.start_job)  # what is signalled has been
    result = run_study("flicker", quick=True, seeds=1, only=("gru",), games=TASKS, runs_dir=tmp_path, jobs=2)
    assert len(result.rows) == 8
    assert all(json.loads((run / "summary.json").read_text())["steps"] >= 1500 for run in runs)
