"""Films at the end of `train` and `compare`: the right games, labelled, beside the run and never in its way."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import signal
from pathlib import Path
from typing import Any, ClassVar

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

import triptych
from tests.envs.test_videos import frames_of
from triptych import envs
from triptych.cli.main import run
from triptych.envs import EnvConfig
from triptych.envs.bars import Decision
from triptych.envs.panels import BESIDE, GAP, HEAD
from triptych.envs.videos import Screening
from triptych.experiments import film as films
from triptych.experiments.film import LINGER, film, film_run, film_side_by_side
from triptych.experiments.tape import SEED, Tape, read, write
from triptych.frameworks import FRAMEWORKS
from triptych.recipes import load_recipe
from triptych.recipes.override import override
from triptych.report.page import report
from triptych.runs.folder import RunFolder
from triptych.utils.checks import InputError

SMALL: dict[str, Any] = {"steps": 600, "warm_up": 100, "threads": 1, "evaluate_every": 0, "best_window": 3}
LEFT, BOTH = [0] * 30, [0, 1] * 200
STILL = round(LINGER * 30)  # the pictures at the end


@pytest.fixture(autouse=True)
def films_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(films.OFF)  # which tests/conftest.py sets


def lived(actions: list[int]) -> list[int]:
    """As many of the actions as CartPole bears from the seed of every film."""
    screening, played = Screening(EnvConfig("CartPole-v1")), 0
    screening.reset(SEED)
    while screening.running:
        screening.step(actions[played])
        played += 1
    screening.close()
    return actions[:played]


def colour(name: str) -> np.ndarray:
    return np.array([int(FRAMEWORKS[name].colour[at : at + 2], 16) for at in (1, 3, 5)])


def test_three_games_are_filmed_side_by_side(tmp_path: Path) -> None:
    """Every step of the longest game, each panel under the bar of its framework; who is over stays, faded."""
    config = EnvConfig("CartPole-v1")
    played = {"torch": lived(LEFT), "jax": lived(BOTH), "keras": lived(LEFT)}
    assert len(played["torch"]) < len(played["jax"])
    tapes = [Tape(FRAMEWORKS[name].title, name, config, actions, 30) for name, actions in played.items()]
    path = film_side_by_side([tapes], tmp_path / "side.mp4", tmp_path)
    assert path is not None
    pictures, said = frames_of(path)
    assert "30 fps" in said
    assert len(pictures) == len(played["jax"]) + 1 + STILL
    assert pictures.shape[1:] == (2 * GAP + HEAD + 267 + 1, 3 * 400 + 4 * GAP, 3), "600 x 400 made 400 wide; even sides"
    for index, name in enumerate(played):
        bar = pictures[0][GAP + 12 : GAP + 30, GAP + index * (400 + GAP) + 2 : GAP + index * (400 + GAP) + 5]
        assert np.abs(bar.mean((0, 1)) - colour(name)).max() < 25, name
    last, panel = pictures[-1].astype(int), slice(GAP + HEAD, GAP + HEAD + 267)
    assert last[panel, GAP : GAP + 400].min() > 90, "over: faded"
    first = pictures[0].astype(int)
    assert first[panel, GAP : GAP + 400].min() < 60, "a black cart"


@pytest.mark.parametrize("name", list(FRAMEWORKS))
def test_train_films_a_game_of_its_best_weights(name: str, tmp_path: Path) -> None:
    """The game that `play_games` has with these weights and the seed of every film, to its end."""
    result = triptych.train("cartpole", name, run_name="r", runs_dir=tmp_path, **SMALL)
    path = result.path / "videos" / "best.mp4"
    tape = films.record(result.path, override(load_recipe("cartpole"), SMALL), name)
    agent = triptych.load_agent(result.path, framework=name)
    games = envs.make(EnvConfig("CartPole-v1"), 1)
    obs, steps, over = games.reset(np.array([SEED])), 0, False
    while not over:
        games.send(agent.predict(obs)[0])
        step = games.recv()
        obs, steps, over = step.obs, steps + 1, bool(step.terminated[0] or step.truncated[0])
    games.close()
    assert len(tape.actions) == len(tape.decisions) == steps
    assert [int(np.argmax(decision.numbers)) for decision in tape.decisions] == tape.actions, "greedy"
    pictures, _ = frames_of(path)
    assert pictures.shape == (steps + 1 + STILL, 2 * GAP + HEAD + 267 + 1, 400 + BESIDE + 3 * GAP, 3)
    assert [one.name for one in path.parent.iterdir()] == ["best.mp4"]
    assert path.stat().st_size < 500_000


def numbers(run: Path) -> dict[str, Any]:
    """What a run came to, but times: its logs without their seconds, its weights."""
    found: dict[str, Any] = {}
    for name in ("episodes.csv", "metrics.csv"):
        rows = [line.split(",") for line in (run / name).read_text().splitlines()]
        timed = {at for at, column in enumerate(rows[0]) if "second" in column}
        found[name] = [[value for at, value in enumerate(row) if at not in timed] for row in rows]
    for name in ("best", "latest"):
        found[name] = (run / "checkpoints" / f"{name}.safetensors").read_bytes()
    return found


@pytest.mark.parametrize("recipe", ["cartpole", "cartpole-ppo"])
def test_a_film_changes_no_number(recipe: str, tmp_path: Path) -> None:
    """Nor those of the next run of the same process."""
    settings = {"steps": 1_200, "threads": 1, "best_window": 3, "log_every": 100} | (
        {"warm_up": 100} if recipe == "cartpole" else {}
    )
    runs = [
        triptych.train(recipe, "torch", run_name=str(number), runs_dir=tmp_path, video=video, **settings)
        for number, video in enumerate((False, True, False))
    ]
    assert [(one.path / "videos").exists() for one in runs] == [False, True, False]
    first, *others = (numbers(one.path) for one in runs)
    assert all(other == first for other in others)


def test_the_command_says_where_the_film_is(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    flags = ["--steps", "300", "--warm-up", "100", "--runs-dir", str(tmp_path), "--run-name", "r", "--quiet", "--json"]
    assert run(["train", "cartpole", *flags]) == 0
    *lines, answer = capsys.readouterr().out.splitlines()
    video = str(tmp_path / "r" / "videos" / "latest.mp4")  # the run is too short for best weights
    assert f"video {video}" in lines
    assert json.loads(answer)["video"] == video


def test_a_run_that_is_resumed_is_filmed_at_its_end(tmp_path: Path) -> None:
    class Stopper:
        def step(self, run: Any, tick: Any) -> None:
            if run.counters.steps == 400 and not self.has_stopped:
                self.has_stopped = True
                os.kill(os.getpid(), signal.SIGINT)

        has_stopped = False

    stopped = triptych.train("cartpole", "torch", run_name="r", runs_dir=tmp_path, callbacks=[Stopper()], **SMALL)
    assert stopped.stopped_by == "interrupted"
    assert not (stopped.path / "videos").exists(), "it is to go on first"
    ended = triptych.resume(stopped.path)
    assert ended.stopped_by == "steps"
    assert (ended.path / "videos" / "best.mp4").is_file()


def test_a_film_of_the_latest_weights_gives_way_to_one_of_the_best(tmp_path: Path) -> None:
    short = SMALL | {"steps": 120}
    run = triptych.train("cartpole", "torch", run_name="r", runs_dir=tmp_path, **short)
    assert [path.name for path in (run.path / "videos").iterdir()] == ["latest.mp4"]
    triptych.resume(run.path, steps=SMALL["steps"])
    assert [path.name for path in (run.path / "videos").iterdir()] == ["best.mp4"]


def test_a_run_is_filmed_under_its_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that nobody goes on with it, or begins another one there, while its film is written."""
    found = []

    def somebody_else_comes(folder: Path, *given: Any) -> None:
        with pytest.raises(InputError, match="is being written by another process"):
            RunFolder(folder)
        found.append(folder)

    monkeypatch.setattr("triptych.experiments.train.film_run", somebody_else_comes)
    settings = SMALL | {"steps": 200}
    triptych.train("cartpole", runs_dir=tmp_path, run_name="r", **settings)
    triptych.resume(tmp_path / "r", steps=300)
    assert found == [tmp_path / "r"] * 2


