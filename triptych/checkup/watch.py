"""The checkup of a run that goes on: a callback that has ears, asks the monitors now and then, and writes alarms.csv."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Literal, get_args

from triptych.checkup.budget import Budget
from triptych.checkup.findings import ALARMS as COLUMNS
from triptych.checkup.findings import Finding
from triptych.checkup.listening import HEARD, Listener, Tests, after, listen
from triptych.checkup.monitors.base import Monitor
from triptych.checkup.monitors.every import MONITORS
from triptych.runs.alarms import alarms_or_none
from triptych.runs.folder import RunFolder
from triptych.runs.names import ALARMS
from triptych.training.callbacks.base import Callback, Run
from triptych.training.counting import Episode, Tick
from triptych.utils.checks import check
from triptych.utils.console import say, warn

OnAlarm = Literal["warn", "stop", "off"]
STRICT = "TRIPTYCH_STRICT_CHECKUP"  # set in our own tests: a monitor that fails turns them red
FIRST = 100  # steps between two rounds of questions at first, then a tenth of those made: the same in each run
WINDOW = 32  # steps of every game before each round of questions in which the monitors hear what is sent, received and learned
MOST = 20_000  # steps between two rounds at most
SURE = 10  # rounds that are made in each session, whatever they cost; later ones as the budget affords them
TICKS = 64  # steps of every game between two looks at the clock


class Watch(Callback):
    """Asks monitors, tells their alarms, and stops the run where that is wished.

    Args:
        folder: the run's, locked.
        on_alarm: "stop" ends the run at an alarm whose severity is stop; "warn" only tells; "off": nothing is listened to.
        monitors: None: all.
        budget: what the monitors may cost; how often they look follows the clock, what the run does never.
        strict: a monitor that fails raises; else it is left out from then on, with a warning, as it may cost no run. None: only
            where the environment says so.
    """

    def __init__(
        self,
        folder: RunFolder,
        on_alarm: OnAlarm = "warn",
        monitors: Sequence[Monitor] | None = None,
        strict: bool | None = None,
        budget: Budget | None = None,
    ):
        self.folder, self.on_alarm = folder, on_alarm
        self.strict = bool(os.environ.get(STRICT)) if strict is None else strict
        self.calls: dict[str, list[Any]] = {}  # methods that are called within a window, by event
        self.asleep: dict[str, list[Any]] = {}  # and between the windows
        self.monitors: list[Monitor] = [make() for make in MONITORS] if monitors is None else list(monitors)
        self.kept: dict[str, Any] = {}  # of monitors that are not there, for a resume that has them again
        self.told: set[str] = set()  # signals that were told, before a resume too
        self.over = False
        self.next = FIRST  # steps at the next round of questions
        self.games = 1  # that take a step together
        self.awake = True  # whether a window is open
        self.budget = budget or Budget()
        self.rounds = self.ticks = 0  # of this session
        self.resting: list[Monitor] = []  # that are left out, as hearing each step takes too much
        for monitor in self.monitors:
            monitor.budget = self.budget
        self.arrange()

    def arrange(self) -> None:
        """Who is told of what, while a window is open and always."""
        events = (*HEARD, "begin", "step", "episode", "row", "slept")
        self.those = {event: self.interested(event) for event in events}
        resting = {id(one) for one in self.resting}
        for event in (*HEARD, "episode"):
            self.those[event] = [one for one in self.those[event] if id(one) not in resting]
        self.calls, self.asleep = {}, {}
        for event in HEARD:
            those = self.those[event]
            self.calls[event] = [getattr(one, event) for one in those]
            self.asleep[event] = [getattr(one, event) for one in those if event in one.always]

    def interested(self, event: str) -> list[Monitor]:
        return [one for one in self.monitors if getattr(type(one), event) is not getattr(Monitor, event)]

    def start(self, run: Run) -> None:
        run.alarms.extend(alarms_or_none(self.folder.path))  # of earlier sessions
        if self.on_alarm == "off":
            self.leave_out(self.monitors)
            return
        self.each("begin", run)  # before there are ears: what a monitor tries out here is no part of the run
        ears = Ears(self)
        listen(run.training, ears)
        ears.listen_to_tests(getattr(getattr(run, "watchers", None), "evaluation", None), run.training)
        self.games = max([1, *(player.games.num_envs for player in run.training.players())])
        self.arrange()
        self.ask(run)
        self.budget.begin()  # what is done before the first step is no part of it

    def step(self, run: Run, tick: Tick) -> None:
        since = self.budget.clock()
        self.each("step", run, tick)
        steps = run.counters.steps
        if steps >= self.next:
            self.next = steps + min(MOST, max(FIRST, steps // 10))
            if self.may_look():
                self.rounds += 1
                self.ask(run)
            self.awake = False
        if not self.awake and steps >= self.next - WINDOW * self.games and self.may_look():
            self.awake = True
            self.each("slept")
        self.ticks += 1
        if self.ticks % TICKS == 0:
            self.watch_costs(run)
        self.budget.took(since)

    def may_look(self) -> bool:
        return self.rounds < SURE or self.budget.affords()

    def watch_costs(self, run: Run) -> None:
        """Leaves out what hears each step where that takes too much, and takes it up again once it is affordable."""
        if not self.resting and self.budget.is_overdrawn():
            self.resting = [one for one in self.monitors if one.rests]
            self.arrange()
            self.each("rest", run, some=list(self.resting))
        elif self.resting and self.budget.affords():
            again, self.resting = self.resting, []
            self.arrange()
            self.each("wake", run, some=again)

    def episode(self, run: Run, episode: Episode) -> None:
        since = self.budget.clock()
        self.each("episode", run, episode)
        self.budget.took(since)

    def row(self, run: Run, table: str, row: dict[str, Any]) -> None:
        self.each("row", run, table, row)

    def ending(self, run: Run) -> None:
        self.over = True  # an alarm stops nothing any more
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
            if not getattr(run, "quiet", True):
                say(finding.line())
            return
        row = finding.row(run.counters.steps)
        self.folder.append(ALARMS, row, COLUMNS)
        run.alarms.append(row)
        warn(f"{finding.signal.name}: {finding.line()}")
        if finding.severity == "stop" and self.on_alarm == "stop" and not self.over:
            run.stop("alarm")

    def hear(self, event: str, *what: Any) -> None:
        """Passes on what the ears hear."""
        some = (self.calls if self.awake else self.asleep)[event]
        if not some:
            self.budget.passed()
            return
        since = self.budget.clock()
        for call in some:
            try:
                call(*what)
            except Exception as error:  # whatever is wrong with it
                self.drop(call.__self__, error)
        self.budget.took(since)

    def each(self, event: str, *what: Any, some: list[Monitor] | None = None) -> None:
        """Calls a method of each monitor that has it."""
        for monitor in self.those[event] if some is None else some:
            try:
                getattr(monitor, event)(*what)
            except Exception as error:  # whatever is wrong with it
                self.drop(monitor, error)

    def drop(self, monitor: Monitor, error: Exception) -> None:
        """A monitor that fails costs no run."""
        if self.strict:
            raise error
        self.leave_out([monitor])
        warn(f"the checkup's {type(monitor).__name__} failed and is left out: {type(error).__name__}: {error}")

    def leave_out(self, some: Sequence[Monitor]) -> None:
        """These hear nothing and are asked nothing any more."""
        gone = {id(one) for one in some}
        self.monitors = [one for one in self.monitors if id(one) not in gone]
        self.resting = [one for one in self.resting if id(one) not in gone]
        self.arrange()

    def forget_scores(self) -> None:
        """The run goes on with another network, whose scores begin anew."""
        for monitor in self.monitors:
            monitor.forget_scores()

    def get_state(self) -> dict[str, Any]:
        kept = self.kept | {type(one).__name__: one.get_state() for one in self.monitors}
        return {"told": sorted(self.told), "next": self.next, "monitors": kept}

    def set_state(self, state: dict[str, Any]) -> None:
        self.told, self.next, self.kept = set(state["told"]), state["next"], state["monitors"]
        for monitor in self.monitors:
            if type(monitor).__name__ in state["monitors"]:
                monitor.set_state(state["monitors"][type(monitor).__name__])


def check_on_alarm(wanted: str) -> None:
    """Refuses what is none of the ways to answer an alarm.

    Raises:
        InputError
    """
    check(wanted in get_args(OnAlarm), "on_alarm", wanted, ", ".join(get_args(OnAlarm)))


class Ears(Listener):
    """Passes on what was heard to the monitors that listen."""

    def __init__(self, watch: Watch):
        self.tests: Tests | None = None
        for event in HEARD:
            setattr(self, event, partial(watch.hear, event))
        self.heard = self.acted  # type: ignore[has-type]
        self.acted = self.told_apart  # type: ignore[method-assign]

    def listen_to_tests(self, evaluation: Any, training: Any) -> None:
        if evaluation is None:
            return
        self.tests = Tests(evaluation, self)
        if not any(player.learner is training.learner for player in training.players()):  # workers have theirs
            after(training.learner, "act", self.asked_in_tests)

    def asked_in_tests(self, answer: Any, *given: Any) -> None:
        if self.tests is not None and self.tests.playing:
            self.tests.acted(given, answer[0])

    def told_apart(self, player: int, given: tuple[Any, ...], answer: Any) -> None:
        """What the network is asked for in a test game is none of the training's."""
        if self.tests is not None and self.tests.playing:
            self.tests.acted(given, answer[0])
        else:
            self.heard(player, given, answer)
