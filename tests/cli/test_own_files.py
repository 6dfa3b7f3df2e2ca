"""Typing errors in a user's own files, and in what names them: the file and the line are told, and what was probably meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_cli import call

RECIPE = """import triptych
from triptych.recipes import load_recipe

recipe = triptych.override(
    load_recipe("cartpole"),
    {changes},
)
"""
GAME = """import gymnasium
from gymnasium.envs.classic_control import CartPoleEnv


class Line(CartPoleEnv):
    pass


gymnasium.register("its_own/Line-v0", Line)
"""


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ('{"algorithm.gama": 0.9}', "field is 'algorithm.gama'; did you mean algorithm.gamma?"),
        ('{"stpes": 100}', "field is 'stpes'; did you mean steps?"),
        ('{"algorithm.gamma": 7.0}', "gamma is 7.0; allowed: 0 to 1"),
        ("None + 1", "fails: TypeError: unsupported operand"),
    ],
)
def test_a_mistake_in_a_recipe_file_is_told_with_file_and_line(
    changes: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(RECIPE.format(changes=changes))
    assert call("train", str(file)) == 2
    line = capsys.readouterr().err
    assert f"recipe file {file}, line {6 if 'None' in changes else 4}" in line
    assert said in line


def test_a_recipe_of_another_type_is_told_with_its_type(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    file = tmp_path / "mine.py"
    file.write_text("recipe = 3\n")
    assert call("train", str(file)) == 2
    assert f"recipe file {file}: `recipe` is of type int; allowed: recipe = triptych.Recipe(...)" in (
        capsys.readouterr().err
    )


def test_the_id_that_was_probably_meant_is_told_with_its_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "games_of_its_own.py").write_text(GAME)
    monkeypatch.chdir(tmp_path)
    assert call("train", "--env", "games_of_its_own:Line-v0") == 2
    assert "--env is 'games_of_its_own:Line-v0'; did you mean games_of_its_own:its_own/Line-v0?" in (
        capsys.readouterr().err
    )


def test_a_file_without_weights_is_told_as_that_of_its_flag(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    file = tmp_path / "README.md"
    file.write_text("# No weights\n" * 10)
    assert call("train", "cartpole", "--from", str(file)) == 2
    line = capsys.readouterr().err
    assert f"--from is '{file}': truncated or no safetensors file" in line
    assert line.strip().endswith("allowed: a run folder, a run's name or its weights")
