"""A study's results as values in Python, and its figures for notebooks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import triptych
from triptych.utils.checks import InputError

ROWS = [
    {"task": "chain", "label": "none", "flicker": None, "iqm": 0.5, "low": 0.25, "high": 1.0, "scores": [0.25, 1.0], "parameters": 9},
    {"task": "chain", "label": "LSTM", "flicker": None, "iqm": 1.0, "low": 1.0, "high": 1.0, "scores": [1.0, 1.0], "parameters": 99},
    {"task": "dark", "label": "LSTM", "flicker": 0.0, "iqm": 8.0, "low": 7.0, "high": 9.0, "scores": [7.0, 9.0], "parameters": 99},
    {"task": "dark", "label": "LSTM", "flicker": 0.5, "iqm": 4.0, "low": 3.0, "high": 5.0, "scores": [3.0, 5.0], "parameters": 99},
]  # fmt: skip
CURVE = {
    "name": "LSTM",
    "x": [1.0, 2.0],
    "mean": [3.0, 4.0],
    "low": [2.0, 3.0],
    "high": [4.0, 5.0],
    "colour": "#000000",
    "settings": [],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    kept = {"study": "mine", "question": "Which?", "framework": "jax", "games": 5, "rows": ROWS, "learned": "The LSTM."}
    (tmp_path / "study.json").write_text(json.dumps(kept), encoding="utf-8")
    (tmp_path / "curves.json").write_text(json.dumps({"chain": [CURVE]}), encoding="utf-8")
    return tmp_path


def traces(chart: triptych.Chart) -> dict[str, Any]:
    return {trace["name"]: trace for trace in chart.data if trace.get("showlegend", True)}


def test_a_studys_results_are_values(folder: Path) -> None:
    record = triptych.read_study(folder)
    assert (record.question, record.framework, record.learned) == ("Which?", "jax", "The LSTM.")
    assert record.tasks == ["chain", "dark"]
    assert record.row("chain", "none").scores == [0.25, 1.0]
    assert record.row("dark", "LSTM", flicker=0.5).iqm == 4.0
    assert record.curves["chain"]["LSTM"].mean.tolist() == [3.0, 4.0]
    assert record.published == ()


def test_a_shipped_studys_published_scores_come_with_it(folder: Path) -> None:
    text = (folder / "study.json").read_text(encoding="utf-8")
    (folder / "study.json").write_text(text.replace('"mine"', '"atari57"'), encoding="utf-8")
    record = triptych.read_study(folder)
    assert len(record.published) == 57
    assert {game.game: game for game in record.published}["kung_fu_master"].scores["LSTM"] == 40835.0


def test_what_is_not_there_is_told_in_a_line(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    record = triptych.read_study(folder)
    with pytest.raises(InputError, match="task is 'pong'; allowed: chain, dark"):
        record.of_task("pong")
    with pytest.raises(
        InputError, match="label is 'GRU' with a flicker of None; allowed: none, LSTM, with a flicker of None"
    ):
        record.row("chain", "GRU")
    with pytest.raises(InputError, match=r"allowed: a folder with a study's results \(study.json\)"):
        triptych.read_study(tmp_path_factory.mktemp("empty"))
    with pytest.raises(InputError, match="label is 'GRU'; allowed: none, LSTM"):
        triptych.plot_study(record, labels=["GRU"])
    with pytest.raises(InputError, match="allowed: a study that keeps curves of dark"):
        triptych.plot_study(record, "dark", curves=True)


def test_scores_have_their_interval_and_their_seeds(folder: Path) -> None:
    chart = triptych.plot_study(folder, "chain")
    mean = traces(chart)["none"]
    assert (mean["x"], mean["y"]) == (["none"], [0.5])
    assert (mean["error_y"]["array"], mean["error_y"]["arrayminus"]) == ([0.5], [0.25])
    seeds = [trace["y"] for trace in chart.data if trace["legendgroup"] == "none" and not trace.get("showlegend", True)]
    assert seeds == [[0.25, 1.0]]
    assert chart.layout["xaxis"]["title"] == {"text": "chain"}


def test_scores_of_tests_with_hidden_observations_stand_over_their_chance(folder: Path) -> None:
    line = traces(triptych.plot_study(folder, "dark"))["LSTM"]
    assert (line["x"], line["y"], line["error_y"]["array"]) == ([0.0, 0.5], [8.0, 4.0], [1.0, 1.0])


def test_a_learning_curve_stands_upon_its_interval(folder: Path) -> None:
    chart = triptych.plot_study(folder, "chain", curves=True, labels=["LSTM"])
    low, high, mean = chart.data
    assert (low["y"].tolist(), high["y"].tolist(), mean["y"].tolist()) == ([2.0, 3.0], [4.0, 5.0], [3.0, 4.0])
    assert {trace["legendgroup"] for trace in chart.data} == {"LSTM"}, "a click on the name hides all three"
