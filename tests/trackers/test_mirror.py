"""What a mirror sends: each row once, none that a resume takes back, whatever is killed in between."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.trackers.runs import HandMade
from triptych.trackers import mirror
from triptych.trackers.base import About, Point
from triptych.trackers.columns import STEP
from triptych.trackers.mirror import Mirror
from triptych.trackers.rows import Reader
from triptych.utils.checks import InputError
from triptych.utils.files import write_json


class Shelf:
    """A tracker's server: what it holds of each run, in the order in which it came."""

    def __init__(self) -> None:
        self.runs: dict[str, list[Point]] = {}
        self.settings: dict[str, Mapping[str, Any]] = {}
        self.files: list[tuple[str, str, int]] = []
        self.numbers = itertools.count()
        self.dies_at: int | None = None  # the mirror is killed when it holds so many rows
        self.loses: set[str] = set()  # films that it was given, and had not written when it was killed


class OnShelf:
    """A tracker that knows what it holds."""

    where, late = "on the shelf", True

    def __init__(self, shelf: Shelf, about: About):
        self.shelf = shelf
        self.run = about.run if about.run in shelf.runs else f"{about.name} {next(shelf.numbers)}"
        self.points = shelf.runs.setdefault(self.run, [])
        shelf.settings[self.run] = about.settings

    def held(self) -> int | None:
        return len(self.points)

    def films(self) -> set[str]:
        return {name for _, name, _ in self.shelf.files if name.endswith(".mp4")} - self.shelf.loses

    def rows(self, points: Sequence[Point]) -> None:
        for point in points:
            if self.shelf.dies_at == len(self.points):
                self.shelf.dies_at = None
                raise KeyboardInterrupt
            self.points.append(point)

    def test(self, name: str, values: Mapping[str, float], step: int) -> None:
        self.shelf.files.append((name, f"{values['reward']} {values['length']}", step))

    def video(self, name: str, file: Path, step: int) -> None:
        self.shelf.files.append((name, file.name, step))

    def weights(self, alias: str, files: Mapping[str, Path], step: int) -> None:
        self.shelf.files.append((alias, " ".join(files), step))

    def kept(self) -> Mapping[str, Any]:
        return {}

    def close(self) -> None:
        pass


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    found = Shelf()
    monkeypatch.setattr(mirror, "open_run", lambda name, about: OnShelf(found, about))
    return found


@pytest.fixture
def run(tmp_path: Path) -> HandMade:
    return HandMade(tmp_path / "r")


def send(run: HandMade, final: bool = False) -> None:
    with Mirror(run.path, "shelf", patience=0) as one:
        one.go_on(final)


def shown(points: Sequence[Point]) -> list[tuple[int, int]]:
    """Each row's place and step, as a tracker has them."""
    return [(point.index, point.step) for point in points]


def of_folder(run: HandMade) -> list[tuple[int, int]]:
    steps = sorted(int(row["steps"]) for table in ("episodes", "metrics") for row in run.rows(table))
    return list(enumerate(steps))


def test_only_rows_that_no_resume_takes_back_are_sent(run: HandMade, shelf: Shelf) -> None:
    run.play(200).save().play(90)
    send(run)
    (points,) = shelf.runs.values()
    assert max(point.step for point in points) == 200
    assert len(points) == 2 * 10 + 4 + 1


def test_each_row_comes_once_though_the_run_is_killed_and_cut_back_again_and_again(run: HandMade, shelf: Shelf) -> None:
    for steps in (110, 60, 240, 10, 80):
        run.play(steps).save().play(70)
        send(run)
        run.go_back()
        send(run)
    run.play(100).save()
    send(run, final=True)
    (points,) = shelf.runs.values()
    assert shown(points) == of_folder(run)


def test_each_row_comes_once_though_the_mirror_is_killed_between_any_two(run: HandMade, shelf: Shelf) -> None:
    run.play(200).save()
    for place in range(0, 25, 3):
        shelf.dies_at = place
        with pytest.raises(KeyboardInterrupt):
            send(run)
    send(run)
    (points,) = shelf.runs.values()
    assert shown(points) == of_folder(run)


def test_a_past_that_is_written_anew_is_another_run_in_the_tracker(run: HandMade, shelf: Shelf) -> None:
    """As where the newest checkpoint is damaged, or --exact goes further back than what was sent."""
    run.play(100).save().play(100).save()
    send(run)
    run.go_back(further=True).play(150).save()
    send(run, final=True)
    old, new = shelf.runs.values()
    assert len(old) == 2 * 10 + 5
    assert shown(new) == of_folder(run)


def test_a_run_that_was_removed_in_the_tracker_begins_there_anew(run: HandMade, shelf: Shelf) -> None:
    run.play(100).save()
    send(run, final=True)
    shelf.runs.clear()
    shelf.files.clear()
    send(run, final=True)
    (points,) = shelf.runs.values()
    assert shown(points) == of_folder(run)
    assert [alias for alias, _, _ in shelf.files] == ["best", "latest"]