def test_no_video_makes_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flags = ["--steps", "300", "--warm-up", "100", "--runs-dir", str(tmp_path), "--quiet"]
    assert run(["train", "cartpole", "--run-name", "flag", "--no-video", *flags]) == 0
    monkeypatch.setenv(films.OFF, "1")
    assert run(["train", "cartpole", "--run-name", "variable", *flags]) == 0
    assert not list(tmp_path.rglob("*.mp4"))


def test_a_failing_encoder_is_one_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    script = tmp_path / "ffmpeg"
    script.write_text("#!/bin/sh\nexit 1\n")
    script.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(script))
    flags = ["--steps", "300", "--warm-up", "100", "--runs-dir", str(tmp_path), "--run-name", "r"]
    assert run(["train", "cartpole", *flags]) == 0
    said = capsys.readouterr()
    assert said.err.count("no video") == 1
    assert "the encoder failed" in said.err
    assert "mp4" not in said.out
    assert not list(tmp_path.rglob("*.mp4"))
    assert json.loads((tmp_path / "r" / "summary.json").read_text())["stopped_by"] == "steps"


def test_a_missing_encoder_is_one_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "imageio_ffmpeg" else find(name))
    triptych.train("cartpole", "torch", run_name="r", runs_dir=tmp_path, quiet=False, **SMALL)
    assert capsys.readouterr().err.count("no video: videos need imageio-ffmpeg, which is not installed: pip") == 1


