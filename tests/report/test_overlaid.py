"""Curves that lie upon each other are all seen, and the page says that they do."""

from __future__ import annotations

from pathlib import Path

from tests.report.test_page import made, write_run
from triptych.report import figures
from triptych.report.logs import Numbers
from triptych.report.overlaid import overlaid, sentence, widths
from triptych.report.page import report
from triptych.report.series import series_of

LOGS = [made("a", "torch"), made("b", "jax"), made("c", "keras", seed=1)]


def test_those_with_the_same_rewards_are_named() -> None:
    series = series_of(LOGS)
    same = [place for place, one in enumerate(series) if one.framework != "keras"]
    assert overlaid(series) == [same]
    assert sentence(series) == "Exactly the same rewards, so these curves lie on each other: PyTorch, JAX."


def test_the_one_below_is_wider() -> None:
    series = series_of(LOGS)
    of = dict(zip((one.framework for one in series), widths(series), strict=True))
    assert of["torch"] > of["jax"] == of["keras"]
    assert [one["width"] for one in figures.data(LOGS, {})["series"]] == widths(series)


def test_nothing_is_said_of_curves_apart() -> None:
    assert sentence(series_of(LOGS[1:])) == ""


def test_curves_that_part_late_do_not_lie_on_each_other() -> None:
    """All of a curve counts, not its beginning."""
    logs = [made("a", "torch"), made("b", "jax")]
    rewards = list(logs[1].columns["running_reward"])
    logs[1].columns["running_reward"] = Numbers([*rewards[:-1], 0.0])
    logs[0].columns["running_reward"] = Numbers(rewards)
    assert overlaid(series_of(logs)) == []


def test_the_page_says_it(tmp_path: Path) -> None:
    for log in LOGS[:2]:
        write_run(tmp_path / log.name, log)
    page = report(["a", "b"], runs_dir=tmp_path, out=tmp_path / "page.html").read_text(encoding="utf-8")
    assert "these curves lie on each other: PyTorch, JAX." in page
