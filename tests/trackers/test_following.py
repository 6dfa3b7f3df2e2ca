"""Trackers beside a run: they get all of it, and what fails or hangs in one stops nothing."""

from __future__ import annotations

import json
import logging
import queue
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import triptych
from tests.trackers.runs import HandMade
from triptych.experiments.jobs import train_job
from triptych.recipes import load_recipe
from triptych.recipes.override import override
from triptych.report.logs.events import read_events
from triptych.trackers import following
from triptych.trackers import track as tracking
from triptych.trackers.following import Following, begin
from triptych.trackers.process import is_over
from triptych.trackers.registry import tell_of_others
from triptych.trackers.track import track
from triptych.utils.checks import InputError
from triptych.utils.console import LOGGER

QUICK: dict[str, Any] = {"warm_up": 100, "threads": 1, "evaluate_every": 0, "checkpoint_every": 100, "log_every": 50}
NAME = "events.out.tfevents.*"


@pytest.fixture
def run(tmp_path: Path) -> HandMade:
    return HandMade(tmp_path / "r")


@pytest.fixture
def warnings() -> Iterator[list[str]]:
    found: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record.getMessage())

    handler = Kept(logging.WARNING)
    LOGGER.addHandler(handler)
    yield found
    LOGGER.removeHandler(handler)


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tracker that answers nothing and never ends."""
    code = "import time; time.sleep(600)"

    def hang(folder: Path, name: str, group: str | None) -> subprocess.Popen[str]:
        return subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    monkeypatch.setattr(following, "begin", hang)
    monkeypatch.setattr(following, "PATIENCE", 0.5)


def steps_of(folder: Path, tag: str) -> list[float]:
    (file,) = folder.glob(NAME)
    return list(read_events(file)[0][tag]["step"])


def steps_in(folder: Path, table: str) -> list[float]:
    lines = (folder / f"{table}.csv").read_text().splitlines()
    place = lines[0].split(",").index("steps")
    return [float(line.split(",")[place]) for line in lines[1:]]


def test_a_run_is_followed_from_checkpoint_to_checkpoint(run: HandMade, warnings: list[str]) -> None:
    with Following(run.path, ["tensorboard"]) as one:
        one.start(None)
        one.checkpoint(None)
        for _ in range(3):
            run.play(100).save()
            one.checkpoint(None)
        run.play(50).save()
    assert steps_of(run.path, "episodes/episode_reward") == steps_in(run.path, "episodes")
    assert warnings == []
    assert json.loads((run.path / "trackers/tensorboard.json").read_text())["sent"] == 2 * 17 + 7 + 1


def test_the_process_of_a_run_that_was_killed_sends_what_is_safe_and_ends(run: HandMade) -> None:
    run.play(100).save().play(50)
    process = begin(run.path, "tensorboard")
    process.communicate()  # the other end of its pipe is closed, and nothing was said
    assert process.returncode == 0
    assert steps_of(run.path, "episodes/steps") == [step for step in steps_in(run.path, "episodes") if step <= 100]


def test_a_tracker_that_hangs_costs_one_warning_and_is_ended(run: HandMade, hanging: None, warnings: list[str]) -> None:
    with Following(run.path, ["wandb"]) as one:
        one.start(None)
        for _ in range(20_000):  # more than a pipe holds
            one.followers[0].tell()
    (told,) = warnings
    assert told.startswith("wandb took longer than")
    assert told.endswith(f"send the rest with: triptych track {run.path} --to wandb")
    assert one.followers[0].process.returncode is not None


def test_a_tracker_that_fails_costs_one_warning_which_says_why(run: HandMade, warnings: list[str]) -> None:
    (run.path / "trackers").mkdir()
    (run.path / "trackers" / "tensorboard.json").write_text("{}")
    with Following(run.path, ["tensorboard"]) as one:
        one.start(None)
        one.followers[0].process.wait()
        for _ in range(3):
            one.checkpoint(None)
    (told,) = warnings
    assert told.startswith("tensorboard failed, and the run goes on without it: ")
    assert "trackers/tensorboard.json: begun is missing; allowed: the file as triptych left it" in told
    assert f"triptych track {run.path} --to tensorboard" in told


def test_train_and_resume_show_each_row_once(tmp_path: Path, warnings: list[str]) -> None:
    how: dict[str, Any] = {"track": ["tensorboard"], "video": False}
    path = triptych.train("cartpole", "torch", run_name="r", runs_dir=tmp_path, steps=300, **QUICK, **how).path
    (file,) = path.glob(NAME)
    triptych.resume(path, steps=450, **how)
    assert list(path.glob(NAME)) == [file]
    for table in ("episodes", "metrics"):
        assert steps_of(path, f"{table}/steps") == steps_in(path, table)
    assert max(steps_of(path, "metrics/steps")) == 450
    assert not [told for told in warnings if "tensorboard" in told]


def test_a_run_of_compare_is_followed_until_its_tests_are_played(tmp_path: Path) -> None:
    job = {"runs_dir": str(tmp_path), "run_name": "r", "quiet": True, "framework": "torch", "games": 2, "trust": True}
    job |= {"video": False, "device": "cpu", "track": ["tensorboard"]}
    train_job(override(load_recipe("cartpole"), {"steps": 200, **QUICK}), job)
    tags = read_events(next((tmp_path / "r").glob(NAME)))[0]
    (tested,) = {tag for tag in tags if tag.startswith("test/latest-") and tag.endswith("/length")}
    assert tags[tested]["value"][0] > 0


def test_a_resume_says_which_trackers_had_the_run_before(run: HandMade, capsys: pytest.CaptureFixture[str]) -> None:
    track(run.path, ["tensorboard"])
    tell_of_others(run.path, ())
    assert (
        "the run was sent to tensorboard before; --track tensorboard goes on with it there" in capsys.readouterr().err
    )
    tell_of_others(run.path, ("tensorboard",))
    assert capsys.readouterr().err == ""


def test_a_log_that_is_a_link_costs_the_tracker_and_not_the_run(run: HandMade, warnings: list[str]) -> None:
    (run.path / "trackers").mkdir()
    (run.path / "trackers" / "tensorboard.log").symlink_to(run.path / "elsewhere")
    with Following(run.path, ["tensorboard"]) as one:
        one.start(None)
    (told,) = warnings
    assert told.startswith("tensorboard does not follow the run: ")
    assert "tensorboard.log is a link" in told


def test_a_run_that_waits_for_its_trackers_says_so(
    run: HandMade, hanging: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(following, "SILENCE", 0.1)
    with Following(run.path, ["wandb"], quiet=False) as one:
        one.start(None)
    assert "waiting for wandb to send the rest" in capsys.readouterr().err


def test_what_is_said_while_a_process_works_is_done_in_one() -> None:
    said: queue.SimpleQueue[bool] = queue.SimpleQueue()
    for is_last in (False, False, False):
        said.put(is_last)
    assert not is_over(said)
    assert said.empty()
    for is_last in (False, True):
        said.put(is_last)
    assert is_over(said)


def test_runs_that_have_ended_go_no_further_to_a_tracker_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warnings: list[str]
) -> None:
    asked: list[str] = []

    def fail(folder: Path, name: str, group: str | None) -> None:
        asked.append(f"{folder.name} {name} {group}")
        if name == "wandb":
            raise InputError("wandb fails (no network); allowed: a tracker that takes the run")

    monkeypatch.setattr(tracking, "send", fail)
    tracking.send_all([tmp_path / "a", tmp_path / "b"], ["wandb", "mlflow"], "all")
    assert asked == ["a wandb all", "a mlflow all", "b mlflow all"]
    (told,) = warnings
    assert told.startswith("wandb fails (no network)")
    assert "wandb has not got 2 runs" in told
