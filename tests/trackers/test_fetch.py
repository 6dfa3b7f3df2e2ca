"""Weights that come back, and what is refused in one line."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import triptych
from tests.trackers.runs import HandMade
from triptych.cli.main import main
from triptych.trackers import fetch as fetching
from triptych.trackers import registry
from triptych.trackers.fetch import fetch
from triptych.utils.checks import InputError


@pytest.fixture
def run(tmp_path: Path) -> HandMade:
    return HandMade(tmp_path / "made" / "r").play(100).save()


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_a_folder_s_weights_are_fetched_and_evaluate_plays_them(run: HandMade, tmp_path: Path) -> None:
    fetched = fetch(str(run.path), runs_dir=tmp_path)
    assert (fetched.path, fetched.weights) == (tmp_path / "r-1", ["best", "latest"])
    assert not (fetched.path / "episodes.csv").exists()
    score = triptych.evaluate(fetched.path, games=2, framework="torch")
    assert score.games == 2


def test_what_a_tool_brings_is_made_a_folder_and_nothing_else_of_it_is_kept(
    run: HandMade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bring(name: str, folder: Path) -> None:
        assert name == "me/project/r-123:best"
        shutil.copytree(run.path, folder, dirs_exist_ok=True)
        (folder / "evil.py").write_text("raise SystemExit")

    monkeypatch.setitem(fetching.FETCHERS, "wandb", bring)
    fetched = fetch("wandb:me/project/r-123:best", runs_dir=tmp_path)
    assert fetched.path == tmp_path / "r-123-best-1"
    assert {path.name for path in fetched.path.rglob("*") if path.is_file()} == {
        "best.safetensors", "latest.safetensors", "config.json",
    }  # fmt: skip


@pytest.mark.parametrize("content", [b"no weights", None])
def test_weights_that_are_none_are_refused_and_nothing_is_kept(
    content: bytes | None, run: HandMade, tmp_path: Path
) -> None:
    for file in (run.path / "checkpoints").glob("*.safetensors"):
        if content is None:
            save_file({"a": np.zeros(3)}, file)
        else:
            file.write_bytes(content)
    with pytest.raises(InputError, match=r"no safetensors file|was not written by triptych"):
        fetch(str(run.path), runs_dir=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("gdrive:x", "source is 'gdrive:x'; allowed: wandb:ENTITY/PROJECT/NAME:best"),
        ("wandb:", "source is 'wandb:'; allowed"),
        ("wandb:name:best", "source is 'wandb:name:best'; allowed: wandb:ENTITY/PROJECT/NAME:best"),
        ("wandb:me/project/unknown:best", "cannot be reached"),
        ("hf:me/unknown", "cannot be reached"),
    ],
)
def test_a_source_that_is_not_to_be_had_is_one_line(
    source: str, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable(*_: Any) -> None:
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr("socket.create_connection", unreachable)
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert told in refused(["fetch", source], capsys)


def test_a_tracker_that_is_not_installed_is_one_line_with_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(registry.importlib.util, "find_spec", lambda name: None)
    line = refused(["train", "cartpole", "--track", "trackio", "--steps", "100"], capsys)
    assert line.startswith("triptych: --track is trackio, which is not installed: pip install ")
    assert line.endswith('[trackio]"')


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["track", "nowhere", "--to", "tensorboard"], "nowhere': no such folder"),
        (["track", "nowhere"], "to is ''; allowed: tensorboard, wandb, trackio, mlflow"),
        (["track"], "RUN is missing"),
        (["fetch"], "SOURCE is missing"),
        (["track", "r", "--to", "neptune"], "neptune"),
    ],
)
def test_what_cannot_be_tracked_is_one_line(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told in refused(arguments, capsys)


def test_track_prints_what_each_tracker_holds(run: HandMade, capsys: pytest.CaptureFixture[str]) -> None:
    for new in ("12", "0"):
        with pytest.raises(SystemExit) as ended:
            main(["track", str(run.path), "--to", "tensorboard"])
        assert ended.value.code == 0
        told = capsys.readouterr().out
        assert told.startswith(f"tensorboard: 12 rows, {new} of them new; tensorboard --logdir ")
