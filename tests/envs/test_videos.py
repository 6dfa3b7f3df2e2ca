"""Films and looks: the right pictures, in files that browsers play."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, ClassVar

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from PIL import Image

import triptych
from triptych import envs
from triptych.envs import EnvConfig
from triptych.envs.bars import Decision, tinted
from triptych.envs.panels import BESIDE, GAP, HEAD
from triptych.envs.videos import Film, screen_config
from triptych.recipes import load_recipe
from triptych.report.look import look, observe
from triptych.utils.checks import InputError


def frames_of(path: Path) -> tuple[np.ndarray, str]:
    """A film's pictures [T, H, W, 3] and what ffmpeg says about the file."""
    from imageio_ffmpeg import get_ffmpeg_exe

    command = [get_ffmpeg_exe(), "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    said = done.stderr.decode()
    width, height = (int(x) for x in said.split("yuv420p")[1].split(", ")[1].split(" ")[0].split("x"))
    return np.frombuffer(done.stdout, np.uint8).reshape(-1, height, width, 3), said


@pytest.mark.parametrize(("env_id", "enlarged"), [("CartPole-v1", 400 / 600), ("BreakoutNoFrameskip-v4", 2)])
def test_a_film_shows_the_game_that_is_played(env_id: str, enlarged: float, tmp_path: Path) -> None:
    config, path = EnvConfig(env_id), tmp_path / "videos" / "a.mp4"
    screens = envs.make(screen_config(config), 1)
    seen = [screens.reset(np.array([4]))[0, -1]]
    with Film(config, path, 30) as film:
        film.reset(4)
        for index in range(12):
            film.step(index % 2)
            screens.send(np.array([index % 2]))
            seen.append(screens.recv().obs[0, -1])
        film.stop()
        film.step(0)  # the game has ended: not filmed
        assert not path.exists(), "the file appears whole, when the film ends"
    pictures, said = frames_of(path)
    assert "h264" in said
    assert "30 fps" in said
    assert len(pictures) == len(seen)
    height, width = (round(side * enlarged) for side in seen[0].shape[:2])
    shown = [Image.fromarray(picture).resize((width, height), Image.Resampling.BOX) for picture in seen[:-1]]
    area = slice(GAP + HEAD, GAP + HEAD + height), slice(GAP, GAP + width)
    gaps = [np.abs(a[area].astype(int) - np.asarray(b)).mean() for a, b in zip(pictures, shown, strict=False)]
    assert max(gaps) < 4, "lossy, but the same picture"
    assert list(path.parent.iterdir()) == [path]


def test_a_film_shows_what_the_agent_decides(tmp_path: Path) -> None:
    """A bar as long as the spread of the Q values seen so far: of the first decision full, of one half as sure a half."""
    decisions = iter([Decision([0, 2], 1, False), Decision([1, 2], 1, False), Decision([2, 1], 0, False)])
    with Film(EnvConfig("CartPole-v1"), tmp_path / "a.mp4", 10, "PyTorch", "#d9560b", lambda: next(decisions)) as film:
        film.reset(4)
        for _ in range(3):
            film.step(0)
    pictures, _ = frames_of(tmp_path / "a.mp4")
    assert pictures.shape[2] == 400 + BESIDE + 3 * GAP
    bars = pictures[:, GAP + HEAD :, 2 * GAP + 400 : -GAP].astype(int)
    tint = np.abs(bars - np.array(tinted("#d9560b"))).max(3) < 30
    lengths = [int(shown.any(0).sum()) for shown in tint[:, 30:90]]
    assert lengths[0] > BESIDE - 20
    assert abs(lengths[1] - lengths[0] / 2) < 8
    assert abs(lengths[2] - lengths[0] / 2) < 8
    rows = [int(np.flatnonzero(shown.any(1)).mean()) for shown in tint]
    assert rows[2] < rows[1], "the action taken is the one that is coloured"


def interrupted_film(path: Path) -> None:
    with Film(EnvConfig("CartPole-v1"), path, 30) as film:
        film.reset(1)
        raise KeyboardInterrupt


def test_an_interrupted_film_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupted_film(tmp_path / "a.mp4")
    assert not list(tmp_path.iterdir())


def test_a_dying_encoder_costs_the_film_and_not_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    script = tmp_path / "ffmpeg"
    script.write_text("#!/bin/sh\nexit 1\n")
    script.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(script))
    settings = {"evaluate_every": 200, "evaluate_games": 1, "video_fps": 10}
    run = triptych.train("cartpole", "torch", run_name="r", runs_dir=tmp_path, steps=500, warm_up=100, **settings)
    assert run.stopped_by == "steps"
    assert "the encoder failed" in capsys.readouterr().err
    assert not list((run.path / "videos").iterdir())
    assert triptych.evaluate(run.path, 1, video=True).video is None


