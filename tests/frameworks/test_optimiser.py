"""The optimiser as a spec: its settings, its JSON, its state in a checkpoint, its flags."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.parity import ladder
from triptych.cli.main import COMMANDS
from triptych.cli.parse import parse
from triptych.experiments.lockstep import play as proof
from triptych.experiments.lockstep.judge import judge
from triptych.experiments.studies.arms import fingerprint
from triptych.recipes import Recipe, load_recipe
from triptych.recipes.override import override
from triptych.recipes.serialise import from_dict, to_dict
from triptych.report.command import repeat
from triptych.spec import Adam, RMSprop
from triptych.utils.checks import InputError

A2C: Recipe = override(load_recipe("cartpole-a2c"), {"optimiser": RMSprop(learning_rate=7e-4, max_norm=0.5)})


@pytest.mark.parametrize(
    ("kind", "wrong", "said"),
    [
        (RMSprop, {"decay": 1.0}, "decay is 1.0"),
        (RMSprop, {"epsilon": 0.0}, "epsilon is 0.0"),
        (RMSprop, {"learning_rate": -1.0}, "learning_rate is -1.0"),
        (Adam, {"max_norm": 0.0}, "max_norm is 0.0"),
        (Adam, {"final_rate": -1.0}, "final_rate is -1.0"),
        (Adam, {"beta_1": 1.0}, "beta_1 is 1.0"),
    ],
)
def test_settings_that_are_not_allowed_are_refused(kind: Any, wrong: dict[str, float], said: str) -> None:
    with pytest.raises(InputError, match=said):
        kind(**wrong)


def test_the_kind_is_in_the_json_and_adam_where_it_is_missing() -> None:
    for recipe in (A2C, load_recipe("cartpole")):
        content = json.loads(json.dumps(to_dict(recipe)))
        assert content["optimiser"]["kind"] == recipe.optimiser.kind
        assert from_dict(content) == recipe
    del content["optimiser"]["kind"]  # as runs were written before there was another
    assert from_dict(content) == load_recipe("cartpole")
    content["optimiser"]["kind"] = "sgd"
    with pytest.raises(InputError, match="sgd"):
        from_dict(content)


@pytest.mark.parametrize(
    ("name", "then"), [("cartpole", "582bab6f"), ("space-invaders", "da39fdfe"), ("kung-fu-master", "cf8c48da")]
)
def test_a_study_finds_the_runs_of_before(name: str, then: str) -> None:
    """Run names hold eight letters of the settings, here as version 0a5ca1a made them: without kinds, memory apart."""
    assert fingerprint(load_recipe(name)) == then


def test_another_optimiser_has_a_run_of_its_own() -> None:
    assert fingerprint(A2C) != fingerprint(load_recipe("cartpole-a2c"))


def test_the_rate_and_the_flags_are_those_of_the_recipe_s_optimiser(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    text = (
        "from dataclasses import replace\nfrom triptych.recipes import load_recipe\nfrom triptych.spec import RMSprop\n"
    )
    file.write_text(text + "recipe = replace(load_recipe('cartpole-a2c'), optimiser=RMSprop(final_rate=0.0))\n")
    arguments = [str(file), "--learning-rate", "1e-3", "--optimiser.decay", "0.95", "--optimiser.final-rate", "None"]
    recipe = parse(COMMANDS["train"], "train", arguments).recipe
    assert recipe.optimiser == RMSprop(learning_rate=1e-3, decay=0.95)
    assert recipe.learning_rate(recipe.steps) == 1e-3
    with pytest.raises(InputError, match="beta-1"):
        parse(COMMANDS["train"], "train", [str(file), "--optimiser.beta-1", "0.5"])
    assert parse(COMMANDS["train"], "train", ["cartpole", "--optimiser.beta-1", "0.5"]).recipe.optimiser.beta_1 == 0.5


def test_no_flags_say_another_optimiser() -> None:
    assert "optimiser" in repeat(A2C, "torch")
    assert repeat(A2C, "torch").startswith("#")
    assert "optimiser.kind" not in repeat(load_recipe("cartpole"), "torch")


def test_rmsprop_is_proved_by_lockstep(tmp_path: Path) -> None:
    short = proof.provable(A2C, 600)[0]
    for name in ladder.NAMES:
        proof.run(short, name, tmp_path, quiet=True)
    verdict = judge(tmp_path, list(ladder.NAMES))
    assert verdict.first is None, verdict.first
    assert "rmsprop/v/head/value_kernel" in (tmp_path / "torch-tensors.csv").read_text()
