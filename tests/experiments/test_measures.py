"""The measures of learning, against values computed by hand; tables of before are still read; a film is of the median run."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from triptych.experiments.studies import Arm, Goal, Study, filming, learned, measures
from triptych.experiments.studies.measures import Curve, Interval, Measures
from triptych.experiments.studies.rows import StudyRow as Row
from triptych.experiments.studies.rows import as_csv
from triptych.experiments.studies.table import COLUMNS, append_rows, read_runs
from triptych.recipes import load_recipe
from triptych.utils.checks import InputError

STUDY = Study("q", (Arm("t", "a", "cartpole"),), goals={"t": Goal(1.0, 5.0)}, window=2)
HEAD = "framework,task,label,seed,settings,flicker,epsilon,games,score,best_step,steps,updates,parameters,seconds,peak_memory,processor,versions,run"


def write_episodes(run: Path, rows: list[tuple[int, float, float]]) -> Path:
    """A run's log: steps, reward and seconds of each episode."""
    run.mkdir(parents=True)
    lines = [f"{number},{step},{reward},{second}" for number, (step, reward, second) in enumerate(rows, 1)]
    (run / "episodes.csv").write_text("\n".join(["episode,steps,episode_reward,seconds", *lines]) + "\n")
    return run


def run_row(run: Path | str, seed: int = 0, **more: Any) -> dict[str, Any]:
    """A row of a table of before, as it is read."""
    known = {"framework": "torch", "task": "t", "label": "a", "seed": seed, "settings": f"s{seed}", "flicker": None}
    made = {"epsilon": 0.0, "games": 5, "score": 1.0, "parameters": 9, "processor": "p", "versions": "", "seconds": 4.0}
    return known | made | {"steps": 40, "run": str(run)} | more


def test_a_curve_is_the_mean_of_the_last_episodes(tmp_path: Path) -> None:
    curve = measures.curve_of(write_episodes(tmp_path / "r", [(10, 2.0, 1.0), (20, 4.0, 2.0), (30, 9.0, 3.0)]), 2)
    assert curve.steps.tolist() == [10, 20, 30]
    assert curve.means.tolist() == [2.0, 3.0, 6.5]
    assert curve.seconds.tolist() == [1.0, 2.0, 3.0]


def test_the_area_is_flat_before_the_first_episode_and_after_the_last() -> None:
    curve = Curve(np.array([10, 20, 30]), np.array([2.0, 3.0, 6.5]), np.zeros(3))
    # 10 steps at 2, then trapezoids of 25 and 47.5, then 10 steps at 6.5: 157.5 over 40 steps
    assert measures.area(curve, 40) == pytest.approx(157.5 / 40)
    assert measures.area(curve, 30) == pytest.approx(92.5 / 30)


def test_two_episodes_that_end_at_one_step_have_no_area_between_them() -> None:
    curve = Curve(np.array([10, 10, 20]), np.array([1.0, 3.0, 3.0]), np.zeros(3))
    assert measures.area(curve, 20) == pytest.approx((10 * 1 + 10 * 3) / 20)


def test_the_threshold_is_reached_by_a_whole_window_only() -> None:
    curve = Curve(np.array([10, 20, 30]), np.array([9.0, 3.0, 6.5]), np.zeros(3))
    assert measures.point_reached(curve, 2, 5.0) == 2, "the first episode alone is no mean of two"
    assert measures.point_reached(curve, 1, 5.0) == 0
    assert measures.point_reached(curve, 2, 6.5) == 2, "equal to it is reached"
    assert measures.point_reached(curve, 2, 7.0) is None
    assert measures.point_reached(curve, 4, 1.0) is None, "fewer episodes than a window"


def test_a_run_s_columns(tmp_path: Path) -> None:
    run = write_episodes(tmp_path / "r", [(10, 2.0, 1.0), (20, 4.0, 2.0), (30, 9.0, 3.5)])
    assert measures.of_run(run, 2, 5.0, 40) == {
        "window": 2, "area": pytest.approx(157.5 / 40), "threshold": 5.0, "threshold_step": 30, "threshold_seconds": 3.5,
    }  # fmt: skip
    assert measures.of_run(run, 2, 50.0, 40)["threshold_step"] is None
    assert measures.of_run(tmp_path / "gone", 2, 5.0, 40) == {}


