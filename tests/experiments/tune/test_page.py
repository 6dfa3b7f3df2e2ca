"""What a search's page says and draws."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.experiments.tune.test_search import OVER, RECIPE, made, work
from tests.report.test_browser import drawn
from triptych.cli.parse import parse
from triptych.cli.tuning import Tune
from triptych.experiments.tune.page import verdict, write_page
from triptych.experiments.tune.result import Fresh, TuneResult, conclude

SEEDS = [1, 2, 3, 4, 5]


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> TuneResult:
    """Of twenty trials; fresh seeds score 90 to 94, the recipe's own setting 70 to 74."""
    search = made(tmp_path_factory.mktemp("search"))
    work(search, 0)
    fresh = Fresh(SEEDS, [[89.0 + seed, 91.0 + seed - 2] for seed in SEEDS])
    found = conclude(search, fresh, Fresh(SEEDS, [[69.0 + seed] for seed in SEEDS]))
    write_page(Path(found.page), search, found)
    return found


def data_of(page: str) -> Any:
    text = Path(page).read_text(encoding="utf-8")
    return json.loads(re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[0])


def test_fresh_scores_stand_beside_the_search_s(result: TuneResult) -> None:
    assert (result.fresh_score, result.own_score) == (92.0, 72.0)
    rows = data_of(result.page)["fresh"]
    assert [row["mean"] for row in rows] == [result.best_score, 92.0, 72.0]
    assert rows[1]["scores"] == [90.0, 91.0, 92.0, 93.0, 94.0]
    page = Path(result.page).read_text(encoding="utf-8")
    assert "92.0 (95 % interval" in page
    assert "The found setting is clearly above the recipe&#39;s own" in page


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "clearly above"),
        ({"fresh_low": 60.0}, "do not tell the two settings apart"),
        ({"fresh_score": 50.0, "fresh_low": 49.0, "fresh_high": 51.0}, "the search has followed luck"),
        ({"fresh_score": None}, "diverges with one seed"),
        ({"fresh_seeds": [1, 2]}, "higher than the recipe's own; 2 seeds are too few"),
        ({"fresh_seeds": [1, 2], "fresh_score": 72.0}, "not higher than the recipe's own"),
    ],
)
def test_the_verdict_says_no_more_than_the_seeds_do(changes: dict[str, Any], said: str, result: TuneResult) -> None:
    assert said in verdict(dataclasses.replace(result, **changes))


def test_the_command_begins_the_same_search(result: TuneResult) -> None:
    page = Path(result.page).read_text(encoding="utf-8")
    [text] = re.findall(r"<pre>(triptych tune .*?)</pre>", page, re.DOTALL)
    command = parse(Tune, "tune", shlex.split(text.replace("\\\n", " "))[2:])
    assert command.recipe == RECIPE
    assert [one for texts in command.over for one in texts] == list(OVER)
    assert (command.trials, command.window, command.games) == (20, 8, 20)


@pytest.mark.browser
def test_a_browser_draws_every_figure(result: TuneResult, tmp_path: Path) -> None:
    figures = drawn(Path(result.page), tmp_path)["figures"]
    assert len(figures) == 3 + 4, "a panel for each setting; fresh scores, all together, importances, the course"
    assert sum(figure["lines"] >= 3 for figure in figures) >= 6, "bars are no lines"
