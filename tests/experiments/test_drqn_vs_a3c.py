"""DRQN against A3C is a fair race: one picture, networks of like size, as many steps; and a short pass of it makes its page."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from triptych import envs
from triptych.cli.main import main
from triptych.experiments.studies import load_study
from triptych.experiments.studies.arms import recipe_of
from triptych.report.html import MOST_BYTES
from triptych.report.show.build import network_of

STUDY = load_study("drqn-vs-a3c")
TASKS = tuple(dict.fromkeys(arm.task for arm in STUDY.arms))


@pytest.mark.parametrize("task", TASKS)
def test_the_variants_of_a_task_differ_in_their_learner_alone(task: str) -> None:
    arms = {arm.label: arm for arm in STUDY.arms if arm.task == task}
    recipes = {label: recipe_of(arm, 0, {}) for label, arm in arms.items()}
    assert {label: recipe.algorithm.kind for label, recipe in recipes.items()} == {
        "DRQN": "drqn",
        "A3C": "a3c",
        "A2C": "a2c",
    }
    sizes = [sum(math.prod(shape) for shape in network_of(recipe).tensors().values()) for recipe in recipes.values()]
    assert max(sizes) <= 1.1 * min(sizes)
    assert len({recipe.steps for recipe in recipes.values()}) == 1
    assert len({recipe.env for recipe in recipes.values()}) == 1
    assert all(recipe.has_memory for recipe in recipes.values())
    shown = {"Ms. Pac-Man": (1, 42, 42), "CartPole's positions": (2,), "memory chain 20": (3,)}
    assert envs.make(recipes["DRQN"].env, 1).observation.shape == shown[task], "one picture, no stack"
    assert {arm.seeds or STUDY.seeds for arm in arms.values()} == {3 if task == "Ms. Pac-Man" else 5}
    assert task in STUDY.goals


def test_the_game_is_the_one_that_was_drawn() -> None:
    page = Path(__file__).parents[2] / "results/studies/drqn-vs-a3c/games.md"
    assert "Drawn among the 1 that pass, with seed 21: **ms_pacman**." in page.read_text()
    assert {recipe_of(arm, 0, {}).env.id for arm in STUDY.arms if arm.task == TASKS[0]} == {"MsPacmanNoFrameskip-v4"}


@pytest.mark.usefixtures("forked")
def test_a_quick_pass_makes_the_page_with_measures_and_a_film(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.delenv("TRIPTYCH_NO_VIDEO", raising=False)
    folder = tmp_path / "result"
    asked = ["study", "drqn-vs-a3c", "--quick", "--steps", "600", "--seeds", "1", "--games", TASKS[0], TASKS[2]]
    with pytest.raises(SystemExit) as stop:
        main([*asked, "--jobs", "2", "--quiet", "--runs-dir", str(tmp_path), "--out", str(folder), "--json"])
    assert stop.value.code == 0
    rows = json.loads(capsys.readouterr().out.splitlines()[-1])["rows"]
    assert [(row["task"], row["label"]) for row in rows] == [
        (task, label) for task in (TASKS[0], TASKS[2]) for label in ("DRQN", "A3C", "A2C")
    ]
    chain = [row["measures"] for row in rows if row["task"] == TASKS[2]]
    assert all(-1 <= measures["area"][0] <= 1 for measures in chain)
    assert all(measures["seconds"][0] > 0 for measures in chain)
    page = (folder / "study.html").read_text()
    assert "data:video/mp4;base64," in page
    assert (folder / "film-ms-pac-man.mp4").stat().st_size > 1_000
    assert "How they learned" in page
    assert "For somebody who must choose" in page
    assert len(page.encode()) <= MOST_BYTES
