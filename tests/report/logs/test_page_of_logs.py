"""A page of logs of others: a first screen for whatever is there, bands, and one's own runs beside them."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

from tests.report.logs.test_tools import MONITOR, PROGRESS, WANDB, write
from triptych.recipes import load_recipe
from triptych.report import figures, results, words
from triptych.report.logs import Log, read
from triptych.report.page import report

SPIN = (
    "Epoch\tAverageEpRet\tMaxEpRet\tMinEpRet\tTotalEnvInteracts\tTime\n0\t5\t9\t1\t4000\t60\n1\t6.5\t10\t2\t8000\t180\n"
)


def page_of(folder: Path, *files: Path) -> tuple[str, dict[str, Any]]:
    page = report([str(file) for file in files], runs_dir=folder, out=folder / "p.html").read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert found is not None
    return unescape(page), json.loads(found[1])[0]


def test_every_run_has_its_best_reward_in_the_first_figure(tmp_path: Path) -> None:
    files = (
        write(tmp_path / "progress.csv", PROGRESS),
        write(tmp_path / "wandb.csv", WANDB),
        write(tmp_path / "spin" / "progress.txt", SPIN),
        write(tmp_path / "loss.csv", "step,loss\n1,0.5\n"),
    )
    _, data = page_of(tmp_path, *files)
    assert [run["lead"] for run in data["runs"]] == [
        "running_reward",
        "episode_reward",
        "episode_reward",
        "mean_reward",
        "",
    ]
    assert data["rewards"][0] == "running_reward"


def test_the_table_tells_of_each_log_what_it_has(tmp_path: Path) -> None:
    files = (
        write(tmp_path / "progress.csv", PROGRESS),
        write(tmp_path / "wandb.csv", WANDB),
        write(tmp_path / "s" / "progress.txt", SPIN),
    )
    logs = [log for file in files for log in read(str(file), tmp_path)]
    table = results.table(logs, {})
    assert table["others"] == [figures.title_of("episode_reward"), figures.title_of("mean_reward")]
    assert [(row["running"], row["others"]) for row in table["rows"]] == [
        ("40.5", ["-", "-"]), ("-", ["20.0", "-"]), ("-", ["15.5", "-"]), ("-", ["-", "6.50"]),
    ]  # fmt: skip


def test_a_band_is_drawn_with_its_curve_and_is_no_panel(tmp_path: Path) -> None:
    text, data = page_of(tmp_path, write(tmp_path / "spin" / "progress.txt", SPIN))
    (part,) = data["runs"][0]["parts"]
    assert (part["mean_reward"], part["mean_reward__low"], part["mean_reward__high"]) == ([5, 6.5], [1, 2], [9, 10])
    assert not any("__" in column["name"] for column in data["columns"])
    assert "the mean over the episodes of one epoch" in text


def test_a_note_stands_once_however_many_runs_it_is_of(tmp_path: Path) -> None:
    text, _ = page_of(tmp_path, write(tmp_path / "wandb.csv", WANDB))
    assert text.count("points of a chart, at most some hundred") == 1


def test_a_monitor_lies_over_one_s_own_run_of_its_game_only(tmp_path: Path) -> None:
    own = Log("own", {"steps": [1.0, 2.0], "running_reward": [1.0, 2.0]}, config={"recipe": load_recipe("cartpole")})
    (same,) = read(str(write(tmp_path / "a" / "monitor.csv", MONITOR.format(start=1, rows="15,15,1\n"))), tmp_path)
    other = MONITOR.replace("CartPole-v1", "LunarLander-v3").format(start=1, rows="15,15,1\n")
    (lander,) = read(str(write(tmp_path / "b" / "monitor.csv", other)), tmp_path)
    assert list(figures.by_game([own, same])) == ["CartPole-v1"]
    assert [(game, [log.name for log in logs]) for game, logs in figures.by_game([own, same, lander]).items()] == [
        ("CartPole-v1", ["own", "a"]), ("LunarLander-v3", ["b"]),
    ]  # fmt: skip


def test_a_log_without_a_running_reward_is_told_by_what_it_has(tmp_path: Path) -> None:
    (log,) = read(str(write(tmp_path / "s" / "progress.txt", SPIN)), tmp_path)
    assert words.outcome(log, {}).startswith(
        "s after 8,000 steps: mean reward of an episode, over an iteration or epoch, at the end 6.5, at most 6.5"
    )


def test_updates_and_rows_are_axes_where_nothing_better_is_there(tmp_path: Path) -> None:
    updates = read(str(write(tmp_path / "u.csv", "n_updates,loss\n1,0.5\n")), tmp_path)
    steps = read(str(write(tmp_path / "s.csv", "step,n_updates,loss\n10,1,0.5\n")), tmp_path)
    rows = read(str(write(tmp_path / "r.csv", "loss\n0.5\n")), tmp_path)
    assert [axis for axis, _ in figures.axes(updates)] == ["updates"]
    assert [axis for axis, _ in figures.axes(steps)] == ["steps"]
    assert [axis for axis, _ in figures.axes(rows)] == ["row"]


def test_rows_that_are_means_of_many_episodes_are_not_called_episodes(tmp_path: Path) -> None:
    file = write(tmp_path / "progress.csv", "time/total_timesteps,rollout/ep_rew_mean\n100,20.5\n200,200.5\n")
    (log,) = read(str(file), tmp_path)
    assert "its running reward ends at 200.5, at best 200.5" in words.outcome(log, {})
