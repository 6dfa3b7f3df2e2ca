"""A run that goes on more than once: its checkpoints, its promise of equal numbers, what its callbacks had counted."""

from __future__ import annotations

import json
import math
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import triptych
from tests.experiments.test_going_on import GYM, SHORT, interrupt_at, train
from tests.experiments.test_resume import CARTPOLE_A3C, CARTPOLE_PPO, assert_same
from triptych.utils.checks import InputError
from triptych.utils.failures import CallbackFailed, RunFailed
from triptych.utils.files import read_tensors

OFTEN: dict[str, Any] = {name: value for name, value in SHORT.items() if name != "checkpoint_every"} | {"steps": 400}


def manifest(path: Path, name: str) -> dict[str, Any]:
    return json.loads((path / "checkpoints" / name / "boundary.json").read_text())


def test_a_longer_run_has_checkpoints_as_often_as_one_that_was_so_long_from_the_start(tmp_path: Path) -> None:
    train(tmp_path / "r", "torch", OFTEN)
    triptych.resume(tmp_path / "r", steps=1_200)
    kept = sorted(int(path.stem[-9:]) for path in (tmp_path / "r" / "checkpoints").glob("weights-*"))
    assert kept[-14:] == pytest.approx(range(420, 1_201, 60), abs=1)


def test_a_longer_run_that_stops_before_its_next_checkpoint_is_not_finished(tmp_path: Path) -> None:
    train(tmp_path / "r", "torch", OFTEN)
    stopped = triptych.resume(tmp_path / "r", steps=900, exact=True, callbacks=[interrupt_at(410)])
    assert stopped.stopped_by == "interrupted"
    again = triptych.resume(tmp_path / "r")
    assert (again.stopped_by, again.steps) == ("steps", pytest.approx(900, abs=1))
    assert triptych.resume(tmp_path / "r").steps == again.steps  # now it is


def test_what_comes_after_a_cut_is_never_called_exact(tmp_path: Path) -> None:
    train(tmp_path / "r", "torch", GYM, callbacks=[interrupt_at(750)])
    triptych.resume(tmp_path / "r", callbacks=[interrupt_at(1_100)])
    assert manifest(tmp_path / "r", "boundary-000001000")["exact"] is False
    assert triptych.resume(tmp_path / "r", exact=True).steps == 1_300  # from the one before the cut
    rows = (tmp_path / "r" / "resumes.csv").read_text().splitlines()[1:]
    assert [row.split(",")[0] for row in rows][-1] == "500"


