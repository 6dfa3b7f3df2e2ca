"""Figures for notebooks, and a run's logs as arrays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib.style
import numpy as np
import pytest

import triptych
from triptych.report import colours
from triptych.utils.checks import InputError


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("runs")
    changes = {"steps": 300, "warm_up": 50, "threads": 1, "evaluate_every": 0, "log_every": 100}
    return triptych.train("cartpole", run_name="pole", runs_dir=folder, video=False, **changes)


def figure_of(chart: triptych.Chart) -> dict[str, Any]:
    text = chart.to_html(library=False).partition("const figure = ")[2].partition(";\n")[0]
    return json.loads(text.replace("<\\/", "</"))


def test_a_runs_logs_are_arrays(result: Any) -> None:
    record = triptych.read_run(result)
    assert record.episodes["episode_reward"].sum() == record.episodes["episode_length"].sum()
    assert len(record.episodes["steps"]) == result.episodes
    assert np.isfinite(record.metrics["loss"]).any()
    assert (record.framework, record.recipe.env.id, record.summary["steps"]) == ("torch", "CartPole-v1", 300)
    by_name = triptych.read_run("pole", runs_dir=result.path.parent)
    assert by_name.episodes["seconds"].tolist() == record.episodes["seconds"].tolist()


def test_what_train_returned_names_its_run(result: Any) -> None:
    test = triptych.evaluate(result, games=2)
    assert test.mean == triptych.evaluate("pole", games=2, runs_dir=result.path.parent).mean
    assert triptych.load_agent(result).predict(np.zeros(4, np.float32))[0] in (0, 1)
    assert triptych.make_env(result).action_space.n == 2
    assert triptych.resume(result).steps == 300


def test_a_run_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        triptych.read_run("none", runs_dir=tmp_path)


def test_a_log_without_a_row_has_no_columns(result: Any, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes((result.path / "config.json").read_bytes())
    (tmp_path / "episodes.csv").touch()
    record = triptych.read_run(tmp_path)
    assert (record.episodes, record.metrics, record.summary) == ({}, {}, {})


def test_runs_are_drawn_with_the_colour_of_their_framework(result: Any) -> None:
    chart = triptych.plot_runs(result, str(result.path), y="episode_reward", labels=["first", "again"])
    first, again = figure_of(chart)["data"]
    assert first["y"] == again["y"] == triptych.read_run(result).episodes["episode_reward"].tolist()
    assert (first["name"], again["name"]) == ("first", "again")
    assert first["line"]["color"] == colours.FRAMEWORK["torch"] != again["line"]["color"]


def test_a_column_is_found_in_either_log_and_refused_where_it_is_in_none(result: Any) -> None:
    rows = triptych.read_run(result).metrics
    drawn = triptych.plot_runs(result, y="q_mean").data[0]
    assert drawn["x"].tolist() == rows["steps"][np.isfinite(rows["q_mean"])].tolist()
    with pytest.raises(InputError, match=r"y is 'mood'; allowed: a column of .* episode_reward"):
        triptych.plot_runs(result, y="mood")


def test_a_slider_has_a_state_for_each_value() -> None:
    def draw(power: int) -> triptych.Chart:
        return triptych.Chart([{"y": np.arange(3) ** power}], {"title": {"text": f"power {power}"}})

    figure = figure_of(triptych.slider(draw, [1, 2], "power", start=1, play=True))
    assert figure["data"] == [{"y": [0, 1, 4]}]
    assert [frame["data"][0]["y"] for frame in figure["frames"]] == [[0, 1, 2], [0, 1, 4]]
    assert figure["frames"][0]["layout"] == {"title": {"text": "power 1"}}
    assert figure["frames"][1]["layout"] == {}, "what all have is said once"
    (moved,) = figure["layout"]["sliders"]
    assert (moved["active"], [step["label"] for step in moved["steps"]]) == (1, ["1", "2"])
    with pytest.raises(InputError, match="start is 2; allowed: 0 to 1"):
        triptych.slider(draw, [1, 2], "power", start=2)


def test_text_cannot_leave_the_figure_and_a_gap_is_null() -> None:
    chart = triptych.Chart([{"name": "</script>", "y": [np.nan, np.float64(1.23456789)]}])
    assert figure_of(chart)["data"] == [{"name": "</script>", "y": [None, 1.23457]}]
    assert chart.to_html(library=False).count("</script>") == 1
    assert "triptych-plotly" in chart._repr_html_()


def test_the_style_is_read_in_light_and_in_dark() -> None:
    with matplotlib.style.context("triptych.report.notebook"):
        found = matplotlib.rcParams
        letters = {
            f"#{found[name]}".lower().replace("##", "#")
            for name in ("text.color", "xtick.color", "axes.labelcolor", "axes.titlecolor")
        }
        assert found["figure.facecolor"] == found["axes.facecolor"] == "none"
        lines = [f"#{one}".replace("##", "#") for one in found["axes.prop_cycle"].by_key()["color"]]
    for colour in (*letters, *lines):
        assert (
            min(colours.contrast(colour, page) for page in (colours.LIGHT, colours.DARK)) >= colours.LEAST_CONTRAST
        ), colour
