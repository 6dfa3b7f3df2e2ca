"""A recipe written as a Python file gives the recipe again."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from triptych.recipes import BUILT_IN, load_recipe
from triptych.recipes.override import override
from triptych.recipes.python import to_python, write_recipe

EXAMPLES = Path(__file__).parents[2] / "docs/examples"


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_shipped_recipe_comes_back(name: str, tmp_path: Path) -> None:
    file = tmp_path / "written.py"
    write_recipe(file, load_recipe(name), f"A copy of {name}.")
    assert dataclasses.replace(load_recipe(str(file)), source="") == load_recipe(name)


@pytest.mark.parametrize("name", ["own_layer", "own_memory", "own_algorithm", "own_environment"])
def test_a_recipe_of_the_user_s_own_comes_back_with_what_its_file_registers(name: str, tmp_path: Path) -> None:
    own = load_recipe(str(EXAMPLES / f"{name}.py"))
    file = tmp_path / "written.py"
    write_recipe(file, override(own, {"learning_rate": 0.125}), "Mine.")
    found = load_recipe(str(file))
    assert dataclasses.replace(found, source=own.source) == override(own, {"learning_rate": 0.125})
    assert found.source == str(file)


def test_it_is_written_as_a_person_would() -> None:
    text = to_python(override(load_recipe("drqn-cartpole"), {"optimiser.kind": "rmsprop"}), 'The "best".')
    assert text.startswith('"""The "best"."""\n\nfrom triptych import Recipe\nfrom triptych.algorithms import drqn\n')
    assert 'env=EnvConfig("CartPole-v1", observe="positions"),\n' in text
    assert "optimiser=RMSprop(learning_rate=0.001, final_rate=0.0, max_norm=10.0),\n" in text
    assert max(map(len, text.splitlines())) <= 120
