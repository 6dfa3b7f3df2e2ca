"""Reading and going on with a run writes inside its folder alone: no name leads out of it, no link is followed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import triptych
from triptych.report.page import report
from triptych.runs.checkpoints import Checkpoints
from triptych.runs.folder import RunFolder
from triptych.utils.checks import InputError
from triptych.utils.files import TEMPORARY, write_json, write_tensors

QUICK: dict[str, Any] = {"warm_up": 100, "threads": 1, "evaluate_every": 0, "checkpoint_every": 100, "log_every": 50}


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose newest checkpoint lies in its middle."""
    folder = tmp_path_factory.mktemp("runs")
    run = triptych.train("cartpole", "jax", run_name="r", runs_dir=folder, steps=300, **QUICK).path
    shutil.rmtree(run / "checkpoints" / "boundary-000000300")
    return run


@pytest.fixture
def run(stopped: Path, tmp_path: Path) -> Path:
    shutil.copytree(stopped, tmp_path / "r")
    return tmp_path / "r"


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """Somebody's folder with a file beside the run."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "file").write_text("precious")
    return tmp_path / "home"


def state_of(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rewrite(run: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Changes the newest checkpoint's manifest, under a right hash."""
    newest = sorted((run / "checkpoints").glob("boundary-*"))[-1]
    manifest = json.loads((newest / "boundary.json").read_text())
    change(manifest)
    text = json.dumps(manifest)
    (newest / "boundary.json").write_text(text)
    (newest / "boundary.sha256").write_text(hashlib.sha256(text.encode()).hexdigest() + "\n")


@pytest.mark.parametrize("field", ["logs", "files", "segments"])
@pytest.mark.parametrize("name", ["../home/file", "{home}/file", "..", "", "a\\b", "c:file", "config.json/../../x"])
def test_a_name_that_leads_out_is_refused(field: str, name: str, run: Path, victim: Path) -> None:
    name = name.format(home=victim)

    def change(manifest: dict[str, Any]) -> None:
        if field == "segments":
            manifest["segments"][0]["file"] = name
        else:
            manifest[field][name] = 0 if field == "logs" else "0" * 64

    rewrite(run, change)
    before = state_of(run), state_of(victim)
    with pytest.raises(
        InputError, match=r"boundary.json names .*; allowed: names of files inside the run's folder"
    ) as said:
        triptych.resume(run)
    assert "\n" not in str(said.value)
    assert (state_of(run), state_of(victim)) == before


def test_only_logs_are_cut(run: Path) -> None:
    rewrite(run, lambda manifest: manifest["logs"].update({"config.json": 0}))
    with pytest.raises(InputError, match=r"names the log 'config.json'; allowed: episodes.csv, metrics.csv"):
        triptych.resume(run)
    assert (run / "config.json").stat().st_size


PARTS = [
    "checkpoints",
    "checkpoints/store",
    "evaluations",
    "videos",
    "episodes.csv",
    "metrics.csv",
    "alarms.csv",
    "resumes.csv",
    ".lock",
]


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_a_link_is_refused(part: str, run: Path, victim: Path) -> None:
    path, target = run / part, victim / "part"
    if path.exists():
        path.rename(target)
    elif path.suffix:
        target.write_text("")
    else:
        target.mkdir()
    path.symlink_to(target)
    before = state_of(run), state_of(victim)
    with pytest.raises(InputError, match=r"is a link; allowed: a run folder that holds its own files"):
        triptych.resume(run)
    with pytest.raises(InputError, match=r"is a link"):
        triptych.evaluate(run, 1)
    assert (state_of(run), state_of(victim)) == before


def test_a_log_that_becomes_a_link_is_not_written(tmp_path: Path, victim: Path) -> None:
    with RunFolder(tmp_path / "new") as folder:
        (folder.path / "episodes.csv").symlink_to(victim / "file")
        with pytest.raises(InputError, match=r"episodes.csv is a link"):
            folder.append("episodes.csv", {"a": 1}, ("a",))
        with pytest.raises(InputError, match=r"episodes.csv is a link"):
            folder.cut_logs({"episodes.csv": 0})
    assert (victim / "file").read_text() == "precious"


def test_links_planted_for_temporary_files_are_not_written_through(run: Path, victim: Path) -> None:
    """Under every name that a file may be written by first, and a link for each file itself."""
    test = run / "evaluations" / "latest-epsilon-0-games-2-seed-0-jax.json"
    test.parent.mkdir(exist_ok=True)
    places = [run / "report.html", run / "summary.json", test]
    places += [run / "checkpoints" / "latest.safetensors", run / "checkpoints" / "boundary-000000300"]
    for place in places:
        place.with_name(place.name + TEMPORARY).symlink_to(victim / "file")
    (run / "summary.json").unlink()
    for place in (run / "report.html", run / "summary.json"):
        place.symlink_to(victim / "absent")
    before = state_of(victim)
    report([str(run)], runs_dir=run.parent)
    triptych.evaluate(run, 2, weights="latest")
    assert state_of(victim) == before
    assert triptych.resume(run).steps == 300
    assert state_of(victim) == before
    assert test.is_file()
    for place in (run / "report.html", run / "summary.json"):
        assert place.is_file()
        assert not place.is_symlink()
    assert not list(run.rglob(f"*{TEMPORARY}")), "a resume clears what looks like a leftover"


def test_a_checkpoint_that_is_a_link_is_none(run: Path, victim: Path) -> None:
    shutil.copytree(run / "checkpoints" / "boundary-000000200", victim / "boundary")
    (run / "checkpoints" / "boundary-000000300").symlink_to(victim / "boundary")
    before = state_of(victim)
    with RunFolder(run) as folder:
        found = Checkpoints(folder, triptych.load_recipe("cartpole"), 1).boundaries()
    assert [path.name for path in found] == ["boundary-000000200"]
    assert triptych.resume(run).steps == 300
    assert state_of(victim) == before
    assert (run / "checkpoints" / "boundary-000000300").is_dir()
    assert not (run / "checkpoints" / "boundary-000000300").is_symlink()


def test_files_are_made_where_only_their_owner_may_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, str]] = []
    replace = os.replace

    def watched(source: Path, target: Path) -> None:
        seen.append((source.parent.stat().st_mode & 0o777, source.parent.name))
        replace(source, target)

    monkeypatch.setattr(os, "replace", watched)
    write_json(tmp_path / "a.json", {})
    write_tensors(tmp_path / "a.safetensors", {})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "a.safetensors"]
    assert len({name for _, name in seen}) == 2
    assert all(name.endswith(TEMPORARY) and mode == 0o700 for mode, name in seen)


def test_a_log_of_an_older_version_keeps_its_columns_and_a_damaged_header_does_not(tmp_path: Path) -> None:
    wanted = ("steps", "loss", "evaluation_length", "seconds")
    with RunFolder(tmp_path / "r") as folder:
        assert folder.columns("metrics.csv", wanted) == wanted
        for header, columns in (
            ("steps,loss,seconds\n", ("steps", "loss", "seconds")),
            ("steps,lo", wanted),
            ("\xff,x\n", wanted),
        ):
            (tmp_path / "r" / "metrics.csv").write_bytes(header.encode("latin-1"))
            assert folder.columns("metrics.csv", wanted) == columns
