"""What looking may cost: how often the monitors look follows the clock, and what the run does never."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import triptych
from tests.checkup.test_watch import Run
from triptych.checkup.budget import FREE, MOST, SHARE, Budget
from triptych.checkup.monitors.base import Monitor
from triptych.checkup.watch import SURE, TICKS, Watch
from triptych.recipes import load_recipe
from triptych.recipes.override import override
from triptych.runs.folder import RunFolder


class Clock:
    """A clock that goes on by itself a step at a time, and by as much as a look takes."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Dear(Monitor):
    """Hears each step, and each time takes a while."""

    rests = True

    def __init__(self, clock: Clock, seconds: float):
        self.clock, self.seconds, self.heard = clock, seconds, 0
        self.told: list[str] = []

    def sent(self, player: int, actions: np.ndarray) -> None:
        self.clock.now += self.seconds
        self.heard += 1

    def rest(self, run: Any) -> None:
        self.told.append("rest")

    def wake(self, run: Any) -> None:
        self.told.append("wake")


def listened(seconds: float, steps: int, folder: Path) -> tuple[Dear, Watch, Clock]:
    clock = Clock()
    dear = Dear(clock, seconds)
    with RunFolder(folder) as made:
        watch, run = Watch(made, monitors=[dear], budget=Budget(clock)), Run()
        for _ in range(steps):
            clock.now += 0.01
            watch.hear("sent", 0, np.zeros(1))
            run.counters.steps += 1
            watch.step(run, None)  # type: ignore[arg-type]
    return dear, watch, clock


def test_what_takes_too_much_of_each_step_rests_and_is_woken_again(tmp_path: Path) -> None:
    dear, watch, clock = listened(0.001, 100_000, tmp_path / "run")
    most = FREE + MOST * clock.now + TICKS * dear.seconds
    assert watch.budget.spent <= most < 0.1 * clock.now
    assert dear.heard * dear.seconds >= 0.5 * SHARE * clock.now  # and it is not left out for ever
    assert dear.told[:2] == ["rest", "wake"]


def test_what_costs_hardly_anything_hears_every_step(tmp_path: Path) -> None:
    dear, _, _ = listened(0.00005, 20_000, tmp_path / "run")
    assert dear.heard == 20_000
    assert dear.told == []


class Counting(Monitor):
    def __init__(self, clock: Clock, seconds: float):
        self.clock, self.seconds, self.rounds = clock, seconds, 0

    def judge(self, run: Any) -> Any:
        self.clock.now += self.seconds
        self.rounds += 1
        return iter(())


def test_first_rounds_of_questions_are_made_whatever_they_cost_and_later_ones_as_is_affordable(tmp_path: Path) -> None:
    found = []
    for seconds in (0.0, 10.0):
        clock = Clock()
        counting = Counting(clock, seconds)
        with RunFolder(tmp_path / f"run{seconds}") as folder:
            watch, run = Watch(folder, monitors=[counting], budget=Budget(clock)), Run()
            for _ in range(10_000):
                clock.now += 0.001
                run.counters.steps += 1
                watch.step(run, None)  # type: ignore[arg-type]
        found.append(counting.rounds)
    assert found[1] == SURE < found[0]


def test_an_audit_that_rested_tells_no_step_that_it_did_not_hear(tmp_path: Path) -> None:
    """A budget that is overdrawn and affordable in turn: the audit loses the stream and begins it anew, without an alarm."""

    class Turns(Budget):
        def is_overdrawn(self) -> bool:
            return True

    recipe = override(
        load_recipe("cartpole"), {"steps": 1_500, "warm_up": 200, "evaluate_every": 0, "algorithm.epsilon_steps": 700}
    )
    made: list[Watch] = []
    begin = Watch.__init__

    def with_turns(self: Watch, *given: Any, **named: Any) -> None:
        begin(self, *given, **named, budget=Turns())
        made.append(self)

    Watch.__init__ = with_turns  # type: ignore[method-assign]
    try:
        result = triptych.train(recipe, "torch", runs_dir=tmp_path, video=False)
    finally:
        Watch.__init__ = begin  # type: ignore[method-assign]
    assert not result.alarms
    audit = next(one for one in made[0].monitors if type(one).__name__ == "Audit")
    assert audit.counted > 0  # type: ignore[attr-defined]  # it began anew
    assert audit.audited > 0  # type: ignore[attr-defined]