def test_over_seeds_a_threshold_that_one_seed_never_reaches_has_no_number(tmp_path: Path) -> None:
    fast = write_episodes(tmp_path / "fast", [(10, 5.0, 1.0), (20, 5.0, 2.0)])
    slow = write_episodes(tmp_path / "slow", [(10, 1.0, 1.0), (20, 1.0, 2.0)])
    both = measures.over_seeds([run_row(fast), run_row(slow, 1)], STUDY)
    assert both is not None
    assert both.area == Interval(3.0, 1.0, 5.0)
    assert both.share == Interval(0.5, 0.0, 1.0), "0 is random play, 1 the threshold from the first step on"
    assert both.reached == [20, None]
    assert both.steps_to_goal is None
    assert learned.reached(both) == "in 1 of 2 seeds: 20"
    one = measures.over_seeds([run_row(fast)], STUDY)
    assert one is not None
    assert one.steps_to_goal == Interval(20.0, 20.0, 20.0)
    assert one.seconds_to_goal == Interval(2.0, 2.0, 2.0)
    never = measures.over_seeds([run_row(slow)], STUDY)
    assert never is not None
    assert learned.reached(never) == "never reached"


def test_the_table_serves_where_the_run_is_gone_and_only_for_what_was_asked_then() -> None:
    kept = {"window": 2, "area": 3.0, "threshold": 5.0, "threshold_step": 20, "threshold_seconds": 2.0}
    row: Any = run_row("gone", **kept)
    found = measures.over_seeds([row], STUDY)
    assert found is not None
    assert (found.area.mean, found.reached) == (3.0, [20])
    other = dataclasses.replace(STUDY, goals={"t": Goal(1.0, 6.0)})
    assert measures.over_seeds([row], other) is None, "steps to another threshold are not known"
    assert measures.over_seeds([row], dataclasses.replace(STUDY, window=3)) is None


def test_another_threshold_is_found_again_in_the_run_s_own_log(tmp_path: Path) -> None:
    run = write_episodes(tmp_path / "r", [(10, 2.0, 1.0), (20, 4.0, 2.0), (30, 9.0, 3.0)])
    row: Any = run_row(run, window=2, area=1.0, threshold=50.0)
    found = measures.over_seeds([row], STUDY)
    assert found is not None
    assert found.reached == [30]


def test_a_table_of_before_is_read_and_gets_the_newer_columns(tmp_path: Path) -> None:
    table = tmp_path / "runs.csv"
    old = 'torch,t,"a, b",0,s0,,0.0,5,1.5,10,40,3,9,4.0,7,"one, two",numpy=2.0.0,runs/x'
    table.write_text(f"{HEAD}\n{old}\n")
    [row] = read_runs(table)
    assert row["score"] == 1.5
    assert row.get("area") is None
    assert measures.over_seeds([row], STUDY) is None, "not known"
    known = {"framework": "torch", "task": "t", "label": "a", "seed": 1, "settings": "s1", "epsilon": 0.0, "games": 5}
    found = {"path": "runs/y", "tests": [{"flicker": None, "score": 2.5}], "parameters": 9, "processor": "p"}
    append_rows(table, known, found | {"versions": "", "window": 2, "area": 0.0, "threshold": 5.0})
    first, second = read_runs(table)
    assert (first["label"], first["score"], first["processor"], first.get("area")) == ("a, b", 1.5, "one, two", None)
    assert (second["score"], second.get("area"), second.get("threshold_step")) == (2.5, 0.0, None)
    with open(table, newline="") as file:
        assert next(csv.reader(file)) == list(COLUMNS)


def test_random_play_is_no_threshold() -> None:
    with pytest.raises(InputError, match=r"threshold is 5\.0; allowed: another score than that of random play"):
        Goal(5.0, 5.0)


def measured(area: Interval, seconds: float, reached: list[int | None]) -> Measures:
    steps = None if None in reached else Interval(*[float(np.mean([step for step in reached if step]))] * 3)
    return Measures(area, area, reached, steps, steps, Interval(seconds, seconds, seconds))


