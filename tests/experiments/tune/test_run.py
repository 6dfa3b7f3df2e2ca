"""A whole search with processes: its files, its page, Ctrl-C and going on, and what is refused."""

from __future__ import annotations

import csv
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

import triptych
from tests import forks
from triptych.__main__ import main
from triptych.experiments.tune import run as tune_run
from triptych.experiments.tune.over import parse_space
from triptych.experiments.tune.plan import Plan, write_plan
from triptych.experiments.tune.search import Search
from triptych.recipes import load_recipe
from triptych.recipes.override import override
from triptych.utils import processes
from triptych.utils.checks import InputError

CHANGES = {"steps": 600, "warm_up": 100, "num_envs": 2, "algorithm.replay_size": 2_000, "threads": 1}
OVER = ["network.lstm_1.units=4,8,16,32", "optimiser.learning_rate=1e-4..1e-2:log"]
FLAGS = [
    "memory-chain", "--steps", "600", "--warm-up", "100", "--num-envs", "2", "--algorithm.replay-size", "2000", "--threads", "1",
    "--over", *OVER, "--trials", "2", "--fresh-seeds", "1", "--games", "4", "--jobs", "2",
]  # fmt: skip


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Any:
    how: dict[str, Any] = {
        "trials": 3,
        "fresh_seeds": 2,
        "games": 4,
        "jobs": 2,
        "runs_dir": tmp_path_factory.mktemp("runs"),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processes, "start", forks.start_job)
        return triptych.tune("memory-chain", over=OVER, **how, **CHANGES)


def test_a_search_ends_with_the_best_of_its_trials(result: Any) -> None:
    rows = list(csv.DictReader(Path(result.csv).read_text().splitlines()))
    assert [row["trial"] for row in rows] == ["0", "1", "2"]
    finished = [row for row in rows if row["outcome"] == "finished"]
    best = max(finished, key=lambda row: float(row["score"]))
    assert result.best_score == float(best["score"])
    assert {path: str(value) for path, value in result.best.items()} == {path: best[path] for path in result.best}
    assert result.outcomes == {name: [row["outcome"] for row in rows].count(name) for name in result.outcomes}
    assert json.loads((Path(result.folder) / "result.json").read_text())["best_score"] == result.best_score


def test_the_fresh_seeds_are_others_than_the_search_s(result: Any) -> None:
    assert result.fresh_seeds == [1, 2]
    runs = sorted(path.name for path in (Path(result.folder) / "fresh").iterdir())
    names = ["best", "own"] if result.best != result.own else ["best"]
    shown = [(run.split("-")[0], run.rpartition("-")[2]) for run in runs]
    assert shown == [(name, f"seed{seed}") for name in names for seed in (1, 2)]
    run = next((Path(result.folder) / "fresh").glob("best-*-seed2"))
    recipe = json.loads((run / "config.json").read_text())["recipe"]
    assert recipe["seed"] == 2
    assert recipe["optimiser"]["learning_rate"] == result.best["optimiser.learning_rate"]


