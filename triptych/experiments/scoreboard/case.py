"""One run of the scoreboard, in a process of its own: with a fault, or healthy."""

from __future__ import annotations

import json
import logging
import os
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from triptych.checkup.faults import SHORT, find, injected
from triptych.checkup.faults.scenarios import RESUMED
from triptych.checkup.findings import Finding
from triptych.experiments.checking import check
from triptych.experiments.resume import resume
from triptych.experiments.train import train
from triptych.recipes import Recipe, load_recipe
from triptych.recipes.override import override
from triptych.training.callbacks.base import Callback, Run
from triptych.training.counting import Tick
from triptych.utils.console import LOGGER
from triptych.utils.failures import first_line
from triptych.utils.patching import NotApplicable


@dataclass(frozen=True)
class Case:
    """What is run."""

    framework: str
    recipe: str  # one of `checkup.faults.SHORT`, or of the catalogue
    fault: str | None  # None: it is healthy
    seconds: float  # that it may take
    known: tuple[str, ...] = ()  # alarms of the same run without a fault
    enough: tuple[str, ...] = ()  # alarms that name the mistake: after one of them the run may end
    seed: int | None = None  # None: the recipe's
    scene: Mapping[str, Any] = field(default_factory=dict)  # of a baseline: settings of the fault that are no mistake

    @property
    def settings(self) -> Recipe:
        recipe = SHORT[self.recipe]() if self.recipe in SHORT else load_recipe(self.recipe)
        changes = dict(self.scene if self.fault is None else find(self.fault).changes)
        return override(recipe, changes if self.seed is None else changes | {"seed": self.seed})

    @property
    def is_baseline(self) -> bool:
        """Whether it is the run without a mistake that faults are compared with."""
        return self.fault is None and self.seed is None


class Stopwatch(Callback):
    """Notes when each alarm came, and ends the run when it has told enough, or when its time is over.

    Time is the processor's, of all threads: what else a machine does changes no figure.
    """

    def __init__(self, case: Case):
        self.case, self.begun = case, time.process_time()
        self.alarms: list[dict[str, Any]] = []
        self.pause_at = RESUMED.get(case.recipe)  # steps; None: not any more
        self.steps = 0

    def seconds(self) -> float:
        return time.process_time() - self.begun

    def start(self, run: Run) -> None:
        self.look(run)

    def step(self, run: Run, tick: Tick) -> None:
        self.look(run)
        over = self.seconds() > self.case.seconds
        if over or self.has_enough:
            run.stop("told")
        elif self.pause_at is not None and run.counters.steps >= self.pause_at:
            self.pause_at = None
            run.pause()

    def end(self, run: Run, result: Any) -> None:
        self.look(run)

    @property
    def has_enough(self) -> bool:
        """Whether an alarm has named the mistake."""
        return any(alarm["signal"] in self.case.enough for alarm in self.alarms)

    def take(self, alarms: list[Finding]) -> None:
        """Notes what `triptych check` says of the recipe: before any step."""
        noted = {alarm["signal"] for alarm in self.alarms}
        for one in alarms:
            if one.signal.name not in noted:
                row = {"signal": one.signal.name, "severity": one.severity, "step": None, "title": one.signal.title}
                self.alarms.append(row | {"measured": one.measured, "seconds": round(self.seconds(), 1)})

    def look(self, run: Run) -> None:
        """Takes the time of what was told since it was last looked at."""
        self.steps = run.counters.steps
        noted = {alarm["signal"] for alarm in self.alarms}
        for row in run.alarms:
            if row["signal"] not in noted:
                kept = {name: row[name] for name in ("signal", "severity", "step", "title", "measured")}
                self.alarms.append(kept | {"seconds": round(self.seconds(), 1)})


def play(case: Case, answer: Path) -> None:
    """Runs a case, and writes what came of it as JSON: `alarms`, `steps`, `seconds`, `why` (it was not run, or failed)."""
    LOGGER.setLevel(logging.CRITICAL)
    os.environ.pop("TRIPTYCH_STRICT_CHECKUP", None)  # a fault may break a monitor, which must not break the run
    watch = Stopwatch(case)
    why, outcome = "", "run"
    try:
        with ExitStack() as stack:
            if case.fault is not None:
                stack.enter_context(injected(case.fault, case.framework))
            watch.begun = time.process_time()
            run(case, watch)
    except NotApplicable as reason:
        outcome, why = "not applicable", str(reason)
    except Exception as error:  # whatever a fault has done
        outcome, why = "failed", f"{type(error).__name__}: {first_line(error)}"
    told = {"outcome": outcome, "alarms": watch.alarms, "steps": watch.steps, "why": why}
    answer.write_text(json.dumps(told | {"seconds": round(watch.seconds(), 1)}), encoding="utf-8")


def end_with_parent(parent: int) -> None:
    """This process ends when the one that it was begun for does, however that ends."""

    def wait() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def run_alone(case: Case, answer: Path) -> None:
    """Plays a case in a process of its own."""
    end_with_parent(os.getppid())
    play(case, answer)


def run(case: Case, watch: Stopwatch) -> None:
    """The run itself, the session that goes on with it where it was paused, and the checks that `triptych check` makes beside it."""
    with tempfile.TemporaryDirectory() as folder:
        how: dict[str, Any] = {"runs_dir": folder, "video": False, "callbacks": [watch]}
        paused = watch.pause_at is not None
        result = train(case.settings, case.framework, run_name="run", **how)
        if paused and watch.pause_at is None:
            resume(result.path, **how)
    # What `check` says of a baseline is no sign of a mistake, so it is asked there however long the run took.
    if case.is_baseline or (not watch.has_enough and watch.seconds() < case.seconds):
        watch.take(check(case.settings, case.framework).alarms)
