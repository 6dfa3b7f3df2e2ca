"""The lock of a run folder: one writer at a time, also while a folder of which nothing came is removed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from triptych.runs import folder as folders
from triptych.runs.folder import RunFolder
from triptych.utils.checks import InputError


def test_an_empty_folder_is_removed_under_its_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, refused = tmp_path / "r", []
    remove = folders.remove

    def another_comes(path: Path) -> None:
        with pytest.raises(InputError, match="is being written by another process"):
            RunFolder(run)
        refused.append(path.name)
        remove(path)

    monkeypatch.setattr(folders, "remove", another_comes)
    (run / "checkpoints" / "store").mkdir(parents=True)
    with pytest.raises(ZeroDivisionError), RunFolder(run):
        raise ZeroDivisionError
    assert "checkpoints" in refused
    assert not run.exists()


def test_a_folder_that_another_process_has_begun_meanwhile_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes between the removal of the lock's file and that of the folder."""
    run, others = tmp_path / "r", []
    rmdir = Path.rmdir

    def another_came(path: Path) -> None:
        if path == run:
            others.append(RunFolder(run))
        rmdir(path)

    monkeypatch.setattr(Path, "rmdir", another_came)
    with pytest.raises(ZeroDivisionError), RunFolder(run):
        raise ZeroDivisionError
    assert (run / ".lock").is_file()
    with pytest.raises(InputError, match="is being written by another process"):
        RunFolder(run)
    others[0].lock.close()


def test_a_lock_on_a_folder_that_was_removed_meanwhile_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process before removes the folder between the moment that its lock's file is opened and that it is free."""
    run, calls = tmp_path / "r", []
    try_lock = folders.try_lock

    def removed_before(file: Any) -> bool:
        calls.append(file)
        if len(calls) == 1:
            shutil.rmtree(run)
        return try_lock(file)

    monkeypatch.setattr(folders, "try_lock", removed_before)
    with RunFolder(run):
        assert (run / ".lock").is_file()
        with pytest.raises(InputError, match="is being written by another process"):
            RunFolder(run)


def test_a_folder_that_holds_something_else_stays(tmp_path: Path) -> None:
    run = tmp_path / "r"
    run.mkdir()
    (run / "config.json").write_text("{}")
    with pytest.raises(ZeroDivisionError), RunFolder(run):
        raise ZeroDivisionError
    assert (run / "config.json").exists()