def test_what_is_said_to_somebody_who_must_choose_follows_from_the_measures() -> None:
    rows = [
        Row("t", "a", None, 9.0, 8.0, 10.0, [9.0] * 4, 9, measures=measured(Interval(4.0, 3.0, 5.0), 20.0, [100] * 4)),
        Row("t", "b", None, 9.0, 8.0, 10.0, [9.0] * 4, 9, measures=measured(Interval(3.5, 2.0, 4.5), 10.0, [300, None, 200, None])),
        Row("t", "c", None, 9.0, 8.0, 10.0, [9.0] * 4, 9, measures=measured(Interval(1.0, 0.5, 2.0), 40.0, [None] * 4)),
    ]  # fmt: skip
    assert learned.sentences(STUDY, rows) == [
        "t. Mean reward on the way, from the same steps: highest is a with 4.00 (3.00 to 5.00); its interval overlaps with b 3.50 (2.00 to 4.50); "
        "below it, intervals apart: c 1.00 (0.50 to 2.00). A mean of 5.00: a after 100 steps, 100 seconds; b in 2 of 4 seeds: 200, 300; c never reached. "
        "By the clock a run of b took 10.00 seconds, a 2.0 times as long, c 4.0 times as long."
    ]
    few = [dataclasses.replace(row, scores=[9.0] * 3) for row in rows]
    assert "with 3 seeds a variant that is no more than a first look" in learned.sentences(STUDY, few)[0]
    unknown = [dataclasses.replace(row, measures=None) for row in rows]
    assert learned.sentences(STUDY, unknown) == learned.tables(STUDY, unknown) == []
    [table] = learned.tables(STUDY, rows)
    assert table["rows"][2] == ["c", "9.00 (8.00 to 10.00)", "1.00 (0.50 to 2.00)", "1.00 (0.50 to 2.00)", "never reached", "-", "40.00"]  # fmt: skip
    names, first, *_ = list(csv.reader(as_csv([*rows, *unknown]).splitlines()))
    assert dict(zip(names, first, strict=True))["area_low"] == "3.0"
    assert dict(zip(names, first, strict=True))["reached"] == "4"


def test_a_film_shows_the_run_of_the_median_score() -> None:
    runs: list[Any] = [run_row("x", seed, score=score) for seed, score in enumerate((3.0, 1.0, 2.0))]
    runs += [run_row("x", seed, label="b", score=score) for seed, score in enumerate((5.0, 4.0))]
    assert [(run["label"], run["score"]) for run in filming.median_runs(runs)] == [("a", 2.0), ("b", 4.0)]


def test_a_film_is_made_once_in_the_order_of_the_arms_and_stays_when_the_runs_are_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    made: list[list[list[filming.Tape]]] = []

    def no_film(rows: list[list[filming.Tape]], path: Path) -> Path:
        made.append(rows)
        path.write_bytes(b"film")
        return path

    monkeypatch.setattr(filming, "film", no_film)
    recipe = load_recipe("cartpole")
    study = dataclasses.replace(
        STUDY, arms=tuple(Arm("Pac & Co.", label, "cartpole") for label in "ab"), films=("Pac & Co.",)
    )
    runs: list[Any] = [
        run_row(tmp_path / label, seed, task="Pac & Co.", label=label) for seed, label in enumerate("ba")
    ]
    for run in runs:
        (tmp_path / run["label"] / "videos").mkdir(parents=True)
        (Path(run["run"]) / filming.TAPE).write_text('{"actions": [0, 1], "fps": 30}')
    recipes = dict.fromkeys(("s0", "s1"), recipe)
    filming.make_films(study, runs, recipes, tmp_path)
    assert [tape.title for tape in made[0][0]] == ["a", "b"]
    assert made[0][0][0].actions == [0, 1]
    assert made[0][0][0].colour != made[0][0][1].colour
    assert filming.films_of(tmp_path) == {"Pac & Co.": {"file": "film-pac-co.mp4", "settings": ["s1", "s0"]}}
    filming.make_films(study, runs, recipes, tmp_path)
    assert len(made) == 1, "of the same runs it is not made again"
    gone = [run | {"run": "gone", "settings": f"{run['settings']}x"} for run in runs]
    filming.make_films(study, gone, recipes | dict.fromkeys(("s0x", "s1x"), recipe), tmp_path)
    assert len(made) == 1
    assert filming.films_of(tmp_path)["Pac & Co."]["settings"] == ["s1", "s0"]
    (Path(runs[0]["run"]) / filming.TAPE).write_text('{"actions": ["left"], "fps": 30}')
    filming.make_films(study, [runs[0] | {"settings": "s1"}], recipes, tmp_path)
    assert "no film of" in capsys.readouterr().err
    assert len(made) == 1
