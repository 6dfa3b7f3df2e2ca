"""Runs with frozen layers: these stay as they are until the thaw, whoever makes the updates."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

import triptych
from tests.experiments.test_going_on import SHORT, interrupt_at
from tests.experiments.test_resume import CARTPOLE_A3C, CARTPOLE_PPO, assert_same
from triptych import envs, frameworks
from triptych.recipes import load_recipe
from triptych.recipes.override import override
from triptych.report.page import report
from triptych.training.build import make_training
from triptych.training.remote import RemoteWorker
from triptych.utils.checks import InputError
from triptych.utils.files import read_tensors

FROZEN = {"freeze": ("dense_1",), "thaw_after": 500, "steps": 900, "evaluate_every": 0, "checkpoint_every": 250}
DQN: dict[str, Any] = SHORT | FROZEN
SETTINGS = {"cartpole": DQN, "cartpole-a3c": CARTPOLE_A3C | FROZEN, "cartpole-ppo": CARTPOLE_PPO | FROZEN}


def recipe_of(settings: dict[str, Any], **more: Any) -> triptych.Recipe:
    changes = {name: value for name, value in settings.items() if name != "recipe"}
    return override(load_recipe(settings["recipe"]), changes | more)


def training_of(recipe: triptych.Recipe, framework: str = "torch") -> Any:
    games = envs.make(recipe.env, recipe.num_envs)
    return make_training(recipe, games, frameworks.load(framework).Learner)


@pytest.mark.parametrize("name", SETTINGS)
def test_they_are_still_until_the_thaw_and_learn_after_it(name: str) -> None:
    training = training_of(recipe_of(SETTINGS[name], thaw_after=(12, "updates")))
    first = training.learner.get_weights()
    for _ in training.ticks():
        now, updates = training.learner.get_weights(), training.counters.updates
        moved = {tensor for tensor in now if (now[tensor] != first[tensor]).any()}
        if updates <= 12:
            assert not {tensor for tensor in moved if tensor.startswith("dense_1/")}
        if updates != 12:  # the thaw comes with the next one
            assert ("adam/v/dense_1/kernel" in training.learner.get_state()) == (updates > 12)
        if updates >= 20:
            break
    assert moved == set(now)
    training.close()


@pytest.mark.parametrize(
    ("framework", "name"), [("torch", "cartpole-a3c"), ("jax", "cartpole"), ("keras", "cartpole-ppo")]
)
def test_a_run_that_was_stopped_before_and_after_the_thaw_gives_the_same_bytes(
    framework: str, name: str, tmp_path: Path
) -> None:
    def train(run: str, **more: Any) -> Any:
        return triptych.train(framework=framework, runs_dir=tmp_path, run_name=run, **SETTINGS[name], **more)

    train("whole")
    assert train("stopped", callbacks=[interrupt_at(333)]).steps < 400
    assert 600 <= triptych.resume(tmp_path / "stopped", callbacks=[interrupt_at(600)]).steps < 700
    assert triptych.resume(tmp_path / "stopped").steps >= 900
    assert_same(tmp_path / "whole", tmp_path / "stopped")


def test_settings_that_were_changed_freeze_and_thaw_where_they_are_accepted(tmp_path: Path) -> None:
    run = triptych.train(runs_dir=tmp_path, **DQN | {"steps": 300}).path
    config = json.loads((run / "config.json").read_text())
    config["recipe"] |= {"freeze": ["head"], "thaw_after": None}
    (run / "config.json").write_text(json.dumps(config))
    triptych.resume(run, steps="+100", accept_changes=True)
    before, after = (read_tensors(path)[0] for path in sorted((run / "checkpoints").glob("weights-*"))[-2:])
    assert (before["head/kernel"] == after["head/kernel"]).all()
    assert (before["dense_1/kernel"] != after["dense_1/kernel"]).any()
    with open(run / "resumes.csv", newline="") as file:
        assert "freeze.0: dense_1 -> head" in next(csv.DictReader(file))["changes"]


def test_a_ray_worker_takes_gradients_of_what_learns_alone() -> None:
    """Its process is not needed to see that: it is told with the weights what is frozen."""
    recipe = recipe_of(SETTINGS["cartpole-a3c"], memory="none")
    training = training_of(recipe)
    worker = RemoteWorker({})
    worker.worker = training.workers[1]
    weights, frozen = training.learner.get_weights(), training.learner.frozen
    assert frozen == ("dense_1/kernel", "dense_1/bias")
    for names in (frozen, ()):
        answer = worker.play(weights, 0, 0, names)
        assert answer.gradient is not None
        assert answer.gradient.tensors.keys() == weights.keys() - set(names)
    training.close()


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"freeze": ("lstm",)},
            r"freeze is 'lstm'; allowed: a layer \(dense_1, dense_2, head\) or a kind of layer \(dense\)",
        ),
        ({"freeze": ("dense", "head")}, "allowed: not all layers, as something must learn"),
        ({"freeze": ("dense", "head"), "thaw_after": 5}, "allowed: not all layers"),
        ({"freeze": (), "thaw_after": 5}, "thaw_after is 5; allowed: None, as no layer is frozen"),
        ({"thaw_after": 0}, "thaw_after is 0; allowed: above 0"),
        ({"thaw_after": (3, "games")}, "thaw_after is 'games'"),
    ],
)
def test_what_cannot_be_frozen_is_refused_before_anything_is_written(changes: Any, line: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=line):
        triptych.train(runs_dir=tmp_path, **DQN | changes)
    assert not list(tmp_path.iterdir())


def test_the_page_and_the_first_lines_tell_what_is_frozen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = triptych.train(runs_dir=tmp_path, quiet=False, **DQN | {"steps": 160}).path
    lines = capsys.readouterr().err.splitlines()
    assert "frozen    2 tensors of 6, until step 500" in lines
    assert any(line.split()[-3:] == ["256)", "fresh,", "frozen"] for line in lines)
    page = report([str(run)], runs_dir=tmp_path).read_text()
    assert "<tr><th>dense_1/kernel</th><td>fresh, frozen until step 500</td></tr>" in page
    assert "<tr><th>head/kernel</th><td>fresh</td></tr>" in page


def test_show_says_that_its_update_is_of_all_layers() -> None:
    recipe = recipe_of(DQN)
    with pytest.raises(InputError, match=r"freeze is .*; allowed: none, as the shown update is of all layers"):
        triptych.show(recipe)
    assert triptych.show(dataclasses.replace(recipe, freeze=(), thaw_after=None))
