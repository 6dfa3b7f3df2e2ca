"""Weights that come back, and what is refused in one line."""

from __future__ import annotations

import errno
import os
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
    def bring(name: str, folder: Path) -> Path:
        assert name == "me/project/r-123:best"
        shutil.copytree(run.path, folder, dirs_exist_ok=True)
        (folder / "evil.py").write_text("raise SystemExit")
        return folder

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
        (
            "wandb:me/project/unknown:best",
            "cannot be reached (Network is unreachable); allowed: logged in (`wandb login`",
        ),
        ("hf:me/unknown", "source is 'hf:me/unknown', and huggingface.co cannot be reached"),
    ],
)
def test_a_source_that_is_not_to_be_had_is_one_line(
    source: str, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable(*_: Any) -> None:
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr("socket.create_connection", unreachable)
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "WANDB_BASE_URL", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    assert told in refused(["fetch", source], capsys)


def test_a_key_of_w_and_b_is_looked_for_at_the_server_that_it_uses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server of one's own has a port, which W&B writes into the netrc file."""
    from triptych.trackers import wandb

    for name in ("WANDB_API_KEY", "WANDB_IDENTITY_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(wandb.Path, "home", lambda: tmp_path)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setattr(wandb, "server", lambda: "http://localhost:8080")
    (tmp_path / "netrc").write_text("machine api.wandb.ai login user password key\n")
    assert not wandb.has_key()
    (tmp_path / "netrc").write_text("machine localhost:8080 login user password key\n")
    assert wandb.has_key()


def test_a_key_for_either_name_of_w_and_b_s_own_server_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from triptych.trackers import wandb

    for name in ("WANDB_API_KEY", "WANDB_IDENTITY_TOKEN_FILE", "WANDB_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(wandb.Path, "home", lambda: tmp_path)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert not wandb.has_key()
    for host in ("api.wandb.ai", wandb.urlparse(wandb.server()).netloc):
        (tmp_path / "netrc").write_text(f"machine {host} login user password key\n")
        assert wandb.has_key()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # MLflow's, of its database library
def test_mlflow_makes_no_database_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")
    assert "source is 'mlflow:abc:best', and there is no database mlflow.db" in refused(
        ["fetch", "mlflow:abc:best"], capsys
    )
    assert list(tmp_path.iterdir()) == []


def test_of_several_weights_files_the_user_says_which(run: HandMade, tmp_path: Path) -> None:
    best = run.path / "checkpoints" / "best.safetensors"
    for name in ("weights-000000050", "weights-000000100"):
        shutil.copyfile(best, best.with_stem(name))
    for name in ("best", "latest"):
        best.with_stem(name).unlink()
    with pytest.raises(InputError, match=r"holds 2 weights files; .* as checkpoints/weights-000000100.safetensors"):
        fetch(str(run.path), runs_dir=tmp_path / "runs")
    fetched = fetch(str(best.with_stem("weights-000000100")), runs_dir=tmp_path / "runs")
    assert fetched.path == tmp_path / "runs/weights-000000100-1/checkpoints/weights-000000100.safetensors"


def test_a_folder_of_runs_is_no_run(run: HandMade, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no weights"):
        fetch(str(run.path.parent), runs_dir=tmp_path / "runs")


def test_a_fetch_that_finds_the_disk_full_leaves_nothing_half(
    run: HandMade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))

    monkeypatch.setattr("triptych.trackers.fetch.shutil.copyfile", full)
    with pytest.raises(SystemExit) as ended:
        main(["fetch", str(run.path), "--runs-dir", str(tmp_path / "runs")])
    assert ended.value.code == 5
    assert "the disk is full" in capsys.readouterr().err
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_folder_that_w_and_b_has_left_is_no_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder_of_a_tool").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert not registry.is_installed("folder_of_a_tool")
    assert registry.is_installed("json")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["train", "cartpole", "--track", "mlflow", "--steps", "100"], "--track"),
        (["tune", "cartpole", "--track", "mlflow"], "--track"),
        (["track", "r", "--to", "mlflow"], "--to"),
        (["fetch", "mlflow:abc:best"], "source"),
    ],
)
def test_a_tracker_that_is_not_installed_is_one_line_with_the_command(
    arguments: list[str], named: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(registry, "is_installed", lambda package: False)
    line = refused(arguments, capsys)
    assert line.startswith(f"triptych: {named} is mlflow, which is not installed: pip install ")
    assert line.endswith('[mlflow]"')


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["track", "nowhere", "--to", "tensorboard"], "nowhere': no such folder"),
        (["track", "nowhere"], "--to is missing; allowed: tensorboard, wandb, trackio, mlflow"),
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


@pytest.mark.parametrize(
    "command",
    [["train", "cartpole"], ["compare", "cartpole"], ["resume", "r"], ["study", "memory"], ["tune", "cartpole"]],
)
def test_track_without_a_name_is_refused(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    line = refused([*command, "--track"], capsys)
    assert line == "triptych: --track has no value; allowed: tensorboard, wandb, trackio, mlflow"


def test_fetched_weights_are_no_run_to_track_or_to_resume(
    run: HandMade, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = fetch(str(run.path), runs_dir=tmp_path).path
    before = sorted(folder.rglob("*"))
    assert "has no episodes.csv and no metrics.csv, so no rows" in refused(
        ["track", str(folder), "--to", "tensorboard"], capsys
    )
    line = refused(["resume", str(folder)], capsys)
    assert line.startswith(f"triptych: {folder} holds weights only; allowed: `triptych train --from {folder}`")
    assert sorted(folder.rglob("*")) == before


def test_fetch_where_w_and_b_is_offline_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    line = refused(["fetch", "wandb:a/b/c:best"], capsys)
    assert "W&B is set to offline (WANDB_MODE, or its settings); allowed: logged in (" in line


def test_an_error_behind_an_error_tells_that_the_network_is_gone() -> None:
    import requests

    from triptych.trackers.reachable import is_of_network

    outer = ValueError("no such artifact")
    assert not is_of_network(outer)
    outer.__cause__ = requests.ConnectionError("nobody answers")
    assert is_of_network(outer)