def test_more_steps_of_games_that_cannot_be_saved_are_told_as_a_cut(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    train(tmp_path / "r", "torch", GYM)
    triptych.resume(tmp_path / "r", steps=1_400)
    assert "from step 1,300 on, the numbers are not those of a run that never stopped" in capsys.readouterr().err
    assert json.loads((tmp_path / "r" / "config.json").read_text())["resume_exact"] is False


class Latest(triptych.Callback):
    """Reads the newest weights where a session begins."""

    def start(self, run: Any) -> None:
        self.tensors, self.told = read_tensors(run.path / "checkpoints" / "latest.safetensors")


@pytest.mark.parametrize("exact", [False, True], ids=["where it stopped", "from before the cut"])
def test_the_newest_weights_are_those_of_the_checkpoint_gone_back_to(exact: bool, tmp_path: Path) -> None:
    stopped = train(tmp_path / "r", "torch", GYM, callbacks=[interrupt_at(901)])
    latest = Latest()
    triptych.resume(tmp_path / "r", exact=exact, callbacks=[latest])
    assert latest.told is not None
    assert latest.told["steps"] == (500 if exact else stopped.steps)
    if exact:
        then, told = read_tensors(tmp_path / "r" / "checkpoints" / "weights-000000500.safetensors")
        assert latest.told == told
        assert then.keys() == latest.tensors.keys()
        for name, array in then.items():
            np.testing.assert_array_equal(latest.tensors[name], array)


class Losses(triptych.Callback):
    """Every update's loss, and how many updates the rows of metrics.csv speak of."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.at_start, self.mean = 0, 0.0

    def start(self, run: Any) -> None:
        self.at_start = run.counters.updates

    def update(self, run: Any, scalars: dict[str, Any]) -> None:
        self.losses.append(float(scalars["loss"]))

    def row(self, run: Any, table: str, row: dict[str, Any]) -> None:
        if table == "metrics" and not self.mean:
            self.mean, self.seen = row["loss"], len(self.losses)


CLIMB: dict[str, Any] = {"env": "MountainCar-v0", "env.time_limit": 60, "steps": 1_300, "log_every": 100}


@pytest.mark.parametrize("settings", [CARTPOLE_PPO | CLIMB, CARTPOLE_A3C | CLIMB], ids=["ppo", "a3c"])
def test_updates_of_a_cut_rollout_are_logged_as_others(settings: dict[str, Any], tmp_path: Path) -> None:
    """The rollout lacks one step where the run is stopped: the cut fills it, and it is learned from before anything is played."""

    def before_the_last(run: Any, tick: Any) -> None:
        rollout = run.training.player.rollout
        if run.counters.steps > 700 and rollout.filled == rollout.steps - 1:
            signal.raise_signal(signal.SIGINT)

    stopped = train(tmp_path / "r", "torch", settings, callbacks=[before_the_last])
    assert stopped.checkpoint == stopped.steps < 1_000
    losses = Losses()
    ended = triptych.resume(tmp_path / "r", callbacks=[losses])
    assert losses.at_start == stopped.updates, "the session begins where the checkpoint stands"
    assert len(losses.losses) == ended.updates - stopped.updates
    assert losses.mean == pytest.approx(np.mean(losses.losses[: losses.seen]), rel=1e-6)


def test_a_run_that_went_back_to_before_the_cut_is_exact_again(tmp_path: Path) -> None:
    whole, run = tmp_path / "whole", tmp_path / "r"
    train(whole, "torch", GYM)
    train(run, "torch", GYM, callbacks=[interrupt_at(701)])
    triptych.resume(run, callbacks=[interrupt_at(801)])
    config = json.loads((run / "config.json").read_text())
    assert (config["resume_exact"], len(config["resume_inexact"])) == (False, 1)
    triptych.resume(run, exact=True)
    assert_same(whole, run)
    config = json.loads((run / "config.json").read_text())
    assert config["resume_exact"] is True
    assert not config["resume_inexact"]


def test_a_run_that_never_was_exact_is_not_after_going_back_either(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    run = tmp_path / "r"
    train(run, "torch", GYM, callbacks=[interrupt_at(701)])
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(config | {"resume_exact": False}))
    triptych.resume(run, callbacks=[interrupt_at(801)])
    capsys.readouterr()
    triptych.resume(run, exact=True)
    assert "does not begin alike again with the same seed" in capsys.readouterr().err
    assert json.loads((run / "config.json").read_text())["resume_exact"] is False


class Highest(triptych.Callback):
    """Keeps a number that JSON has not."""

    def __init__(self, broken: str = ""):
        self.broken, self.top, self.seen = broken, -math.inf, 0

    def step(self, run: Any, tick: Any) -> None:
        self.seen += 1

    def get_state(self) -> dict[str, Any]:
        if self.broken == "get" and self.seen > 600:
            raise RuntimeError("no state today")
        return {"top": np.float32(1) if self.broken == "json" and self.seen > 600 else self.top, "seen": self.seen}

    def set_state(self, state: dict[str, Any]) -> None:
        if self.broken == "set":
            raise RuntimeError("no state today")
        self.top, self.seen = state["top"], state["seen"]


def test_an_infinite_number_of_a_callback_comes_back(tmp_path: Path) -> None:
    train(tmp_path / "r", "torch", SHORT, callbacks=[Highest(), interrupt_at(333)])
    highest = Highest()
    triptych.resume(tmp_path / "r", callbacks=[highest])
    assert highest.top == -math.inf
    assert highest.seen > 600
    for file in (tmp_path / "r" / "checkpoints").glob("*/boundary.json"):
        json.loads(file.read_text(), parse_constant=pytest.fail)


@pytest.mark.parametrize("broken", ["get", "json"])
def test_a_callback_whose_state_fails_keeps_the_one_before(broken: str, tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match="Highest"):
        train(tmp_path / "r", "torch", SHORT, callbacks=[Highest(broken)])
    assert not list((tmp_path / "r" / "checkpoints").glob("*.tmp"))
    highest = Highest()
    assert triptych.resume(tmp_path / "r", callbacks=[highest]).stopped_by == "steps"
    assert highest.top == -math.inf


def test_a_callback_that_cannot_take_its_state_up_is_no_damaged_checkpoint(tmp_path: Path) -> None:
    train(tmp_path / "r", "torch", SHORT, callbacks=[Highest(), interrupt_at(333)])
    with pytest.raises(CallbackFailed, match="no state today"):
        triptych.resume(tmp_path / "r", callbacks=[Highest("set")])
    assert triptych.resume(tmp_path / "r", callbacks=[Highest()]).stopped_by == "steps"


def test_no_checkpoint_that_gives_the_same_numbers_is_one_line(tmp_path: Path) -> None:
    train(tmp_path / "r", "torch", GYM, callbacks=[interrupt_at(750)])
    for path in (tmp_path / "r" / "checkpoints").glob("boundary-*"):
        for file in path.iterdir():
            file.unlink()
    with pytest.raises(InputError, match="no checkpoint that gives the same numbers; allowed: without --exact"):
        triptych.resume(tmp_path / "r", exact=True)
