"""The hint that installs an extra works where it is read: in a checkout, from an index, from a repository or a file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from triptych.utils import install
from triptych.utils.install import install_hint


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages with an installed Triptych in it; returns the folder of its metadata."""
    found = tmp_path / "packages" / "triptych-9.dist-info"
    found.mkdir(parents=True)
    (found / "METADATA").write_text("Metadata-Version: 2.4\nName: triptych\nVersion: 9\n")
    monkeypatch.setattr(install, "PACKAGE", found.parent / "triptych")
    monkeypatch.syspath_prepend(found.parent)
    return found


def test_in_a_checkout_it_is_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.setattr(install, "PACKAGE", tmp_path / "triptych")
    monkeypatch.chdir(tmp_path)
    assert install_hint("pixels") == 'pip install -e ".[pixels]"'


def test_beside_a_checkout_it_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.setattr(install, "PACKAGE", tmp_path / "triptych")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert install_hint("pixels") == f'pip install -e "{tmp_path}[pixels]"'
    shutil.rmtree(tmp_path / "elsewhere")  # while somebody is in it
    assert install_hint("pixels") == f'pip install -e "{tmp_path}[pixels]"'


def test_from_an_index_it_is_the_name(installed: Path) -> None:
    assert install_hint("jax") == 'pip install "triptych[jax]"'


@pytest.mark.parametrize(
    ("told", "source"),
    [
        ({"url": "file:///a/checkout", "dir_info": {}}, " @ file:///a/checkout"),
        (
            {"url": "https://a.example/b", "vcs_info": {"vcs": "git", "commit_id": "0a5c"}},
            " @ git+https://a.example/b@0a5c",
        ),
        ({"url": "file:///a/triptych-9.whl", "archive_info": {}}, " @ file:///a/triptych-9.whl"),
        ([], ""),
        ({"url": "https://a.example/b", "vcs_info": {"vcs": "git"}}, ""),
    ],
)
def test_from_elsewhere_it_names_the_place(told: object, source: str, installed: Path) -> None:
    (installed / "direct_url.json").write_text(json.dumps(told))
    assert install_hint("report") == f'pip install "triptych[report]{source}"'
