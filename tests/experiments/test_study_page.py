"""A study's page begins with what was learned and one table of tasks by variants; its results tell themselves what they are."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import pytest

from triptych.experiments.studies import NAMES, Arm, Goal, Study, load_study
from triptych.experiments.studies.rows import conclude
from triptych.experiments.studies.table import Run
from triptych.report.handin.studies import read_study
from triptych.report.matrix import matrix

STUDY = Study(
    "Which <one>?",
    (Arm("chain", "a", "cartpole"), Arm("chain", "b", "cartpole"), Arm("catch", "a", "cartpole")),
    reading="As points.", learned="A is better.", choice="Take A.", goals={"chain": Goal(0.0, 0.5)},
)  # fmt: skip
SCORES = {("chain", "a"): [1.0, 0.8], ("chain", "b"): [0.1, 0.3], ("catch", "a"): [5.0, 5.0]}


def run(task: str, label: str, seed: int, score: float) -> Run:
    return Run(
        framework="torch", task=task, label=label, seed=seed, settings=f"{task}{label}{seed}", flicker=None, epsilon=0.0, games=50,
        score=score, parameters=9, processor="one", versions="numpy=2.0.0", run="gone",
    )  # fmt: skip


def concluded(folder: Path, quick: bool = False) -> str:
    runs = [
        run(task, label, seed, score) for (task, label), scores in SCORES.items() for seed, score in enumerate(scores)
    ]
    conclude("mine", STUDY, runs, folder, "torch", 2, quick, {})
    return (folder / "study.html").read_text(encoding="utf-8")


def test_the_first_screen_is_what_was_learned_and_one_table(tmp_path: Path) -> None:
    header = concluded(tmp_path).split("<header>")[1].split("</header>")[0]
    assert header.index("Which &lt;one&gt;?") < header.index("A is better.") < header.index("<table")
    assert header.count("<table") == 1
    cells = [unescape(text) for text in re.findall(r'<span(?: class="best")?>([^<]+)</span>', header)]
    assert cells == ["0.90", "0.20", "5.00"]
    assert re.findall(r'class="best">([^<]+)<', header) == ["0.90", "5.00"]
    assert header.count('<p class="outcome">') == header.split("<details>")[0].count('<p class="outcome">') + 2, (
        "the rest is folded"
    )


def test_results_tell_what_they_are_without_the_study(tmp_path: Path) -> None:
    concluded(tmp_path)
    found = read_study(tmp_path)
    assert (found.kept.learned, found.kept.reading, found.kept.choice) == ("A is better.", "As points.", "Take A.")
    assert [(task.name, task.threshold, [group.scores for group in task.groups]) for task in found.tasks] == [
        ("chain", 0.5, [[1.0, 0.8], [0.1, 0.3]]),
        ("catch", None, [[5.0, 5.0]]),
    ]


def test_a_quick_pass_teaches_nothing(tmp_path: Path) -> None:
    assert "A is better." not in concluded(tmp_path, quick=True)
    assert json.loads((tmp_path / "study.json").read_text())["learned"] == ""


def test_those_that_overlap_with_the_highest_are_near_it() -> None:
    ((_, (a, b, c, d)),) = matrix(
        {"t": {"a": (3.0, 2.0, 4.0), "b": (2.5, 1.0, 2.0), "c": (1.0, 0.0, 1.9)}, "u": {"d": (1.0, 1.0, 1.0)}}
    ).rows[:1]
    assert (a and a.is_best, b and b.is_near, c and c.is_near, d) == (True, True, False, None)


NOT_MADE = ("atari57", "neural-map")  # the runs of the one are the reader's own, those of the other are to come


@pytest.mark.parametrize("name", [name for name in NAMES if name not in NOT_MADE])
def test_each_study_whose_runs_are_made_says_what_they_taught(name: str) -> None:
    assert 60 < len(load_study(name).learned) < 400
