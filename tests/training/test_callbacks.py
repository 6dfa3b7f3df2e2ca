"""What watches a run: what it is told, in which order, and what a resume gives back to it."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any

import pytest

import triptych
from triptych.envs.gym import GymGames
from triptych.training.callbacks.base import EVENTS, LOGGERS

QUICK: dict[str, Any] = {"steps": 120, "warm_up": 50, "evaluate_every": 0, "checkpoint_every": 50, "run_name": "r"}


class Counting(triptych.Callback):
    """Counts steps, which a resume must go on counting."""

    def __init__(self, name: str = "counting"):
        self.steps, self.kept, self.called = 0, 0, name

    @property
    def name(self) -> str:
        return self.called

    def step(self, run: Any, tick: Any) -> None:
        self.steps += 1

    def get_state(self) -> dict[str, Any]:
        self.kept = self.steps
        return {"steps": self.steps}

    def set_state(self, state: dict[str, Any]) -> None:
        self.steps = state["steps"]


def stop_at(step: int, reason: str = "enough") -> Any:
    def stopper(run: Any, tick: Any) -> None:
        if run.counters.steps == step:
            run.stop(reason)

    return stopper


def test_every_event_is_told_in_its_order(tmp_path: Path) -> None:
    told: list[str] = []
    names = [name for name in EVENTS if name != "evaluation"]
    watcher = type("Watcher", (), {name: lambda self, *what, name=name: told.append(name) for name in names})
    triptych.train("cartpole", "jax", runs_dir=tmp_path, callbacks=[watcher], **QUICK)
    assert told[:3] == ["start", "checkpoint", "step"]
    assert told[-1] == "end"
    assert told.count("step") == 120 + told.count("episode"), "a game that ended restarts in a step of its own"
    assert set(told) == set(names)


def test_a_callback_may_stop_the_run(tmp_path: Path) -> None:
    result = triptych.train("cartpole", "jax", runs_dir=tmp_path, callbacks=[stop_at(30)], **QUICK)
    assert (result.steps, result.stopped_by, result.checkpoint) == (30, "enough", 30)


class Pausing(triptych.Callback):
    """Ends the session at the first checkpoint behind the run's beginning."""

    def checkpoint(self, run: Any) -> None:
        if run.counters.steps:
            run.pause()


def test_a_paused_run_goes_on_to_the_bytes_of_one_that_was_not(tmp_path: Path) -> None:
    whole = triptych.train("cartpole", "jax", runs_dir=tmp_path, **QUICK | {"run_name": "whole"})
    half = triptych.train("cartpole", "jax", runs_dir=tmp_path, callbacks=[Pausing], **QUICK)
    assert (half.steps, half.stopped_by, half.signal) == (50, "interrupted", None)
    result = triptych.resume(half.path, exact=True)
    assert (result.steps, result.stopped_by) == (120, "steps")
    latest = "checkpoints/latest.safetensors"
    assert (half.path / latest).read_bytes() == (whole.path / latest).read_bytes()


@pytest.mark.parametrize("reason", ["", "interrupted", "failed", "diverged"])
def test_a_reason_to_stop_is_a_word_of_its_own(reason: str, tmp_path: Path) -> None:
    with pytest.raises(triptych.RunFailed, match="reason to stop"):
        triptych.train("cartpole", "jax", runs_dir=tmp_path, callbacks=[stop_at(5, reason)], **QUICK)


def test_a_resume_gives_states_back_by_name(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """In another order, with one that is new and without one that was there."""

    def interrupt(run: Any, tick: Any) -> None:
        if run.counters.steps == 60:
            signal.raise_signal(signal.SIGINT)

    before = [Counting("a"), Counting("gone"), interrupt, Counting("b")]
    before[3].steps = 1000
    result = triptych.train("cartpole", "jax", runs_dir=tmp_path, callbacks=before, **QUICK)
    assert (result.stopped_by, result.checkpoint) == ("interrupted", 60)
    b, new, a = after = [Counting("b"), Counting("new"), Counting("a")]
    triptych.resume(tmp_path / "r", callbacks=after)
    assert 60 <= new.steps < 120
    assert a.steps == new.steps + before[0].kept
    assert b.steps == 1000 + a.steps
    assert "callback gone is not there any more" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("source", "name", "said"),
    [
        ("", "mine", "module:name"),
        ("", "absent:watch", "cannot be imported"),
        ("", "mine:absent", "cannot be imported"),
        ("raise ValueError('no')", "mine:watch", "ValueError: no"),
        ("watch = 5", "mine:watch", "a function of (run, tick)"),
        ("class watch:\n    def __init__(self, x): ...", "mine:watch", "without arguments"),
    ],
)
def test_what_cannot_watch_is_refused_before_anything_is_written(
    source: str, name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    with pytest.raises(triptych.InputError) as refused:
        triptych.train("cartpole", "jax", runs_dir=tmp_path, callbacks=[name], **QUICK)
    assert said in str(refused.value)
    assert not (tmp_path / "r").exists()
    sys.modules.pop("mine", None)


def test_a_registered_callback_watches_every_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triptych.training.callbacks.base.LOGGERS", dict(LOGGERS))
    made: list[Counting] = []

    def counting() -> Counting:
        made.append(Counting())
        return made[-1]

    triptych.register_callback(counting)
    triptych.train("cartpole", "jax", runs_dir=tmp_path, **QUICK)
    assert made[0].steps >= 120
    assert len(made) == 1


def test_the_games_are_closed_where_a_callback_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[bool] = []
    monkeypatch.setattr(GymGames, "close", lambda games: closed.append(True))

    def failing(run: Any, tick: Any) -> None:
        raise RuntimeError("of the user's own")

    with pytest.raises(RuntimeError, match="of the user's own"):
        triptych.train("cartpole", "jax", runs_dir=tmp_path, callbacks=[failing], **QUICK)
    assert closed
