"""The progress line of a run, and when it will end."""

from __future__ import annotations

import sys
import time
from collections.abc import Collection

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from triptych.training.base import Counters
from triptych.training.callbacks.base import Callback, Run
from triptych.training.loop import Tick
from triptych.utils.console import counted, heard


class ProgressLine(Callback):
    """A live bar on a terminal; a plain line now and then elsewhere. Says once when the run will end.

    Args:
        total: steps, or episodes, at which the run ends.
        start: where this session began.
        unit: what is counted, `steps` or `episodes`.
    """

    every = 30.0  # seconds between plain lines
    announce_after = 20.0  # seconds of learning before the end is foretold, 45 in all at most

    def __init__(self, title: str, total: int, quiet: bool, start: int = 0, unit: str = "steps"):
        self.console = Console(file=heard(sys.stderr), quiet=quiet)  # without a reader it goes on
        self.live = self.console.is_terminal and not quiet
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(),
        )
        self.bar = Progress(*columns, console=self.console, disable=not self.live)
        self.task = self.bar.add_task(title, total=total, completed=start, note="")
        self.title, self.total, self.unit = title, total, unit
        self.first, self.done = start, start
        self.first_step: int | None = None
        self.began = self.shown = time.perf_counter()
        self.learning: tuple[float, int] | None = None  # when the first update came, and at which count
        self.announced = False

    def step(self, run: Run, tick: Tick) -> None:
        self.show(run.counters, run.scores, bool(tick.updates), len(run.alarms))

    def show(self, counters: Counters, scores: Collection[float], learning: bool, alarms: int = 0) -> None:
        """Moves the bar; `learning`: an update has just been made; `alarms`: how many the checkup has told."""
        steps, self.done = counters.steps, getattr(counters, self.unit)
        self.first_step = steps if self.first_step is None else self.first_step
        now = time.perf_counter()
        if learning and self.learning is None:
            self.learning = now, self.done
        if not self.announced:
            self.announce(self.done, now)
        if now - self.shown > (0.1 if self.live else self.every):
            self.shown = now
            score = f"reward {np.mean(list(scores)):.1f}" if scores else ""
            note = f"{(steps - self.first_step) / (now - self.began):,.0f} steps/s {score}"
            note += f" {counted(alarms, 'alarm')}" if alarms else ""
            self.bar.update(self.task, completed=min(self.done, self.total), note=note)
            if not self.live:
                self.say(f"{self.title} {self.done:,}/{self.total:,} {self.unit}, {note}")

    def announce(self, done: int, now: float) -> None:
        """Within the first minute: when the run will end at the speed measured since learning began."""
        since, at = self.learning or (self.began, self.first)
        if done <= at or not ((now - since > self.announce_after and self.learning) or now - self.began > 45):
            return
        self.announced = True
        speed = (done - at) / (now - since)
        left = (self.total - done) / speed
        if left < 60:
            return
        end = time.strftime("%H:%M on %d %B", time.localtime(time.time() + left))
        hint = "" if self.learning else " (no update yet: learning will be slower)"
        hint += " (if episodes stay as long as they are)" if self.unit == "episodes" else ""
        rate = f"{speed:,.0f}" if speed >= 10 else f"{speed:.2g}"
        self.say(f"{rate} {self.unit}/s: {self.total:,} {self.unit} end about {end}, in {left / 60:,.0f} min{hint}")

    def say(self, text: str) -> None:
        self.console.print(text, highlight=False, soft_wrap=True, markup=False)

    def __enter__(self) -> ProgressLine:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.update(self.task, completed=min(self.done, self.total))
        self.bar.stop()
        heard(sys.stderr).flush()
