"""The checkup of a run that goes on: what it hears, asks, tells and keeps."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from triptych.checkup.findings import ALARMS, Finding, Signal
from triptych.checkup.monitors.base import Monitor
from triptych.checkup.watch import FIRST, Watch
from triptych.runs.folder import RunFolder

ODD = Signal("odd", "stop", "an odd thing", ("a reason",), "a place")


class Counters:
    steps = 0


class Run:
    """As much of a run as a watch needs."""

    def __init__(self) -> None:
        self.counters, self.stopped = Counters(), ""
        self.alarms: list[dict[str, Any]] = []

    def stop(self, reason: str) -> None:
        self.stopped = reason


class Odd(Monitor):
    """Finds something odd once it has seen so many steps."""

    seen = 0

    def step(self, run: Any, tick: Any) -> None:
        self.seen += 1

    def judge(self, run: Any) -> Iterator[Finding]:
        if self.seen >= 150:
            yield Finding(ODD, f"{self.seen} seen", "149 at most", 150)


class Failing(Monitor):
    def step(self, run: Any, tick: Any) -> None:
        raise ZeroDivisionError("by itself")


def played(watch: Watch, steps: int) -> Any:
    run = Run()
    for _ in range(steps):
        run.counters.steps += 1
        watch.step(run, None)  # type: ignore[arg-type]
    return run


def test_an_alarm_is_a_row_told_once_at_the_next_round_of_questions(tmp_path: Path) -> None:
    with RunFolder(tmp_path / "run") as folder:
        run = played(Watch(folder, monitors=[Odd()]), 1_000)
    with (tmp_path / "run" / "alarms.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert tuple(row) == ALARMS
    assert (row["step"], row["since"], row["signal"], row["measured"]) == (str(2 * FIRST), "150", "odd", "200 seen")
    assert not run.stopped


def test_an_alarm_of_the_severest_kind_stops_the_run_where_that_is_wished(tmp_path: Path) -> None:
    with RunFolder(tmp_path / "run") as folder:
        assert played(Watch(folder, "stop", [Odd()]), 1_000).stopped == "alarm"


def test_a_monitor_that_fails_is_left_out_and_the_others_go_on(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    odd = Odd()
    with RunFolder(tmp_path / "run") as folder:
        played(Watch(folder, monitors=[Failing(), odd], strict=False), 10)
        with pytest.raises(ZeroDivisionError):
            played(Watch(folder, monitors=[Failing()], strict=True), 1)
    assert odd.seen == 10
    assert "the checkup's Failing failed and is left out: ZeroDivisionError: by itself" in capsys.readouterr().err
