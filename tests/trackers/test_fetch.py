"""Weights that come back, and what is refused in one line."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

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


class Hub(BaseHTTPRequestHandler):
    """As much of the Hugging Face Hub as a repository of one run needs."""

    files: ClassVar[dict[str, bytes]] = {}

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path.startswith(f"/api/models/me/pole/tree/{'a' * 40}"):
            listed = [
                {"type": "file", "path": name, "size": len(self.files[name]), "oid": "b" * 40} for name in self.files
            ]
            return self.answer(json.dumps(listed).encode(), "application/json")
        if self.path.startswith("/api/models/me/pole"):
            told = {"id": "me/pole", "sha": "a" * 40, "siblings": [{"rfilename": name} for name in self.files]}
            return self.answer(json.dumps(told).encode(), "application/json")
        _, _, name = self.path.partition(f"/me/pole/resolve/{'a' * 40}/")
        name = name or self.path.partition("/me/pole/resolve/main/")[2]
        if name in self.files:
            return self.answer(self.files[name], "application/octet-stream")
        self.send_response(404)
        self.send_header("X-Error-Code", "RepoNotFound" if "me/pole" not in self.path else "EntryNotFound")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET

    def answer(self, content: bytes, kind: str) -> None:
        self.send_response(200)
        for key, value in (("Content-Type", kind), ("Content-Length", str(len(content))), ("X-Repo-Commit", "a" * 40)):
            self.send_header(key, value)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)


@pytest.fixture
def hub(run: HandMade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Hub on this machine, where huggingface_hub finds it."""
    from huggingface_hub import constants

    names = ("config.json", "checkpoints/best.safetensors")
    monkeypatch.setattr(Hub, "files", {name: (run.path / name).read_bytes() for name in names} | {"evil.py": b"1/0"})
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", address)
    for name, value in (
        ("ENDPOINT", address),
        ("HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}"),
    ):
        monkeypatch.setattr(constants, name, value)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    yield
    server.shutdown()
    server.server_close()


def test_a_repository_of_the_hub_is_fetched_whole_or_by_its_file(run: HandMade, hub: None, tmp_path: Path) -> None:
    whole = fetch("hf:me/pole", runs_dir=tmp_path)
    assert (whole.path, whole.weights) == (tmp_path / "pole-1", ["best"])
    assert (whole.path / "config.json").is_file()
    alone = fetch("hf:me/pole:checkpoints/best.safetensors", runs_dir=tmp_path, run_name="alone")
    assert alone.path == tmp_path / "alone" / "checkpoints" / "best.safetensors"
    assert alone.path.read_bytes() == (run.path / "checkpoints" / "best.safetensors").read_bytes()


def test_a_repository_that_there_is_not_is_one_line(hub: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert "source is 'hf:me/unknown', which is not to be had (RepositoryNotFoundError" in refused(
        ["fetch", "hf:me/unknown"], capsys
    )


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
        ("wandb:me/project/unknown:best", "api.wandb.ai cannot be reached (Network is unreachable)"),
        ("hf:me/unknown", "source is 'hf:me/unknown', and huggingface.co cannot be reached"),
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
