"""The three standalone files: what `show` prints is what runs."""

from __future__ import annotations

import dataclasses
import json
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import placed
from triptych import frameworks
from triptych.algorithms import ALGORITHMS
from triptych.cli.main import run
from triptych.recipes import Recipe, load_recipe
from triptych.recipes.override import override
from triptych.report.show.build import count, layer_table, names_table, network_of, show, write
from triptych.spec import Dense, RMSprop, each, parts_of
from triptych.spec.weights import initial_weights, save_weights
from triptych.utils.checks import InputError
from triptych.utils.seeds import generator

RECIPES: dict[str, Recipe] = {
    "cartpole": override(load_recipe("cartpole"), {"precision": "float64", "seed": 3}),
    "pixels": override(load_recipe("cartpole-pixels"), {"precision": "float64", "batch_size": 8}),
    "pixels-tuned": override(load_recipe("cartpole-pixels-tuned"), {"precision": "float64", "batch_size": 4}),
    "atari": override(
        load_recipe("space-invaders"),
        {"precision": "float64", "batch_size": 4, "network.4.units": 16, "network.5.units": 8},
    ),
    "float32": load_recipe("cartpole"),
    "dueling": override(load_recipe("cartpole"), {"precision": "float64", "algorithm.dueling": True}),
    **{
        kind: override(load_recipe("drqn-cartpole"), {"precision": "float64", "memory": kind, "batch_size": 4})
        for kind in ("none", "rnn", "gru", "lstm", "stack", "attention")
    },
    "ppo": override(load_recipe("cartpole-ppo"), {"precision": "float64", "memory": "lstm", "num_envs": 4}),
    "a2c": override(load_recipe("cartpole-a2c"), {"precision": "float64", "num_envs": 4}),
    "layers of its own": override(
        load_recipe("cartpole-ppo"),
        {
            "precision": "float64",
            "num_envs": 4,
            "network": (Dense(8, "tanh"),),
            "algorithm.policy_units": (6, 4),
            "algorithm.value_units": (5,),
        },
    ),
    "rmsprop": override(
        load_recipe("cartpole-a2c"),
        {"precision": "float64", "num_envs": 4, "optimiser": RMSprop(learning_rate=7e-4, max_norm=0.5)},
    ),
    "kung-fu-master": override(
        load_recipe("kung-fu-master"),
        {
            "precision": "float64",
            "num_envs": 4,
            "algorithm.rollout_steps": 3,
            "network.4.units": 9,
            "network.5.units": 8,
        },
    ),
    "atari-lstm": override(
        load_recipe("drqn-lstm"), {"precision": "float64", "batch_size": 2, "network.4.units": 9, "network.5.units": 8}
    ),
    "map": dataclasses.replace(placed.make_recipe("ppo", egocentric=True), precision="float64"),
    "bfloat16": override(
        load_recipe("space-invaders"),
        {"precision": "bfloat16", "batch_size": 4, "network.4.units": 16, "network.5.units": 8},
    ),
}


def learner_of(recipe: Recipe, framework: str) -> Any:
    network = network_of(recipe)
    weights = initial_weights(network, generator(recipe.seed, "weights"))
    loss = ALGORITHMS[recipe.algorithm.kind].make_loss(recipe.algorithm)
    return frameworks.load(framework).Learner(network, loss, recipe.optimiser, weights, recipe.precision)


def values_of(learner: Any, batch: Any) -> tuple[tuple[Any, ...], np.ndarray]:
    """What a shown file's `outputs` takes of a batch, and the learner's values of it."""
    if not hasattr(batch, "state"):
        return (batch.obs,), learner.act(batch.obs)[0]
    state, values = batch.state, []
    for step, reset in enumerate(batch.reset):
        found, state = learner.act(each(lambda part, step=step: part[step], batch.obs), state, reset)
        values.append(found)
    return (batch.obs, batch.state, batch.reset), np.stack(values)


