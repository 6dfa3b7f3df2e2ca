"""`triptych check RECIPE`: what it prints, its exit code, its JSON; and the same at the start of a training."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

import triptych
from tests.cli.test_cli import call
from triptych.frameworks import FRAMEWORKS


def test_a_healthy_recipe_ends_with_0_and_says_what_was_looked_at(capsys: pytest.CaptureFixture) -> None:
    assert call("check", "cartpole", "--json") == 0
    *lines, last = capsys.readouterr().out.splitlines()
    found = json.loads(last)
    assert (found["subject"], found["alarms"]) == ("cartpole", 0)
    assert "note  epsilon: epsilon reaches its floor, 0.04, after 16 % of the run" in lines
    assert lines[-1] == "cartpole: nothing looks wrong"
    assert any(line.startswith("looked at settings: 0 alarms, ") for line in lines)


def test_an_alarm_ends_with_6_and_says_what_where_and_perhaps_why(capsys: pytest.CaptureFixture) -> None:
    assert call("check", "cartpole", "--steps", "500", "--warm-up", "1000", "--json") == 6
    *lines, last = capsys.readouterr().out.splitlines()
    first = lines.index(next(line for line in lines if line.startswith("stop  never-trains: ")))
    assert "warm_up is 1,000 steps, the run only 500" in lines[first]
    assert lines[first + 1].startswith("      perhaps ")
    assert json.loads(last)["findings"][0]["signal"] == "never-trains"


def test_what_cannot_be_checked_is_one_line(capsys: pytest.CaptureFixture) -> None:
    for words in (
        ["check"],
        ["check", "cartpol"],
        ["check", "cartpole", "--framework", "caffe"],
        ["check", "nowhere.py"],
    ):
        assert call(*words) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert len(captured.err.strip().splitlines()) == 1


def test_python_takes_a_recipe_and_changes() -> None:
    found = triptych.check("cartpole", steps=500)
    assert [one.signal.name for one in found.alarms] == ["never-trains"]
    assert found.looks[0].what == "settings"


def test_a_training_tells_what_its_settings_cannot_come_to(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    arguments = ["--steps", "50", "--warm-up", "80", "--no-video", "--runs-dir", str(tmp_path), "--run-name", "a"]
    assert call("train", "cartpole", *arguments, "--quiet") == 0
    assert capsys.readouterr().err.count("ends before the first update") == 1
    with (tmp_path / "a" / "alarms.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert (row["step"], row["signal"], row["severity"]) == ("0", "never-trains", "stop")


def test_looking_before_a_training_changes_no_number_of_it(tmp_path: Path) -> None:
    for way in ("warn", "off"):
        triptych.train("cartpole", steps=400, warm_up=100, runs_dir=tmp_path, run_name=way, video=False, on_alarm=way)
    rows = [
        [line.rpartition(",")[0] for line in (tmp_path / way / "episodes.csv").read_text().splitlines()]
        for way in ("warn", "off")
    ]
    assert rows[0] == rows[1]
    assert len(rows[0]) > 5


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_rate_that_throws_the_weights_about_is_told_before_the_first_step(framework: str) -> None:
    def told(rate: float) -> bool:
        found = triptych.check("cartpole", framework, learning_rate=rate)
        return "step-too-large" in [one.signal.name for one in found.alarms]

    assert told(1.0)
    assert not told(1e-3)