def test_every_column_is_sent_and_the_names_of_cleanrl_beside_them(run: HandMade, shelf: Shelf) -> None:
    run.play(200).save()
    send(run)
    (points,) = shelf.runs.values()
    episode, tested = points[0].values, points[-1].values
    assert {name.removeprefix("episodes/") for name in episode if name.startswith("episodes/")} == {
        column for column, value in run.rows("episodes")[0].items() if value
    }
    assert (episode["charts/episodic_return"], episode["charts/episodic_length"]) == (20.0, 20.0)
    assert episode["charts/SPS"] == pytest.approx(20 / 0.2)
    assert (tested["eval/episodic_return"], tested["eval/episodic_length"]) == (100.0, 17.5)
    (period,) = [point.values for point in points if point.step == 100 and "metrics/loss" in point.values]
    assert period["losses/td_loss"] == period["metrics/loss"] == 0.01
    assert points[0].marked()[STEP] == 20


def test_settings_are_flat_and_hold_no_secret(run: HandMade, shelf: Shelf) -> None:
    send(run)
    (settings,) = shelf.settings.values()
    assert (settings["algorithm.gamma"], settings["framework"], settings["exp_name"]) == (0.99, "torch", "r")
    assert not any("secret" in str(value) for value in settings.values())


def test_films_tests_and_weights_come_once_and_again_where_they_have_changed(run: HandMade, shelf: Shelf) -> None:
    run.play(200).save().play(50)
    (run.path / "videos").mkdir()
    for name in ("update-000000100", "update-000000120", "best"):
        (run.path / "videos" / f"{name}.mp4").write_bytes(b"film")
    test = {
        "weights": "best",
        "updates": 100,
        "epsilon": 0.0,
        "games": 2,
        "mean": 5.0,
        "low": 4.0,
        "high": 6.0,
        "seed": 0,
    }
    test |= {"framework": "torch", "policy": "greedy", "env": "CartPole-v1", "sticky": None, "lengths": [3, 5]}
    (run.path / "evaluations").mkdir()
    write_json(run.path / "evaluations" / "best-0.json", test)
    send(run)
    assert shelf.files == [("eval/video", "update-000000100.mp4", 200)]
    send(run, final=True)  # as where the run was killed: it may film the other once more
    names = [
        ("best", "config.json checkpoints/best.safetensors"),
        ("latest", "config.json checkpoints/latest.safetensors"),
    ]
    ended = [("videos/best", "best.mp4", 200), ("best-0", "5.0 4.0", 200), *((*name, 200) for name in names)]
    assert shelf.files[1:] == ended
    run.save()
    send(run, final=True)
    send(run, final=True)
    assert shelf.files[5:] == [("eval/video", "update-000000120.mp4", 200), *((*name, 250) for name in names)]
    (run.path / "videos" / "best.mp4").write_bytes(b"another film")
    send(run, final=True)
    assert shelf.files[8:] == [("videos/best", "best.mp4", 250)]


def test_a_folder_without_checkpoints_is_sent_whole(run: HandMade, shelf: Shelf) -> None:
    run.play(100)
    for path in (run.path / "checkpoints").glob("boundary-*"):
        path.rename(path.with_name("gone"))
    send(run)
    (points,) = shelf.runs.values()
    assert shown(points) == of_folder(run)


def test_two_mirrors_of_one_run_in_one_tracker_are_refused(run: HandMade, shelf: Shelf) -> None:
    with Mirror(run.path, "shelf"), pytest.raises(InputError, match="sent to shelf by another process"):
        Mirror(run.path, "shelf", patience=0)


def test_a_reader_goes_to_any_row_and_says_how_far_it_came(run: HandMade) -> None:
    run.play(100).save()
    reader = Reader(run.path)
    assert reader.skip(7) == 7
    assert [row.index for row in reader.rows()] == list(range(7, 12))
    assert reader.skip(99) == 12


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


def test_a_run_began_when_its_config_says(run: HandMade, shelf: Shelf) -> None:
    file = run.path / "config.json"
    write_json(file, json.loads(file.read_text()) | {"date": "2026-01-02T03:04:05+00:00"})
    run.play(100).save()
    send(run)
    (points,) = shelf.runs.values()
    assert points[0].time == pytest.approx(1767323045 + 0.2)


def test_a_damaged_state_is_one_line(run: HandMade, shelf: Shelf) -> None:
    send(run)
    file = run.path / "trackers" / "shelf.json"
    write_json(file, json.loads(file.read_text()) | {"sent": "many"})
    with pytest.raises(InputError, match=r"shelf.json: sent is 'many'; allowed: a whole number"):
        send(run)


def test_numbers_that_are_not_finite_are_left_out(run: HandMade, shelf: Shelf) -> None:
    run.append("metrics", {"loss": "nan", "q_mean": "inf", "learning_rate": 1e-3})
    run.save()
    send(run)
    ((point,),) = shelf.runs.values()
    assert "metrics/learning_rate" in point.values
    assert not any("loss" in name or "q_" in name for name in point.values)