class Undrawn(gymnasium.Env):
    """A game that never was made to be drawn: it says that it draws, and fails there."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"]}
    observation_space, action_space = spaces.Box(0, 1, (2,), np.float32), spaces.Discrete(2)

    def __init__(self, render_mode: str | None = None):
        self.render_mode = render_mode

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        return np.zeros(2, np.float32), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict]:
        return np.zeros(2, np.float32), 1.0, bool(self.np_random.random() < 0.2), False, {}

    def render(self) -> Any:
        raise RuntimeError("no window")


class Blind(Undrawn):
    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}


gymnasium.register("Undrawn-v0", Undrawn)
gymnasium.register("BlindToo-v0", Blind)


@pytest.mark.parametrize(("game", "most"), [("Undrawn-v0", 1), ("BlindToo-v0", 0)])
def test_a_game_that_cannot_be_drawn_has_no_film(
    game: str, most: int, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    result = triptych.train("cartpole", "torch", env=game, run_name="r", runs_dir=tmp_path, **SMALL)
    assert result.stopped_by == "steps"
    assert capsys.readouterr().err.count("no video") <= most
    assert not list(tmp_path.rglob("*.mp4"))


def test_ctrl_c_in_the_film_leaves_the_run_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def interrupted(*given: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(films, "sheet", interrupted)
    result = triptych.train("cartpole", "torch", run_name="r", runs_dir=tmp_path, **SMALL)
    assert result.stopped_by == "steps"
    assert "no video: interrupted; the run is whole" in capsys.readouterr().err
    assert not list((result.path / "videos").iterdir())


def test_a_long_game_is_filmed_for_a_minute_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(films, "SECONDS", 1)
    recipe = override(load_recipe("cartpole"), SMALL | {"env.time_limit": 0, "video_fps": 5})
    result = triptych.train(recipe, "torch", run_name="r", runs_dir=tmp_path, video=False)
    tape = film_run(result.path, recipe, "torch")
    assert tape is not None
    assert len(tape.actions) == 5
    pictures, _ = frames_of(result.path / "videos" / "best.mp4")
    assert len(pictures) == 6 + round(LINGER * 5)
    assert pictures[-1][GAP + HEAD :].min() < 60, "not over, so not faded"


@pytest.mark.usefixtures("forked")
def test_compare_films_the_frameworks_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """In their own processes; the film lies beside the runs, and the answer names it."""
    flags = ["--steps", "400", "--warm-up", "100", "--threads", "1", "--games", "2", "--runs-dir", str(tmp_path)]
    names = ["--frameworks", "torch", "jax"]
    assert run(["compare", "cartpole", *names, "--run-name", "c", "--json", "--quiet", *flags]) == 0
    out = capsys.readouterr().out
    video = Path(json.loads(out.splitlines()[-1])["video"])
    assert video == tmp_path / "c-side-by-side.mp4"
    assert f"video {video}" in out
    pictures, _ = frames_of(video)
    assert pictures.shape[2] == 2 * 400 + 3 * GAP
    assert len(list(tmp_path.glob("c-*/videos/best.mp4"))) == 2
    [copy] = tmp_path.glob("c-*/videos/side-by-side.mp4")
    assert copy.read_bytes() == video.read_bytes(), "where a page of the runs looks"
    assert copy.parents[1].name.startswith("c-torch")


def test_decisions_are_written_and_read() -> None:
    actions, values = [1, 0], [None, 2.0]
    for is_policy, value in zip((False, True), values, strict=True):
        decisions = tuple(Decision([0.25, 1.0 / 3], action, is_policy, value) for action in actions)
        found = read(json.loads(json.dumps(write(decisions))), actions)
        assert [(one.action, one.is_policy, one.value) for one in found] == [
            (1, is_policy, value),
            (0, is_policy, value),
        ]
        assert found[0].numbers == [0.25, 0.33333]
    assert write(()) is None
    assert write((Decision([float("nan")], 0, False),)) is None, "nobody could draw it"
    assert read(None, actions) == (), "tapes of earlier versions hold none"
    assert read({"numbers": [[1.0, 2.0]], "is_policy": False}, actions) == (), "too few"


def test_a_tape_is_played_again_as_it_was(tmp_path: Path) -> None:
    """Atari: the emulator's own chance, sticky actions, has the same seed."""
    config = dataclasses.replace(load_recipe("space-invaders-tuned").env, sticky=0.25)  # type: ignore[call-arg]
    actions = list(np.random.default_rng(0).integers(4, size=60))
    scores = []
    for _ in range(2):
        screening = Screening(config)
        screening.reset(SEED)
        pictures = [screening.step(int(action)) for action in actions]
        scores.append((screening.reward, pictures[-1].tobytes()))
        screening.close()
    assert scores[0] == scores[1]
    path = film([[Tape("one", "torch", config, [int(a) for a in actions], 30)]], tmp_path / "a.mp4")
    assert path is not None
    assert len(frames_of(path)[0]) == 61 + STILL


def test_a_neural_maps_run_shows_its_map_on_the_page(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"num_envs": 4, "steps": 800, "evaluate_every": 0, "env.time_limit": 40, "threads": 1}
    path = triptych.train("maze-neural-map", runs_dir=tmp_path, run_name="map", **settings).path
    assert sorted(file.name for file in (path / "videos").iterdir()) == ["latest.mp4", "map.mp4"]
    pictures, _ = frames_of(path / "videos" / "map.mp4")
    assert len(pictures) > 5, "a picture a step"
    assert (pictures[0] != pictures[-1]).any()
    page = report([str(path)], out=tmp_path / "page.html").read_text()
    assert "the agent&#39;s map, and where it looks on it" in page
