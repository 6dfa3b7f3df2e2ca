"""Exporting: what is written acts as the run does, or is not kept; what cannot be written is refused with who can."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from triptych import InputError, envs, frameworks
from triptych.__main__ import main
from triptych.experiments import exporting
from triptych.experiments.evaluate import evaluate
from triptych.experiments.exporting import export
from triptych.experiments.growing import grow
from triptych.experiments.load import load_agent
from triptych.experiments.train import train
from triptych.recipes import load_recipe
from triptych.recipes.serialise import to_dict
from triptych.spec.weights import initial_weights, save_weights
from triptych.trackers.fetch import fetch


def weights_of(recipe_name: str, folder: Path) -> Path:
    """A weights file of a recipe that was never trained."""
    recipe = load_recipe(recipe_name)
    games = envs.make(recipe.env, 1)
    games.close()
    network = recipe.make_network(games.observation, games.num_actions)
    path = folder / f"{recipe_name}.safetensors"
    save_weights(path, initial_weights(network, np.random.default_rng(3)), {"recipe": to_dict(recipe)})
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of CartPole that has learned for a moment."""
    folder = tmp_path_factory.mktemp("runs")
    settings: dict[str, Any] = {"steps": 1_200, "algorithm.warm_up": 100, "best_window": 5}
    return train("cartpole", framework="torch", run_name="pole", runs_dir=folder, **settings).path


def test_the_last_line_is_the_file_and_what_goes_in_is_told(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["export", str(run), "--to", "torchscript"])
    lines = capsys.readouterr().out.splitlines()
    assert stop.value.code == 0
    assert lines[0] == "in   observation [N, 4] float32"
    assert lines[1] == "out  q_values"
    assert lines[2].startswith("1,000 of 1,000 observations: the same action as ")
    assert lines[-1] == str(run / "exports" / "policy.pt")
    assert Path(lines[-1]).is_file()


def test_weights_that_are_exported_are_the_runs_and_play(run: Path, tmp_path: Path) -> None:
    found = export(run, "safetensors", out=tmp_path / "mine.safetensors")
    assert found.path == tmp_path / "mine.safetensors"
    assert (found.same, found.difference) == (1_000, 0)
    obs = np.random.default_rng(0).standard_normal((50, 4)).astype(np.float32)
    mine, theirs = load_agent(found.path).act(obs)[0], load_agent(run).act(obs)[0]
    assert np.array_equal(mine, theirs)


def test_a_policy_with_memory_names_its_state(tmp_path: Path) -> None:
    found = export(weights_of("drqn-cartpole", tmp_path), "torchscript")
    assert found.path == tmp_path / "drqn-cartpole-policy.pt", "another file beside it has another name"
    assert [given["name"] for given in found.inputs] == ["observation", "state", "started"]
    assert found.outputs == ["q_values", "state_after"]


