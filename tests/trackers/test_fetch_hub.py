"""Weights from a Hugging Face Hub, of which as much stands here as a repository of one run needs."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from tests.trackers.runs import HandMade
from triptych.trackers.fetch import fetch
from triptych.utils.checks import InputError


@pytest.fixture
def run(tmp_path: Path) -> HandMade:
    return HandMade(tmp_path / "made" / "r").play(100).save()


class Hub(BaseHTTPRequestHandler):
    """As much of the Hugging Face Hub as a repository of one run needs."""

    files: ClassVar[dict[str, bytes]] = {}
    asked: ClassVar[set[str]] = set()

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
            self.asked.add(name)
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
    unwanted = ("evil.py", "checkpoints/store/rows-1.safetensors", "checkpoints/weights-1.safetensors")
    files = {name: (run.path / name).read_bytes() for name in names} | dict.fromkeys(unwanted, b"1/0")
    monkeypatch.setattr(Hub, "files", files)
    monkeypatch.setattr(Hub, "asked", set())
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
    assert Hub.asked == {
        "config.json",
        "checkpoints/best.safetensors",
    }  # and neither the run's replay nor its older weights
    alone = fetch("hf:me/pole:checkpoints/best.safetensors", runs_dir=tmp_path, run_name="alone")
    assert alone.path == tmp_path / "alone" / "checkpoints" / "best.safetensors"
    assert alone.path.read_bytes() == (run.path / "checkpoints" / "best.safetensors").read_bytes()


def test_a_repository_that_there_is_not_is_one_line(hub: None, tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"source is 'hf:me/unknown', which is not to be had \(RepositoryNotFoundError"
    ):
        fetch("hf:me/unknown", runs_dir=tmp_path)
