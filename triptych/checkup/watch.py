"""The checkup of a run that goes on: a callback that has ears, asks the monitors now and then, and writes alarms.csv."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from triptych.checkup.findings import ALARMS, Finding
from triptych.checkup.listening import Listener, listen
from triptych.checkup.monitors.base import Monitor
from triptych.checkup.monitors.updates import Updates
from triptych.runs.folder import RunFolder
from triptych.training.callbacks.base import Callback, Run
from triptych.training.counting import Episode, Tick
from triptych.utils.console import detail, warn

OnAlarm = Literal["warn", "stop"]
FIRST = 100  # steps between two rounds of questions at first, and then a tenth of those that were made: the same steps in each run
MONITORS: tuple[type[Monitor], ...] = (Updates,)
HEARD = ("reset", "sent", "received", "acted", "fed", "learned", "synced")


class Watch(Callback):
    """Asks monitors, tells their alarms, and stops the run where that is wished.

    Args:
        folder: the run's, locked.
        on_alarm: "stop" ends the run at an alarm whose severity is stop; "warn" only tells.
        monitors: None: all.
        strict: a monitor that fails raises; else it is left out from then on, with a warning, as it may cost no run.
    """

    def __init__(
        self,
        folder: RunFolder,
        on_alarm: OnAlarm = "warn",
        monitors: Sequence[Monitor] | None = None,
        strict: bool = False,
    ):
        self.folder, self.on_alarm, self.strict = folder, on_alarm, strict
        self.monitors = [make() for make in MONITORS] if monitors is None else list(monitors)
        self.told: set[str] = set()  # signals that were told, before a resume too
        self.next = FIRST  # steps at the next round of questions
        self.those = {event: self.interested(event) for event in (*HEARD, "begin", "step", "episode", "row")}

    def interested(self, event: str) -> list[Monitor]:
        return [one for one in self.monitors if getattr(type(one), event) is not getattr(Monitor, event)]

    def start(self, run: Run) -> None:
        listen(run.training, Ears(self))
        self.each("begin", run)
        self.ask(run)

    def step(self, run: Run, tick: Tick) -> None:
        self.each("step", run, tick)
        steps = run.counters.steps
        if steps >= self.next:
            self.next = steps + max(FIRST, steps // 10)
            self.ask(run)

    def episode(self, run: Run, episode: Episode) -> None:
        self.each("episode", run, episode)

    def row(self, run: Run, table: str, row: dict[str, Any]) -> None:
        self.each("row", run, table, row)

    def end(self, run: Run, result: Any) -> None:
        self.ask(run)

    def ask(self, run: Run) -> None:
        """Asks each monitor what looks wrong, and tells what is new."""
        for finding in self.found(run):
            if finding.signal.name not in self.told:
                self.told.add(finding.signal.name)
                self.tell(run, finding)

    def found(self, run: Run) -> Iterator[Finding]:
        for monitor in list(self.monitors):
            try:
                yield from list(monitor.judge(run))
            except Exception as error:  # whatever is wrong with it
                self.drop(monitor, error)

    def tell(self, run: Run, finding: Finding) -> None:
        """A row of alarms.csv, and a line for the user."""
        if finding.severity == "note":
            detail(finding.line())
            return
        self.folder.append("alarms.csv", finding.row(run.counters.steps), ALARMS)
        warn(f"{finding.signal.name}: {finding.line()}")
        if finding.severity == "stop" and self.on_alarm == "stop":
            run.stop("alarm")

    def each(self, event: str, *what: Any) -> None:
        """Calls a method of each monitor that has it."""
        for monitor in self.those[event]:
            try:
                getattr(monitor, event)(*what)
            except Exception as error:  # whatever is wrong with it
                self.drop(monitor, error)

    def drop(self, monitor: Monitor, error: Exception) -> None:
        """A monitor that fails costs no run."""
        if self.strict:
            raise error
        self.monitors = [one for one in self.monitors if one is not monitor]
        self.those = {event: [one for one in some if one is not monitor] for event, some in self.those.items()}
        warn(f"the checkup's {type(monitor).__name__} failed and is left out: {type(error).__name__}: {error}")

    def get_state(self) -> dict[str, Any]:
        kept = {type(one).__name__: one.get_state() for one in self.monitors}
        return {"told": sorted(self.told), "next": self.next, "monitors": kept}

    def set_state(self, state: dict[str, Any]) -> None:
        self.told, self.next = set(state["told"]), state["next"]
        for monitor in self.monitors:
            if type(monitor).__name__ in state["monitors"]:
                monitor.set_state(state["monitors"][type(monitor).__name__])


class Ears(Listener):
    """Passes on what was heard to the monitors that listen."""

    def __init__(self, watch: Watch):
        for event in HEARD:
            setattr(self, event, lambda *what, name=event: watch.each(name, *what))