def test_training_films_its_tests_and_evaluate_films_on_demand(tmp_path: Path) -> None:
    settings = {
        "evaluate_every": (10, "episodes"),
        "evaluate_games": 2,
        "video_fps": 15,
        "weights_every": (8, "episodes"),
    }
    run = triptych.train("cartpole", "torch", run_name="r", runs_dir=tmp_path, steps=600, warm_up=100, **settings)
    rows = (run.path / "metrics.csv").read_text().splitlines()
    updates = [int(row.split(",")[1]) for row in rows[1:] if row.split(",")[8]]
    assert len(updates) >= 2
    assert sorted(path.name for path in (run.path / "videos").iterdir()) == [f"update-{n:09d}.mp4" for n in updates]
    kept = [path.stem for path in (run.path / "checkpoints").glob("weights-*.safetensors")]
    assert len(kept) >= run.episodes // 8
    score = triptych.evaluate(run.path, 2, video=True)
    assert score.video is not None
    pictures, _ = frames_of(Path(score.video))
    assert len(pictures) == score.lengths[0] + 1, "every step of the first game, and its start"
    assert Path(score.video).name.startswith("update-")


class Blind(gymnasium.Env):
    """An environment that cannot be drawn."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}
    observation_space, action_space = spaces.Box(0, 1, (2,), np.float32), spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        return np.zeros(2, np.float32), {}


gymnasium.register("Blind-v0", Blind)


def test_a_game_without_a_screen_is_refused_before_training(tmp_path: Path) -> None:
    settings = {"env": "Blind-v0", "video_fps": 10, "evaluate_every": 100}
    with pytest.raises(
        InputError, match=r"Blind-v0': it draws no pictures; allowed: an environment with render mode rgb_array$"
    ):
        triptych.train("cartpole", run_name="r", runs_dir=tmp_path, steps=200, **settings)
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(("recipe", "pictures"), [("cartpole", 2), ("cartpole-pixels", 4), ("breakout", 5)])
def test_look_draws_every_frame_of_the_stack(recipe: str, pictures: int, tmp_path: Path) -> None:
    rows, captions = observe(load_recipe(recipe), 2, 0)
    assert len(captions) == pictures
    assert [len(row) for row in rows] == [pictures] * 2
    (tmp_path / "deep").mkdir()
    path = look(load_recipe(recipe), tmp_path / "deep" / "look.png", 2, title="a look")
    with Image.open(path) as sheet:
        assert sheet.format == "PNG"
        colours = np.unique(np.asarray(sheet).reshape(-1, 3), axis=0)
        assert len(colours) > 5


def test_look_shows_what_the_network_gets() -> None:
    recipe = load_recipe("cartpole-pixels")
    (_, row), _ = observe(recipe, 2, 0)
    older, newer, difference = row[1:]
    change = newer.astype(int) - older
    assert np.array_equal(difference > 127, change > 0), "brighter where something came"
    assert np.array_equal(difference < 127, change < 0)
    assert np.abs(change).max() == np.abs(change[np.abs(difference.astype(int) - 127) >= 126]).max(), (
        "the largest is full"
    )
    assert change.any()