@pytest.mark.parametrize("framework", list(frameworks.FRAMEWORKS))
@pytest.mark.parametrize("name", RECIPES)
def test_each_file_does_what_the_learner_does(
    name: str, framework: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_file(RECIPES[name], name, framework, tmp_path, monkeypatch)


def check_file(recipe: Recipe, name: str, framework: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a shown file gives, and its losses over three updates, are those of the learner."""
    paths = {path.stem: path for path in write(show(recipe, network_of(recipe), name), tmp_path)}
    monkeypatch.setattr(sys, "argv", ["file"])
    monkeypatch.setitem(sys.modules, "shown", type(sys)("shown"))  # the file looks itself up by its name
    text = paths[f"{recipe.algorithm.kind}_{framework}"].read_text()
    assert "triptych" not in text.replace("Written by `triptych show`", ""), "it runs without Triptych"
    shown = sys.modules["shown"].__dict__
    exec(compile(text, f"dqn_{framework}.py", "exec"), shown)
    learner = learner_of(recipe, framework)
    # In bfloat16 the learners' gradients are rounded once for each part of the batch, the file's once.
    tolerance = {"float64": 1e-12, "bfloat16": 1e-2}.get(recipe.precision, 1e-5)
    rate = recipe.optimiser.learning_rate
    for _ in range(3):
        batch = shown["example_batch"]()
        given, found = values_of(learner, batch)
        assert all(part.dtype in (found.dtype, np.uint8) for part in parts_of(batch.obs).values())
        np.testing.assert_allclose(shown["outputs"](*given), found, tolerance, tolerance)
        loss = learner.update(ALGORITHMS[recipe.algorithm.kind].batch(*batch), rate)["loss"]
        np.testing.assert_allclose(shown["update"](batch, rate), np.asarray(loss), tolerance, tolerance)


@pytest.mark.parametrize(
    ("argument", "code", "said"),
    [("--help", None, "python FILE [weights.safetensors] prints"), ("none", "none: no such file", "")],
)
def test_a_file_explains_itself_and_refuses_weights_that_are_not_there(
    argument: str,
    code: str | None,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    write(show(RECIPES["cartpole"], network_of(RECIPES["cartpole"]), "cartpole"), tmp_path)
    monkeypatch.setattr(sys, "argv", ["dqn_torch.py", argument])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(tmp_path / "dqn_torch.py"), run_name="__main__")
    assert str(stop.value.code).startswith(str(code))
    assert said in capsys.readouterr().out


@pytest.mark.parametrize("framework", list(frameworks.FRAMEWORKS))
def test_a_file_runs_by_itself_with_and_without_weights(
    framework: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = RECIPES["cartpole"]
    write(show(recipe, network_of(recipe), "cartpole"), tmp_path)
    weights = initial_weights(network_of(recipe), np.random.default_rng(9))
    save_weights(tmp_path / "w.safetensors", weights, {})
    printed = []
    for arguments in ([], ["w.safetensors"]):
        command = [sys.executable, "-W", "error", f"dqn_{framework}.py", *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        lines = dict(line.split(" ", 1) for line in done.stdout.splitlines())
        printed.append(np.array(json.loads(lines["outputs"])))
        assert np.isfinite(json.loads(lines["loss"]))
    assert printed[0].shape == (64, 2)
    learner = learner_of(recipe, framework)
    monkeypatch.setattr(sys, "argv", ["file"])
    batch = runpy.run_path(str(tmp_path / "dqn_torch.py"))["example_batch"]()
    np.testing.assert_allclose(printed[0], learner.act(batch.obs)[0], 1e-12, 1e-12)
    learner.set_weights(weights)
    np.testing.assert_allclose(printed[1], learner.act(batch.obs)[0], 1e-12, 1e-12)


def test_a_file_refuses_another_network_s_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = RECIPES["cartpole"]
    write(show(recipe, network_of(recipe), "cartpole"), tmp_path)
    file, good = tmp_path / "w.safetensors", initial_weights(network_of(recipe), np.random.default_rng(9))
    name = next(iter(good))
    monkeypatch.setattr(sys, "argv", ["file", str(file)])
    for wrong, said in (
        ({key: array for key, array in good.items() if key != name}, "is missing there"),
        (good | {name: good[name][:1]}, r"is \(1, "),
        (good | {"more/kernel": good[name]}, "more/kernel is .* there, missing here"),
    ):
        save_weights(file, wrong, {})
        with pytest.raises(SystemExit, match=said):
            runpy.run_path(str(tmp_path / "dqn_torch.py"))


def test_writing_prints_the_files_and_spares_a_stranger_s(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):  # our own files give way
        assert run(["show", "cartpole", "--write", str(tmp_path)]) == 0
        printed = capsys.readouterr().out.splitlines()
        assert printed == [str(tmp_path / f"dqn_{framework}.py") for framework in frameworks.FRAMEWORKS]
    (tmp_path / "dqn_jax.py").write_text("mine")
    (tmp_path / "dqn_torch.py").unlink()
    with pytest.raises(InputError, match=r"dqn_jax.py exists and was not written by triptych"):
        run(["show", "cartpole", "--write", str(tmp_path)])
    assert (tmp_path / "dqn_jax.py").read_text() == "mine"
    assert not (tmp_path / "dqn_torch.py").exists(), "nothing was written"


def test_a_changed_loss_changes_what_is_shown() -> None:
    huber, squared = load_recipe("cartpole"), override(load_recipe("cartpole"), {"algorithm.loss": "squared"})
    ours, theirs = (show(recipe, network_of(recipe), "cartpole")[0] for recipe in (huber, squared))
    assert ours.file != theirs.file
    assert "def maximum" not in ours.operations, "only what the loss uses"


def test_layers_and_names_are_complete() -> None:
    network = network_of(load_recipe("space-invaders"))
    rows = layer_table(network)
    assert [row[2] for row in rows] == [(20, 20, 32), (9, 9, 64), (7, 7, 64), (3136,), (512,), (256,), (6,)]
    assert sum(row[3] for row in rows) == sum(count(placed) for placed in network.placed()) == 1_816_998
    assert {len(row) for row in names_table()} == {4}
    assert all(all(row) for row in names_table())
