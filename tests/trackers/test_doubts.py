"""What a mirror does where it cannot know: it was killed, or the run was copied, moved or cut back meanwhile."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.trackers.runs import HandMade
from tests.trackers.shelf import Shelf, of_folder, send, shown
from triptych.trackers.mirror import Mirror
from triptych.utils.checks import InputError
from triptych.utils.files import write_json


@pytest.fixture
def run(tmp_path: Path) -> HandMade:
    return HandMade(tmp_path / "r")


def film(run: HandMade, name: str, content: bytes = b"film") -> None:
    (run.path / "videos").mkdir(exist_ok=True)
    (run.path / "videos" / f"{name}.mp4").write_bytes(content)


def test_a_film_that_is_made_again_and_is_the_same_comes_once(run: HandMade, shelf: Shelf) -> None:
    run.play(200).save()
    for _ in range(2):
        film(run, "update-000000100")
        send(run)
    assert shelf.files == [("eval/video", "update-000000100.mp4", 200)]


def killed(run: HandMade) -> None:
    """Sends what is new, and is killed before it could end its session."""
    mirror = Mirror(run.path, "shelf", patience=0)
    mirror.go_on(final=True)
    mirror.lock.close()


def test_what_a_tool_had_not_written_when_it_was_killed_is_sent_again(run: HandMade, shelf: Shelf) -> None:
    run.play(200).save()
    film(run, "update-000000010")
    film(run, "update-000000100")
    killed(run)
    shelf.loses = {"update-000000100.mp4"}
    send(run, final=True)
    names = ["update-000000010.mp4", "update-000000100.mp4"]
    assert [name for _, name, _ in shelf.files if name.endswith(".mp4")] == [*names, names[1]]
    assert [alias for alias, _, _ in shelf.files if alias in ("best", "latest")] == ["best", "latest"] * 2
    sent = len(shelf.files)
    send(run, final=True)
    assert len(shelf.files) == sent


def test_a_film_that_a_tool_has_and_the_folder_does_not_know_of_is_not_sent_again(run: HandMade, shelf: Shelf) -> None:
    """The mirror was killed between giving it and writing that down."""
    run.play(200).save()
    film(run, "update-000000100")
    send(run)
    file = run.path / "trackers" / "shelf.json"
    write_json(file, json.loads(file.read_text()) | {"films": {}})
    send(run)
    assert len(shelf.files) == 1


def test_a_copied_run_is_a_run_of_its_own_and_a_moved_one_stays_what_it_was(run: HandMade, shelf: Shelf) -> None:
    run.play(100).save()
    send(run)
    shutil.copytree(run.path, run.path.with_name("copy"))
    run.path = run.path.rename(run.path.with_name("moved"))
    send(run)
    assert len(shelf.runs) == 1
    with Mirror(run.path.with_name("copy"), "shelf") as one:  # of what lay at `r`, which is not there any more
        one.go_on()
    assert len(shelf.runs) == 1
    shutil.copytree(run.path, run.path.with_name("another"))
    with Mirror(run.path.with_name("another"), "shelf") as one:
        one.go_on()
    old, new = shelf.runs.values()
    assert shown(old) == shown(new) == of_folder(run)
    assert [settings["exp_name"] for settings in shelf.settings.values()] == ["copy", "another"]


def test_a_mirror_whose_run_is_cut_back_further_meanwhile_sends_nothing_more(run: HandMade, shelf: Shelf) -> None:
    run.play(100).save().play(100).save()
    with Mirror(run.path, "shelf") as one:
        one.go_on()
        run.go_back(further=True).play(150).save()
        with pytest.raises(InputError, match="was cut back behind what was sent"):
            one.go_on()
