"""Which run a comparison goes on with, of those that an earlier one has left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from triptych.experiments.sweep import begun_name

RECIPE: dict[str, Any] = {"name": "mine", "source": "", "seed": 0}


def run(folder: Path, recipe: dict[str, Any], text: str | None = None) -> None:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"recipe": recipe}))
    if text is not None:
        (folder / "recipe.py").write_text(text)


def bare(folder: Path) -> None:
    (folder / "checkpoints").mkdir(parents=True)
    (folder / ".lock").touch()


def test_the_newest_of_these_settings(tmp_path: Path) -> None:
    run(tmp_path / "a-1", RECIPE)
    run(tmp_path / "a-10", RECIPE)
    run(tmp_path / "a-b-11", RECIPE)
    assert begun_name("a", tmp_path, RECIPE) == "a-10"


def test_none_where_the_newest_has_other_settings(tmp_path: Path) -> None:
    run(tmp_path / "a-1", RECIPE)
    run(tmp_path / "a-2", RECIPE | {"seed": 1})
    assert begun_name("a", tmp_path, RECIPE) is None


@pytest.mark.parametrize("older", [RECIPE, None, RECIPE | {"seed": 1}])
def test_a_folder_of_which_nothing_came_is_no_run(older: dict[str, Any] | None, tmp_path: Path) -> None:
    """The process was ended before its first step: its number is taken again, and the run before it goes on first."""
    if older:
        run(tmp_path / "a-1", older)
    bare(tmp_path / "a-2")
    (tmp_path / "a-3").mkdir()
    assert begun_name("a", tmp_path, RECIPE) == ("a-1" if older == RECIPE else "a-2")


def test_a_folder_with_somebodys_files_is_left_alone(tmp_path: Path) -> None:
    bare(tmp_path / "a-1")
    (tmp_path / "a-1" / "notes.txt").touch()
    assert begun_name("a", tmp_path, RECIPE) is None


@pytest.mark.parametrize("same", [True, False])
def test_a_users_file_that_has_changed_is_another_recipe(same: bool, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("reward = 1")
    recipe = RECIPE | {"source": str(file)}
    run(tmp_path / "a-1", recipe, "reward = 1" if same else "reward = 2")
    assert begun_name("a", tmp_path, recipe) == ("a-1" if same else None)
