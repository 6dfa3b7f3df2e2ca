"""`triptych video`: agents on one seed, each in a process of its own, in one film."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import triptych
from tests.envs.test_videos import frames_of
from triptych import envs
from triptych.cli.main import main
from triptych.envs.panels import GAP, HEAD
from triptych.experiments.film import LINGER
from triptych.experiments.load import Source
from triptych.experiments.tape import Tape
from triptych.experiments.video import default_out, in_rows, names_of, title
from triptych.recipes import Recipe, load_recipe
from triptych.recipes.serialise import to_dict
from triptych.spec.weights import initial_weights
from triptych.utils.files import write_tensors


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(list(arguments))
    return int(stop.value.code or 0)


def untrained(recipe: Recipe, path: Path, seed: int = 0) -> Path:
    """A weights file as a run leaves it."""
    games = envs.make(recipe.env, 1)
    network = recipe.make_network(games.observation, games.num_actions)
    games.close()
    weights = initial_weights(network, np.random.default_rng(seed))
    write_tensors(
        path, {name: array.astype(np.float32) for name, array in weights.items()}, {"recipe": to_dict(recipe)}
    )
    return path


@pytest.fixture(scope="module")
def pole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return untrained(load_recipe("cartpole"), tmp_path_factory.mktemp("weights") / "pole.safetensors")


def test_one_agent_in_two_frameworks_is_filmed_side_by_side(
    pole: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    """The game that `evaluate` plays, in each framework in a process of its own, every step of it and its end."""
    out = tmp_path / "x.mp4"
    assert call("video", str(pole), "--frameworks", "torch,jax", "--seed", "3", "--out", str(out), "--json") == 0
    said = capsys.readouterr()
    assert said.err.strip() == "playing: PyTorch, pole; JAX, pole"
    found = json.loads(said.out.splitlines()[-1])
    score = triptych.evaluate(pole, 1, 3)
    assert [(agent["framework"], agent["score"], agent["steps"], agent["cut"]) for agent in found["agents"]] == [
        (name, score.mean, score.lengths[0], False) for name in ("torch", "jax")
    ]
    pictures, about = frames_of(out)
    assert "h264" in about
    assert len(pictures) == score.lengths[0] + 1 + round(LINGER * 30)
    assert pictures.shape[2] == 2 * 400 + 3 * GAP
    assert pictures.shape[1] % 2 == 0
    left, right = (pictures[3, GAP + HEAD : GAP + HEAD + 267, start : start + 400] for start in (GAP, 400 + 2 * GAP))
    assert np.abs(left.astype(int) - right).mean() < 3, "the same weights take the same actions"


def test_steps_cut_the_film_and_one_agent_is_enough(
    pole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = triptych.video(pole, steps=4)
    assert found.file == "video-pole-seed-0.mp4"
    assert [(agent.steps, agent.cut) for agent in found.agents] == [(4, True)]
    assert len(frames_of(tmp_path / found.file)[0]) == 4 + 1 + round(LINGER * 30)


BAD = [
    ([], "RUN is missing; allowed: run folders, runs' names, or weights files"),
    (["POLE", "--out", "x.avi"], "--out is 'x.avi'; allowed: a file that ends on .mp4"),
    (["POLE", "--out", "no_folder/x.mp4"], "there is no folder 'no_folder'"),
    (["POLE", "--seed", "-1"], "--seed is -1; allowed: 0 or more"),
    (["POLE", "--steps", "0"], "--steps is 0; allowed: above 0"),
    (["POLE", "nobody"], "nobody"),
    (["POLE"] * 13, "agents is 13; allowed: at most 12 in one video"),
    (["CHAIN"], "MemoryChain-v0': it draws no pictures; allowed: an environment with render mode rgb_array"),
    (["POLE", "CHAIN"], "it draws no pictures"),
    (["POLE", "--frameworks", "torhc"], "torch"),
]


@pytest.mark.parametrize(("arguments", "said"), BAD, ids=[" ".join(arguments)[:40] or "none" for arguments, _ in BAD])
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str], said: str, pole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    chain = pole.with_name("chain.safetensors")
    if "CHAIN" in arguments and not chain.exists():
        untrained(load_recipe("memory-chain"), chain)
    meant = {"POLE": str(pole), "CHAIN": str(chain)}
    assert call("video", *(meant.get(word, word) for word in arguments), "--quiet") == 2
    *_, line = capsys.readouterr().err.strip().splitlines()
    assert said in line
    assert not list(tmp_path.iterdir()), "nothing was written"


def test_agents_have_names_that_tell_them_apart(tmp_path: Path) -> None:
    recipe = load_recipe("cartpole")

    def source(file: str, framework: str = "torch") -> Source:
        return Source(tmp_path / file, {}, None, recipe, recipe, framework)

    for run in ("a/pole", "b/pole", "c/jax"):
        (tmp_path / run / "checkpoints").mkdir(parents=True)
        (tmp_path / run / "config.json").write_text("{}")
    found = [
        source("a/pole/checkpoints/best.safetensors"),
        source("b/pole/checkpoints/latest.safetensors"),
        source("c/jax/checkpoints/best.safetensors", "jax"),
        source("mine.safetensors"),
    ]
    names = names_of(found)
    assert names == ["a/pole", "b/pole (latest)", "jax", "mine"]
    assert [title(one, name) for one, name in zip(found, names, strict=True)] == [
        "PyTorch, a/pole",
        "PyTorch, b/pole (latest)",
        "JAX",
        "PyTorch, mine",
    ]
    assert title(source("mine.safetensors", "keras"), "jax") == "Keras, weights of JAX"


def test_many_agents_stand_in_rows() -> None:
    tapes = [Tape(str(place), "torch", load_recipe("cartpole").env, [], 30) for place in range(9)]
    assert [[len(row) for row in in_rows(tapes[:count])] for count in (1, 4, 5, 9)] == [[1], [4], [3, 2], [3, 3, 3]]


def test_filming_a_test_changes_none_of_its_games(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an agent whose actions are drawn; the film is as long as the first game."""
    path = untrained(load_recipe("cartpole-ppo"), tmp_path / "actor.safetensors")
    plain, filmed = triptych.evaluate(path, 3), triptych.evaluate(path, 3, video=True)
    assert filmed.rewards == plain.rewards
    assert filmed.video is not None
    assert len(frames_of(Path(filmed.video))[0]) == filmed.lengths[0] + 1


def test_a_films_name_fits_on_every_disk() -> None:
    """Which takes 255 bytes of a name, some of them for the file that is written first."""
    assert default_out(["a/pole", "b/pole.1", "<b>& (latest)"], 3).name == "video-a-pole-b-pole-1-b-latest-seed-3.mp4"
    assert len(default_out(["日" * 80, "n" * 200], 0).name.encode()) < 120
