"""What a run says of the commit that it ran from: the whole package counts."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from triptych.utils import machine


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    return subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def test_a_change_anywhere_in_the_package_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, other = tmp_path / "package" / "utils" / "machine.py", tmp_path / "package" / "losses" / "value.py"
    for path in (here, other):
        path.parent.mkdir(parents=True)
        path.write_text("1\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    monkeypatch.setattr(machine, "__file__", str(here))
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert machine.git_commit() == commit
    (tmp_path / "notes.md").write_text("beside the package\n")
    assert machine.git_commit() == commit
    other.write_text("2\n")
    assert machine.git_commit() == commit + "+changes"