def test_another_best_setting_is_trained_in_folders_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that goes on with more trials may find one."""
    names: list[str] = []

    def work_all(kind: str, todo: list[dict[str, Any]], keep: Any, jobs: int, place: Any) -> None:
        names.extend(job["run_name"] for job in todo)
        for at in range(len(todo)):
            keep(at, {"score": 1.0, "rewards": [1.0]})

    monkeypatch.setattr(tune_run, "work_all", work_all)
    recipe = override(load_recipe("memory-chain"), CHANGES)
    search = Search(
        Plan("memory-chain", "torch", tuple(OVER), fresh_seeds=2), recipe, parse_space(OVER, recipe), tmp_path, 1, True
    )
    for gamma in (0.9, 0.9, 0.95):
        tune_run.trained_anew(search, "best", override(recipe, {"algorithm.gamma": gamma}), None)
    assert names[:2] == names[2:4], "the same setting goes on where it was"
    assert not set(names[2:4]) & set(names[4:])


def test_the_best_setting_is_a_recipe_that_train_takes(result: Any) -> None:
    found = load_recipe(result.recipe)
    assert found.source == str(Path(result.recipe).resolve())
    assert triptych.override(found, {"source": ""}) == override(load_recipe("memory-chain"), CHANGES | result.best)


def test_the_page_tells_the_scores_and_the_command(result: Any) -> None:
    page = Path(result.page).read_text()
    assert "Which settings of memory-chain score most?" in page
    assert "The recipe&#39;s own setting with the same seeds" in page or "It is the recipe&#39;s own setting" in page
    assert "triptych tune memory-chain" in page
    data = json.loads(re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[0])
    assert [setting["path"] for setting in data["settings"]] == ["network.lstm_1.units", "optimiser.learning_rate"]
    assert len(data["trials"]) == 3
    assert data["own"] == 0
    assert "http" not in page.split('id="plotly"')[0].replace("http-equiv", "")


def test_ctrl_c_saves_and_says_how_to_go_on_and_leaves_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [sys.executable, "-m", "triptych", "tune", *FLAGS, "--runs-dir", str(tmp_path), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not list(tmp_path.glob("*/trials/*/episodes.csv")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    below = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=100)
    [folder] = tmp_path.iterdir()
    assert process.returncode == 130, said
    assert f"interrupted; go on with: triptych tune --resume {folder}\n" in said
    assert "triptych resume" not in said
    assert not [one for one in below if one.is_running()]
    monkeypatch.setattr(processes, "start", forks.start_job)  # what is signalled has been
    with pytest.raises(SystemExit) as ended:
        main(["tune", "--resume", str(folder), "--json"])
    said = capsys.readouterr()
    assert ended.value.code == 0, said.err
    told = json.loads(said.out.splitlines()[-1])
    assert list(told) == ["best", "best_score", "fresh_score", "trials", "page", "recipe"]
    assert told["trials"] == 2
    assert Path(told["page"]).is_file()
    again = triptych.tune(
        "memory-chain", over=OVER, trials=2, fresh_seeds=1, games=4, jobs=2, runs_dir=tmp_path, **CHANGES
    )
    assert (again.best, again.best_score, again.fresh_score) == (told["best"], told["best_score"], told["fresh_score"])
    assert again.folder == str(folder), "the same search goes on in its folder"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["cartpole", "--over", "env.sticky=0.1..0.3"],
            "over is 'env.sticky=0.1..0.3'; allowed: what leaves the game as it is",
        ),
        (["cartpole", "--over", "algorithm.gama=0.9..1"], "did you mean algorithm.gamma?"),
        (["cartpole", "--trials", "0"], "--trials is 0; allowed: above 0"),
        (["cartpole", "--jobs", "0"], "--jobs is 0; allowed: above 0"),
        (["cartpole", "--sampler", "tp"], "--sampler is 'tp'; allowed: tpe, random, grid"),
        (["cartpole", "--sampler", "grid", "--trials", "5"], "--trials is 5; allowed: 72 or more"),
        (["--resume", "nowhere"], "--resume is 'runs/nowhere'; allowed: a folder of triptych tune"),
        ([], "RECIPE is missing"),
    ],
)
def test_bad_input_is_one_line_and_code_2(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(["tune", *arguments])
    assert stop.value.code == 2
    [line] = capsys.readouterr().err.splitlines()
    assert said in line
    assert not list(tmp_path.iterdir()), "nothing was written"


def test_optuna_that_is_missing_is_named_with_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(InputError, match=r"tune needs optuna, which is not installed: pip install .*\[tune\]"):
        triptych.tune("cartpole", runs_dir=tmp_path)


def test_beside_resume_nothing_changes_the_search(result: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for more in (["--games", "9"], ["--steps", "9"], ["cartpole"], ["--over", "algorithm.gamma=0.9..1"]):
        with pytest.raises(SystemExit) as stop:
            main(["tune", "--resume", result.folder, *more])
        assert stop.value.code == 2
        assert "allowed beside it: --trials, --jobs" in capsys.readouterr().err


def test_a_folder_of_another_search_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    write_plan(tmp_path / "mine", Plan("cartpole", "torch", ("algorithm.gamma=0.9..1",)), load_recipe("cartpole"))
    with pytest.raises(InputError, match="run_name is 'mine'; allowed: a folder of this very search"):
        triptych.tune("cartpole", runs_dir=tmp_path, run_name="mine")
