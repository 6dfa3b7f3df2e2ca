"""The command line as a user meets it: flags, bad input, exit codes."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import triptych
from tests import forks
from tests.own_memory import SOURCE
from triptych.cli.main import COMMANDS, main
from triptych.cli.parse import parse
from triptych.cli.runs import Train
from triptych.recipes import BUILT_IN, load_recipe
from triptych.recipes.override import override
from triptych.recipes.serialise import from_dict, to_dict
from triptych.report.show.build import network_of
from triptych.runs.names import fresh_name
from triptych.spec import LSTM
from triptych.spec.weights import check_weights, initial_weights, save_weights
from triptych.utils.checks import InputError
from triptych.utils.files import read_tensors
from triptych.utils.install import install_hint

QUICK = ["--steps", "400", "--warm-up", "100", "--threads", "1", "--checkpoint-every", "150", "--evaluate-every", "0"]


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(list(arguments))
    return int(stop.value.code or 0)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short finished run."""
    runs = tmp_path_factory.mktemp("runs")
    return triptych.train(
        "cartpole", "jax", run_name="run", runs_dir=runs, steps=400, warm_up=100, threads=1, evaluate_every=0
    ).path


def test_recipes_are_listed(capsys: pytest.CaptureFixture) -> None:
    assert call("recipes") == 0
    out = capsys.readouterr().out
    assert all(name in out for name in BUILT_IN)


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_recipe_survives_its_json(name: str) -> None:
    recipe = load_recipe(name)
    assert from_dict(json.loads(json.dumps(to_dict(recipe)))) == recipe


def test_space_invaders_settings_are_the_originals() -> None:
    recipe = load_recipe("space-invaders")
    config = recipe.algorithm
    assert (config.update_every, config.target_every, config.replay_size) == (6, (10_000, "steps"), 1_000_000)
    assert (config.warm_up, config.epsilon_steps, config.batch_size, config.gamma) == (50_000, 1_000_000, 32, 0.99)
    assert (recipe.optimiser.learning_rate, recipe.steps, recipe.solved_at) == (2.5e-4, 10_000_000, 500)
    assert (recipe.env.id, recipe.env.frame_skip, recipe.env.sticky) == ("SpaceInvadersNoFrameskip-v4", 4, 0.0)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command(command: str, capsys: pytest.CaptureFixture) -> None:
    assert call(command, "--help") == 0
    assert command in capsys.readouterr().out


def test_common_flags_have_short_names(capsys: pytest.CaptureFixture) -> None:
    for command in ("train", "compare", "lockstep"):
        call(command, "space-invaders", "--help")
        out = capsys.readouterr().out
        for flag in ("steps", "seed", "num-envs", "batch-size", "learning-rate", "warm-up", "checkpoint-every", "precision", "threads", "env"):  # fmt: skip
            assert f"--{flag} " in out, (command, flag)
        assert "--network.conv-1.filters" in out


FOUND = [
    (["--seed", "3", "cartpole", "--quiet"], "cartpole"),
    (["--algorithm.double", "cartpole"], "cartpole"),
    (["--algorithm.no-compress", "space-invaders"], "space-invaders"),
    (["--network.1.skip", "drqn-cartpole"], "drqn-cartpole"),
    (["--algorithm.target-every", "5", "steps", "cartpole"], "cartpole"),
    (["--env.size", "40", "90", "space-invaders"], "space-invaders"),
    (["space-invaders", "--env.crop", "0", "1", "0", ".5"], "space-invaders"),
    (["--run-name", "cartpole", "drqn-cartpole"], "drqn-cartpole"),
    (["--run-name", "cartpole", "--env", "CartPole-v1"], ""),
    (["--env", "CartPole-v1", "--env.render", "--env.size", "40", "90"], ""),
    (["--env=CartPole-v1"], ""),
    (["Space_Invaders"], "space-invaders"),
]


