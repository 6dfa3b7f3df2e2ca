"""A run folder that comes home from another machine, whose names and config are a stranger's until they are checked."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from triptych.runs.names import OutsideError
from triptych.runs.travel import Listing, bring, listing


@pytest.fixture
def far(tmp_path: Path) -> Path:
    """The folder on the other machine."""
    folder = tmp_path / "far"
    (folder / "checkpoints" / "boundary-000000100").mkdir(parents=True)
    (folder / "checkpoints" / "boundary-000000100" / "boundary.json").write_text("{}")
    (folder / "episodes.csv").write_text("episode\n1\n")
    (folder / "config.json").write_text('{"recipe": {"source": ""}, "mark": "theirs"}')
    return folder


def brought(far: Path, home: Path, known: Listing, there: Listing) -> bool:
    def read(name: str, target: Path) -> bool:
        shutil.copyfile(far / name, target)
        return True

    return bring(home, known, there, read, lambda recorded: {"mark": f"ours of {recorded}"})


def files(folder: Path) -> set[str]:
    return set(listing(folder))


def test_all_comes_home_and_what_was_dropped_goes(far: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    before = listing(far)
    assert brought(far, home, {}, before)
    assert files(home) == files(far)
    shutil.rmtree(far / "checkpoints" / "boundary-000000100")
    assert brought(far, home, before, listing(far))
    assert files(home) == {"episodes.csv", "config.json"}


def test_the_config_is_marked_for_the_machine_where_it_comes_home(far: Path, tmp_path: Path) -> None:
    assert brought(far, tmp_path / "home", {}, listing(far))
    config: dict[str, Any] = json.loads((tmp_path / "home" / "config.json").read_text())
    assert config == {"recipe": {"source": ""}, "mark": "ours of {'source': ''}"}


def test_a_user_s_own_file_has_any_name(far: Path, tmp_path: Path) -> None:
    (far / "plot 12:00 \\ a.png").write_text("picture")
    assert brought(far, tmp_path / "home", {}, listing(far))
    assert (tmp_path / "home" / "plot 12:00 \\ a.png").read_text() == "picture"


@pytest.mark.parametrize("name", ["../victim.txt", "/victim.txt", "a/../../victim.txt", "a//b", "a/./b", "", "a\0b"])
@pytest.mark.parametrize("side", ["there", "known"])
def test_nothing_outside_of_the_folder_is_written_or_removed(side: str, name: str, far: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim.txt"
    victim.write_text("mine")
    (tmp_path / "home").mkdir()
    known, there = listing(far), listing(far)
    {"known": known, "there": there}[side][name] = (4, 0)
    with pytest.raises(OutsideError, match="allowed: names of files inside the run's folder"):
        brought(far, tmp_path / "home", known, there)
    assert victim.read_text() == "mine"
