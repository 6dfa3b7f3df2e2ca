"""What a mirror sends: each row once, none that a resume takes back, whatever is killed in between."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.trackers.runs import HandMade
from tests.trackers.shelf import Shelf, of_folder, send, shown
from triptych.trackers.columns import STEP
from triptych.trackers.mirror import Mirror
from triptych.trackers.rows import Reader
from triptych.utils.checks import InputError
from triptych.utils.files import write_json


@pytest.fixture
def run(tmp_path: Path) -> HandMade:
    return HandMade(tmp_path / "r")


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