def test_a_file_that_acts_otherwise_is_not_kept(run: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write, opened = frameworks.exporter("torch", "torchscript")

    def turned(signature: Any, path: Path) -> Any:
        play = opened(signature, path)
        return lambda flat: [-output for output in play(flat)]

    monkeypatch.setattr(frameworks, "exporter", lambda name, to: (write, turned))
    (tmp_path / "mine.pt").write_text("an earlier one")
    found = export(run, "torchscript", out=tmp_path / "mine.pt")
    assert found.path is None
    assert found.same < 1_000
    assert [path.name for path in tmp_path.iterdir()] == ["mine.pt"]
    assert (tmp_path / "mine.pt").read_text() == "an earlier one"


def test_outputs_that_differ_in_the_last_bits_count_as_the_same(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, opened = frameworks.exporter("torch", "torchscript")

    def shaken(signature: Any, path: Path) -> Any:
        play = opened(signature, path)
        return lambda flat: [output * np.float32(1 + 1e-7) for output in play(flat)]

    monkeypatch.setattr(frameworks, "exporter", lambda name, to: (write, shaken))
    found = export(run, "torchscript")
    assert found.same == 1_000
    assert 0 < found.difference < 1e-4


def test_a_framework_that_cannot_write_it_is_refused_with_one_that_can(run: Path) -> None:
    with pytest.raises(
        InputError, match=r"to is 'stablehlo', which torch.*allowed: onnx, torchscript.*--framework jax"
    ):
        export(run, "stablehlo")
    assert not (run / "exports" / "policy.stablehlo").exists()


@pytest.mark.parametrize(
    ("to", "settings", "told"),
    [
        ("pickle", {}, "to is 'pickle'; allowed: onnx,"),
        ("torchscript", {"push": "me/pole"}, "push is 'me/pole'; allowed: with --to hf"),
        ("torchscript", {"out": "nowhere/policy.pt"}, "there is no folder 'nowhere'"),
        ("hf", {"games": 1}, "games is 1; allowed: 2 or more"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(run: Path, to: str, settings: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError) as error:
        export(run, to, **settings)
    assert told in str(error.value)


def test_onnx_without_its_packages_names_the_extra(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "onnx" else object())
    with pytest.raises(InputError, match=r"an ONNX file needs onnx, which is not installed: pip install .*onnx"):
        export(run, "onnx")


def test_a_folder_for_the_hub_has_what_the_hub_reads_and_fetch_takes_it(run: Path, tmp_path: Path) -> None:
    import yaml

    found = export(run, "hf", games=5)
    assert found.path == run / "exports" / "hub"
    names = {path.name for path in found.path.iterdir()}
    assert names == {"README.md", "best.safetensors", "config.json", "results.json"}
    head = yaml.safe_load((found.path / "README.md").read_text(encoding="utf-8").split("---")[1])
    results = json.loads((found.path / "results.json").read_text(encoding="utf-8"))
    assert head["tags"][0] == "CartPole-v1"
    assert "reinforcement-learning" in head["tags"]
    (metric,) = head["model-index"][0]["results"][0]["metrics"]
    assert metric["value"] == f"{results['mean_reward']:.2f} +/- {results['std_reward']:.2f}"
    assert results["n_evaluation_episodes"] == 5
    here = fetch(str(found.path), runs_dir=tmp_path, run_name="back")
    obs = np.random.default_rng(0).standard_normal((20, 4)).astype(np.float32)
    assert np.array_equal(load_agent(here.path).act(obs)[0], load_agent(run).act(obs)[0])


@pytest.mark.parametrize("given", ["the run", "its file"])
def test_the_latest_weights_are_called_so_and_have_a_score_of_their_own(given: str, run: Path, tmp_path: Path) -> None:
    latest = run / "checkpoints" / "latest.safetensors"
    of, how = (run, {"weights": "latest"}) if given == "the run" else (latest, {})
    found = export(of, "hf", games=5, out=tmp_path / "hub", **how)
    assert found.path == tmp_path / "hub"
    names = {path.name for path in found.path.iterdir()}
    assert names == {"README.md", "latest.safetensors", "config.json", "results.json"}
    card = (found.path / "README.md").read_text(encoding="utf-8")
    assert "--policy greedy --weights latest" in card
    assert "`latest.safetensors` the run's weights at the end of training" in card
    assert "best" not in card
    score = json.loads((found.path / "results.json").read_text(encoding="utf-8"))["mean_reward"]
    assert score == evaluate(latest, 5, policy="greedy").mean != evaluate(run, 5, policy="greedy").mean
    here = fetch(str(found.path), runs_dir=tmp_path, run_name="back")
    obs = np.random.default_rng(0).standard_normal((20, 4)).astype(np.float32)
    theirs = load_agent(run, weights="latest").act(obs)[0]
    assert np.array_equal(load_agent(here.path, weights="latest").act(obs)[0], theirs)


def test_what_has_grown_is_no_folder_for_the_hub(run: Path, tmp_path: Path) -> None:
    larger = grow(run, {"dense_1": 300}).path
    with pytest.raises(InputError, match=r"grown.safetensors'; allowed with --to hf: a run, its best.safetensors or"):
        export(larger, "hf", out=tmp_path / "hub")
    larger.unlink()
    assert not list(tmp_path.iterdir())


def test_a_weights_file_of_no_run_is_no_folder_for_the_hub(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="which lies in no run folder"):
        export(weights_of("cartpole", tmp_path), "hf")


def test_every_format_that_is_named_has_a_writer() -> None:
    by_frameworks = {to for known in frameworks.FRAMEWORKS.values() for to in known.exports}
    assert by_frameworks | {"safetensors", "hf"} == set(exporting.TO)