@pytest.mark.parametrize(("arguments", "name"), FOUND, ids=[" ".join(arguments) for arguments, _ in FOUND])
def test_recipe_is_found_wherever_it_stands(arguments: list[str], name: str) -> None:
    parsed = parse(Train, "train", arguments)
    assert parsed.name == name
    assert parsed.recipe.env.id == (load_recipe(name).env.id if name else "CartPole-v1")


def test_a_run_may_be_called_none() -> None:
    """The word for runs without memory; for a number it stays another spelling of None."""
    named = {
        word: parse(Train, "train", ["cartpole", "--run-name", word]).run_name for word in ("none", "None", "lstm")
    }
    assert named == {"none": "none", "None": None, "lstm": "lstm"}
    assert parse(Train, "train", ["cartpole", "--episodes", "none"]).recipe.episodes is None


def test_several_recipes_keep_their_order() -> None:
    for arguments in (
        ["--seeds", "2", "cartpole", "cartpole-ppo"],
        ["--frameworks", "torch", "jax", "--seeds", "2", "cartpole", "cartpole-ppo"],
        ["cartpole", "cartpole-ppo", "--frameworks", "torch,jax"],
    ):
        parsed = parse(COMMANDS["compare"], "compare", arguments)
        assert (parsed.name, parsed.others) == ("cartpole", ("cartpole-ppo",))


SWITCHES = [
    (name, field.name)
    for name, command in COMMANDS.items()
    if "recipe" in (fields := {field.name: field for field in dataclasses.fields(command)})
    for field in fields.values()
    if isinstance(field.default, bool)
]


@pytest.mark.parametrize(("command", "switch"), SWITCHES)
def test_no_switch_hides_the_recipe_behind_it(command: str, switch: str) -> None:
    front = ["a-run"] if hasattr(COMMANDS[command], "FRONT") else []
    parsed = parse(COMMANDS[command], command, [*front, f"--{switch.replace('_', '-')}", "cartpole"])
    assert parsed.name == "cartpole"
    assert getattr(parsed, switch) is True


def test_train_then_evaluate_then_resume(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    runs = str(tmp_path)
    assert call("train", "cartpole", "--runs-dir", runs, "--run-name", "one", *QUICK) == 0
    folder = tmp_path / "one"
    config = json.loads((folder / "config.json").read_text())
    assert (config["env_id"], config["framework"], config["seed"]) == ("CartPole-v1", "torch", 0)
    assert config["recipe"]["algorithm"]["warm_up"] == 100
    assert config["versions"]["torch"]
    assert config["processor"]
    header = (folder / "episodes.csv").read_text().splitlines()[0]
    assert header == (
        "episode,frames,steps,updates,episode_reward,episode_length,running_reward,max_reward,epsilon,loss,seconds"
    )
    capsys.readouterr()
    for run in (str(folder), "one", str(folder / "checkpoints" / "latest.safetensors")):
        assert (
            call("evaluate", run, "--runs-dir", runs, "--games", "3", "--seed", "5", "--weights", "latest", "--json")
            == 0
        )
    results = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert {(r["mean"], r["low"], r["high"], r["games"]) for r in results} == {tuple(results[0][k] for k in ("mean", "low", "high", "games"))}  # fmt: skip
    assert results[0]["games"] == 3
    assert results[0]["policy"] == "greedy"
    assert call("resume", "one", "--runs-dir", runs) == 0
    assert "is finished" in capsys.readouterr().out


def test_a_recipe_file_that_fails_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    file = tmp_path / "broken.py"
    file.write_text("this is no Python\n")
    assert call("train", str(file)) == 2
    assert "SyntaxError" in capsys.readouterr().err


def test_fields_are_changed_all_at_once() -> None:
    changes = {"algorithm.replay_size": 40, "algorithm.learn_from": 10}
    for order in (changes, dict(reversed(changes.items()))):
        assert triptych.override(load_recipe("space-invaders"), order).algorithm.learn_from == 10
    for wrong in ({"algorithm.target_every": 500}, {"num_envs": 2.0}, {"steps": "100"}, {"algorithm.x": 1}):
        with pytest.raises(triptych.InputError):
            triptych.override(load_recipe("cartpole"), wrong)


def test_an_environment_without_a_recipe(tmp_path: Path) -> None:
    assert call("train", "--env", "MountainCar-v0", "--runs-dir", str(tmp_path), "--run-name", "m", *QUICK) == 0
    config = json.loads((tmp_path / "m" / "config.json").read_text())
    assert config["env_id"] == "MountainCar-v0"
    assert len(config["recipe"]["network"]) == 2
    assert call("train", "--env", "ALE/Pong-v5", "--runs-dir", str(tmp_path), "--run-name", "p", "--steps", "60", "--warm-up", "40") == 0  # fmt: skip
    pong = json.loads((tmp_path / "p" / "config.json").read_text())["recipe"]
    assert len(pong["network"]) == 6
    assert pong["env"]["sticky"] is None, "sticky actions are what the id says"


def test_a_recipe_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "import dataclasses, triptych\nfrom triptych.envs import EnvConfig\n"
        "recipe = dataclasses.replace(triptych.load_recipe('cartpole'), env=EnvConfig('Acrobot-v1'))\n"
    )
    assert call("train", str(file), "--runs-dir", str(tmp_path), "--run-name", "a", *QUICK) == 0
    assert json.loads((tmp_path / "a" / "config.json").read_text())["env_id"] == "Acrobot-v1"


def test_a_memory_of_ones_own_trains_and_resumes_and_plays(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """A recipe file may register a memory kind; a later process learns of it from the run's own file."""
    file = tmp_path / "mine.py"
    file.write_text(
        "import triptych, dataclasses\nfrom tests.own_memory import Average\n"
        "drqn = triptych.load_recipe('drqn-cartpole')\n"
        "recipe = dataclasses.replace(drqn, network=(drqn.network[0], Average(), drqn.network[2]))\n"
    )
    small = ["--steps", "300", "--warm-up", "100", "--batch-size", "4", "--evaluate-every", "0", "--quiet"]
    assert call("train", str(file), "--runs-dir", str(tmp_path), "--run-name", "a", *small) == 0
    assert json.loads((tmp_path / "a" / "config.json").read_text())["recipe"]["network"][1]["kind"] == "average"
    done = forks.command("evaluate", "a", "--runs-dir", tmp_path, "--games", "2")
    assert done.returncode == 0, done.stderr


def test_a_memory_of_ones_own_may_lie_beside_its_recipe_and_know_one_framework(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    text = SOURCE.read_text()
    text = text[: text.index("triptych.register_memory(")].replace('"average"', '"moving"')
    (tmp_path / "moving.py").write_text(text + 'triptych.register_memory(Average, torch="moving:in_torch")\n')
    (tmp_path / "mine.py").write_text(
        "import triptych, dataclasses\nfrom moving import Average\n"
        "drqn = triptych.load_recipe('drqn-cartpole')\n"
        "recipe = dataclasses.replace(drqn, network=(drqn.network[0], Average(), drqn.network[2]))\n"
    )
    small = ["--steps", "120", "--warm-up", "100", "--batch-size", "4", "--evaluate-every", "0", "--quiet"]
    place = ["--runs-dir", str(tmp_path), "--run-name"]
    train = ["train", str(tmp_path / "mine.py"), *place]
    done = forks.command(*train, "a", *small)
    assert done.returncode == 0, done.stderr
    done = forks.command(*train, "b", *small, "--framework", "jax")
    assert done.returncode == 2
    assert "the framework of moving is 'jax'; allowed: torch" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "b").exists()
    file = tmp_path / "moving.py"
    file.write_text(file.read_text().replace("moving:in_torch", "moving:forgotten"))
    done = forks.command(*train, "c", *small)
    assert done.returncode == 2
    assert "torch of moving is 'moving:forgotten': " in done.stderr.splitlines()[-1]


def test_a_rollout_of_the_whole_run_is_no_warning() -> None:
    recipe = load_recipe("kung-fu-master")
    assert not override(recipe, {"steps": 1_000}).warnings(), "32 games take 32 steps each"
    (line,) = override(recipe, {"steps": 960}).warnings()
    assert line == (
        "a rollout is 1,024 steps (32 steps x 32 games): the run's 960 steps end before the first update, which needs 1,024"
    )


def test_weights_of_a_network_with_memory_fit_no_other() -> None:
    recurrent, plain = load_recipe("drqn-cartpole"), override(load_recipe("drqn-cartpole"), {"memory": "none"})
    weights = initial_weights(network_of(recurrent), np.random.default_rng(0))
    with pytest.raises(
        InputError, match=r"w: tensor lstm_1/kernel is not part of this network; allowed: dense_1/kernel"
    ):
        check_weights(weights, network_of(plain), "w")


def test_the_memory_flag_changes_the_layer_in_its_place() -> None:
    drqn = load_recipe("drqn-cartpole")
    for kind in ("rnn", "gru", "stack", "attention"):
        network = override(drqn, {"memory": kind}).network
        assert [layer.kind for layer in network] == ["dense", kind, "dense"]
    assert override(drqn, {"memory": "gru"}).network[1].units == 64
    assert [layer.kind for layer in override(drqn, {"memory": "none"}).network] == ["dense", "dense"]
    assert override(override(drqn, {"memory": "none"}), {"memory": "gru"}).network[-1].kind == "gru"


@pytest.mark.parametrize("flag", ["network.1.units", "network.lstm-1.units", "network.lstm_1.units"])
def test_a_layer_has_a_place_and_a_name(flag: str) -> None:
    drqn = load_recipe("drqn-cartpole")
    for arguments in ([f"--{flag}", "7", "drqn-cartpole"], ["drqn-cartpole", f"--{flag}=7"]):
        assert parse(Train, "train", arguments).recipe == override(drqn, {"network.1.units": 7})
    assert override(drqn, {flag: 7, "network.1.skip": True}).network[1] == LSTM(7, skip=True)


def test_names_of_layers_are_those_after_the_memory_is_changed() -> None:
    changed = parse(Train, "train", ["--network.gru-1.skip", "drqn-cartpole", "--memory", "gru"]).recipe
    assert (
        changed.network[1]
        == override(load_recipe("drqn-cartpole"), {"memory": "gru", "network.1.skip": True}).network[1]
    )
    assert changed.network[1].skip


def test_what_the_flags_name_is_known_by_path() -> None:
    """`compare` gives it to the other recipes, and only that: a layer by its name, which may have another place there."""
    typed = ["--network.lstm-1.units", "7", "--batch_size=5", "--env.observe", "all", "--network.1.skip"]
    named = {"network.lstm_1.units": 7, "algorithm.batch_size": 5, "env.observe": "all", "network.1.skip": True}
    assert parse(COMMANDS["compare"], "compare", ["drqn-cartpole", *typed]).given == named
    memory = ["drqn-cartpole", "--memory", "gru", "--network.gru-1.skip"]
    assert parse(COMMANDS["compare"], "compare", memory).given == {"memory": "gru", "network.gru_1.skip": True}


@pytest.mark.parametrize("changes", [{"network.lstm_2.units": 7}, {"network.9.units": 7}, {"network.head.units": 7}])
def test_an_unknown_layer_tells_which_there_are(changes: dict[str, int]) -> None:
    with pytest.raises(InputError, match=r"; allowed: dense_1, lstm_1, dense_2, or by place 0 to 2$"):
        override(load_recipe("drqn-cartpole"), changes)


BAD = [
    (["train", "no-such-recipe"], "recipe is 'no-such-recipe'; allowed: a recipe's name"),
    (["train", "missing.py"], "there is no such file"),
    (["train"], "RECIPE is missing"),
    (["train", "cartpole", "--framework", "mxnet"], "mxnet"),
    (["train", "--env", "Nothing-v0"], "env is 'Nothing-v0'"),
    (["train", "--env", "Pendulum-v1"], "allowed: a Discrete one"),
    (["train", "cartpole", "--no-such-field", "3"], "--no-such-field"),
    (["train", "cartpole", "--batch-size", "-1"], "--batch-size is -1; allowed: above 0"),
    (["train", "cartpole", "--num-envs", "0"], "--num-envs is 0; allowed: above 0"),
    (["train", "cartpole", "--algorithm.n-step", "0"], "--algorithm.n-step is 0; allowed: above 0"),
    (
        ["train", "space-invaders", "--algorithm.replay-on-device", "--algorithm.replay-size", "900000000"],
        "--algorithm.replay-size is 900000000: 6367.5 GB on cpu; allowed: what fits there",
    ),
    (
        ["train", "cartpole", "--algorithm.replay-on-device"],
        "--algorithm.replay-on-device is True; allowed: False, as this game",
    ),
    (["train", "cartpole", "--steps", "0"], "steps is 0"),
    (["train", "cartpole", "--steps", "many"], "--steps"),
    (["train", "cartpole", "--threads", "-2"], "threads is -2"),
    (["train", "cartpole", "--network.0.units", "0"], "units is 0"),
    (["train", "cartpole", "--batch-size", "64", "--algorithm.replay-size", "32"], "at most replay_size (32)"),
    (["train", "cartpole", "--precision", "float16"], "float16"),
    (["train", "cartpole", "--run-name", "../out"], "--run-name is '../out'"),
    (["train", "cartpole", "--run-name", "/tmp/out"], "--run-name is '/tmp/out'"),
    (["train", "cartpole", "--run-name", "."], "--run-name is '.'"),
    (["train", "cartpole", "--runs-dir", "/dev/null/x"], "cannot be written"),
    (["train", "space-invaders", "--env.size", "4"], "conv kernel is 8"),
    (["lockstep", "cartpole", "--frameworks", "torch"], "frameworks is 'torch'; allowed: two or more"),
    (["lockstep", "cartpole", "--steps", "-5"], "steps is -5"),
    (["lockstep", "--control", "cartpole", "--steps", "0"], "steps is 0"),
    (["compare", "cartpole", "--seeds", "0"], "seeds is 0"),
    (["evaluate", "no-such-run"], "no such folder"),
    (["evaluate"], "RUN is missing"),
    (["resume", "no-such-run"], "no such folder"),
    (["resume", "/"], "no run folder"),
    (["train", "--seed", "-1", "cartpole"], "seed is -1"),
    (["train", "LICENSE"], "recipe is 'LICENSE'"),
    (["train", "--env", "..x:Foo-v0"], "cannot be imported"),
    (
        ["train", "space-invaders", "--algorithm.replay-size", "1000000000", "--steps", "1000000000"],
        "--algorithm.replay-size is",
    ),
    (
        ["train", "cartpole-ppo", "--algorithm.rollout-steps", "1000000000000"],
        "--algorithm.rollout-steps is 1000000000000: about",
    ),
    (["lockstep", "cartpole-ppo", "--algorithm.rollout-steps", "1000000000000"], "is 1000000000000: about 1280000 GB"),
    (
        ["lockstep", "cartpole", "--algorithm.replay-size", "100000000000000", "--steps", "100000000000000"],
        "--algorithm.replay-size is",
    ),
    (
        ["train", "cartpole-ppo", "--algorithm.rollout-steps", "1.5"],
        "--algorithm.rollout-steps is '1.5'; allowed: a whole number",
    ),
    (
        ["train", "cartpole-ppo", "--memory", "lstm", "--algorithm.minibatches", "3"],
        "minibatches is 3; allowed: a divisor of 8",
    ),
    (["look", "kung-fu-master", "--env.crop", "0.5", "0.50000001", "0", "1"], "at most 2000 pixels a side"),
    (["train", "cartpole", "--solved-at", "nan"], "--solved-at is nan"),
    (["fly"], "command is 'fly'"),
    (["report", "no-run", "--out", "."], "--out is '.', a folder; allowed: a file in a folder"),
    (
        ["report", "no-run", "--out", "no_folder/x.html"],
        "--out is 'no_folder/x.html', but there is no folder 'no_folder'; allowed: a file in a folder that is there",
    ),
    (["look", "cartpole", "--out", "no_folder/x.png"], "there is no folder 'no_folder'"),
    (["look", "cartpole", "--out", "x.gif"], "--out is 'x.gif'; allowed: a file that ends on .png"),
    (["look", "cartpole", "--out", "."], "--out is '.'; allowed: a file that ends on .png"),
    (
        ["train", "drqn-cartpole", "--algorithm.burn-in", "30"],
        "--algorithm.burn-in is 30; allowed: less than sequence_length (30)",
    ),
    (
        ["train", "drqn-cartpole", "--algorithm.replay-size", "50"],
        "sequence_length is 30; allowed: with n_step at most half",
    ),
    (
        ["train", "drqn-cartpole", "--algorithm.replay-size", "200", "--num-envs", "4"],
        "sequence_length is 30; allowed: at most half of what the replay keeps of each game (25)",
    ),
    (
        ["train", "drqn-cartpole", "--memory", "tape"],
        "memory is 'tape'; allowed: none, stack, rnn, gru, lstm, attention",
    ),
    (["train", "drqn-cartpole", "--network.1.units", "0"], "units is 0; allowed: above 0"),
    (
        ["train", "drqn-cartpole", "--network.lstm-2.units", "9"],
        "flag '--network.lstm-2.units' is not known; did you mean --network.lstm-1.units",
    ),
    (
        ["train", "drqn-cartpole", "--network.lstm-1.units", "many"],
        "--network.lstm-1.units is 'many'; allowed: a whole",
    ),
    (["train", "drqn-cartpole", "--network.lstm_1.forget_bias", "x"], "--network.lstm_1.forget_bias is 'x'; allowed"),
    (["train", "drqn-cartpole", "--network.lstm_1.no-such=9"], "--network.lstm_1.no-such"),
    (["train", "cartpole", "--memory", "lstm"], "memory is 'lstm'; allowed: none with the algorithm dqn"),
    (
        ["train", "drqn-cartpole", "--algorithm.replay-on-device"],
        "--algorithm.replay-on-device is True; allowed: False, as sequences",
    ),
    (["train", "drqn-cartpole", "--env.flicker", "1.5"], "flicker is 1.5; allowed: 0 to 1"),
    (["train", "drqn-cartpole", "--env.observe", "nothing"], "nothing"),
    (
        ["train", "drqn-cartpole", "--memory", "visual_attention"],
        "the input of visual_attention is (64,); allowed: a map",
    ),
    (
        ["train", "cartpole-ppo", "--memory", "neural_map"],
        "the observation has no part `position`; allowed: an environment that says where the agent is",
    ),
    (
        ["train", "cartpole-ppo", "--env", "MountainCar-v0", "--memory", "neural_map"],
        "allowed: an environment that says where the agent is (--env.position NAME)",
    ),
    (
        ["train", "doom-my-way-home", "--memory", "neural_map", "--env.parts", "heading"],
        "allowed: an environment that says where the agent is (--env.parts heading position)",
    ),
    (
        ["train", "maze-neural-map", "--env.render"],
        "allowed: an environment that says where the agent is (--env.no-render)",
    ),
    (
        [
            "train",
            "cartpole-ppo",
            "--env",
            "triptych/Maze-v0",
            "--env.drop",
            "image",
            "heading",
            "--memory",
            "neural_map",
        ],
        "(--env.drop with a part fewer, as a map needs one beside the position)",
    ),
    (
        ["train", "maze-neural-map", "--env.drop", "position"],
        "the observation has no part `position`; allowed: an environment that says where the agent is (--env.drop without position)",
    ),
    (
        ["train", "maze-neural-map", "--network.neural-map-1.size", "1"],
        "size is 1; allowed: 2 or more: a map of one place",
    ),
]


@pytest.mark.parametrize(("arguments", "said"), BAD, ids=[" ".join(arguments) for arguments, _ in BAD])
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call(*arguments) == 2
    captured = capsys.readouterr()
    lines = captured.err.strip().splitlines()
    assert len(lines) == 1, captured.err
    assert said in lines[0]
    assert captured.out == ""
    assert not list(tmp_path.rglob("config.json")), "nothing was begun"


def test_an_existing_run_is_kept(run: Path, capsys: pytest.CaptureFixture) -> None:
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    assert call("train", "cartpole", "--runs-dir", str(run.parent), "--run-name", "run") == 2
    err = capsys.readouterr().err
    assert "triptych resume" in err
    assert "--run-name" in err
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*")} == before


def test_weights_of_another_network(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    tensors, metadata = read_tensors(run / "checkpoints" / "latest.safetensors")
    path = tmp_path / "w.safetensors"
    save_weights(path, tensors | {"dense_2/kernel": np.zeros((128, 5))}, metadata or {})
    assert call("evaluate", str(path), "--framework", "jax") == 2
    assert "dense_2/kernel has shape (128, 5); allowed: (256, 256)" in capsys.readouterr().err
    path.write_bytes(path.read_bytes()[:-9])
    assert call("evaluate", str(path), "--framework", "jax") == 2
    assert "truncated" in capsys.readouterr().err
    save_weights(path, tensors, {"by": "somebody else"})
    assert call("evaluate", str(path), "--framework", "jax") == 2
    assert "not written by triptych" in capsys.readouterr().err


def test_a_long_warm_up_is_one_warning(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    code = call(
        "train",
        "cartpole",
        "--framework",
        "jax",
        "--steps",
        "50",
        "--warm-up",
        "80",
        "--quiet",
        "--runs-dir",
        str(tmp_path),
    )
    err = capsys.readouterr().err
    assert code == 0
    assert err.count("warning") == 1
    assert "ends before the first update" in err


def test_a_missing_framework_names_its_extra(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    find = triptych.frameworks.importlib.util.find_spec  # type: ignore[attr-defined]
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "flax" else find(name))
    assert call("train", "cartpole", "--framework", "jax") == 2
    assert install_hint("jax") in capsys.readouterr().err


def test_two_writers_are_kept_apart(run: Path, capsys: pytest.CaptureFixture) -> None:
    code = (
        "import sys, time; from pathlib import Path; from triptych.runs.folder import RunFolder\n"
        f"with RunFolder(Path({str(run)!r})): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert call("resume", str(run)) == 2
        holder.kill()
    assert "another process" in capsys.readouterr().err


def test_runs_begun_together_get_names_of_their_own(tmp_path: Path) -> None:
    assert [fresh_name("cartpole", tmp_path) for _ in range(3)] == ["cartpole-1", "cartpole-2", "cartpole-3"]
    with pytest.raises(InputError, match=r"run name is '\.\./out-1'"):
        fresh_name("../out", tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        fresh_name("cartpole", tmp_path / "file")


def test_logs_agree_with_the_counts(run: Path) -> None:
    with open(run / "episodes.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    rewards = [float(row["episode_reward"]) for row in rows]
    assert [int(row["episode"]) for row in rows] == list(range(1, len(rows) + 1))
    assert [float(row["running_reward"]) for row in rows] == pytest.approx(
        [np.mean(rewards[max(0, i - 99) : i + 1]) for i in range(len(rows))]
    )
    assert [float(row["max_reward"]) for row in rows] == [
        max(rewards[max(0, i - 99) : i + 1]) for i in range(len(rows))
    ]
    assert all(row["steps"] == row["frames"] for row in rows), "CartPole has one frame a step"
    summary = json.loads((run / "summary.json").read_text())
    assert summary["stopped_by"] == "steps"
    assert summary["steps"] == 400
    assert os.access(run / "checkpoints" / "best.safetensors", os.R_OK)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--evaluate-every", "x"],
            "--evaluate-every is 'x'; allowed: a whole number, or INT {steps,episodes,updates}",
        ),
        (["--env.crop", "a", "b", "c", "d"], "--env.crop is 'a b c d'; allowed: FLOAT FLOAT FLOAT FLOAT"),
    ],
)
def test_values_of_another_kind(arguments: list[str], said: str, capsys: pytest.CaptureFixture) -> None:
    assert call("train", "cartpole", *arguments) == 2
    assert said in capsys.readouterr().err
