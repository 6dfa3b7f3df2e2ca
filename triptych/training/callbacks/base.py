"""What watches a run: one protocol, of what Triptych itself writes and shows, and of anything that a user brings.

The order in an iteration of the loop: `update` for each update, `episode` for each episode that ended, `step` once; then the
next callback. Triptych's own come first (logs, best weights, kept weights, evaluation), the user's after them, in the order given.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from triptych.envs.play import Score
from triptych.recipes import Recipe
from triptych.training.agent import Agent
from triptych.training.base import Counters, Episode, Training
from triptych.training.callbacks.meters import Clock
from triptych.training.loop import Tick
from triptych.utils.checks import InputError, check


class Run(Protocol):
    """What a callback is told of: the run as it goes on. `training.session.Session` is it."""

    path: Path  # the run's folder
    recipe: Recipe
    framework: str
    training: Training  # the moving parts: learner, games, replay; for those who know them
    clock: Clock
    agent: Agent  # has `predict`; its weights are the newest
    alarms: list[dict[str, Any]]  # what the checkup found wrong so far, the rows of alarms.csv
    stopped_by: str  # why the run is over; "" as long as it is not

    @property
    def counters(self) -> Counters:
        """Steps, updates, episodes so far."""
        ...

    @property
    def failure(self) -> Exception | None:
        """What failed, and ends the session; None: nothing has."""
        ...

    @property
    def scores(self) -> Collection[float]:
        """Rewards of the last 100 episodes."""
        ...

    def weights(self) -> dict[str, np.ndarray]:
        """The newest weights by neutral name, as copies."""
        ...

    def log(self, table: str, row: dict[str, Any]) -> None:
        """Writes a row of episodes.csv or metrics.csv and shows it to every callback."""
        ...

    def keep_weights(self, name: str) -> None:
        """Writes the newest weights as `checkpoints/NAME.safetensors`."""
        ...

    def tell(self, event: str, *what: Any) -> None:
        """Calls a method of every callback."""
        ...

    def stop(self, reason: str) -> None:
        """Asks the run to end after this iteration, with a checkpoint; `stopped_by` in summary.json says why."""
        ...

    def pause(self) -> None:
        """Asks the session to end after this iteration as a signal would: the run is not over, and can be resumed."""
        ...


class Callback:
    """Watches a run. Every method may be left as it is; none may change what is learned.

    Scalars of an update lie on the device until `float(...)` is called on them, which waits for it.
    """

    @property
    def name(self) -> str:
        """By which a checkpoint keeps its state."""
        return type(self).__qualname__

    def start(self, run: Run) -> None:
        """The run begins, or goes on after a resume; nothing of this session has been played."""

    def update(self, run: Run, scalars: dict[str, Any]) -> None:
        """An update was made; its loss, gradient norm and what the algorithm's `metrics` name."""

    def episode(self, run: Run, episode: Episode) -> None:
        """An episode ended."""

    def step(self, run: Run, tick: Tick) -> None:
        """Every game took a step, or restarted (where `tick.mask` is False); counters stand after it."""

    def row(self, run: Run, table: str, row: dict[str, Any]) -> None:
        """A row was written into `table` ("episodes" or "metrics"): the place for loggers. Values are numbers or None."""

    def evaluation(self, run: Run, score: Score) -> None:
        """Test games were played."""

    def checkpoint(self, run: Run) -> None:
        """A checkpoint was written, from which a resume goes on."""

    def ending(self, run: Run) -> None:
        """Nothing more is played in this session; summary.json is about to be written."""

    def end(self, run: Run, result: Any) -> None:
        """The run ended or was interrupted; `result` is what `train` returns."""

    def get_state(self) -> dict[str, Any]:
        """What a resume needs, as JSON; it is kept in the checkpoints."""
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        """Takes up what `get_state` gave."""

    def see(self, run: Run, tick: Tick) -> None:
        """Tells it of an iteration, in the order that all callbacks have."""
        for scalars in tick.updates:
            self.update(run, scalars)
        for episode in tick.episodes:
            self.episode(run, episode)
        self.step(run, tick)


EVENTS = ("start", "update", "episode", "step", "row", "evaluation", "checkpoint", "ending", "end")


class Borrowed(Callback):
    """Anything with some of the events' methods, or a function `f(run, tick)` that is called at each step."""

    def __init__(self, watcher: Any):
        self.watcher = watcher
        names = (*EVENTS, "get_state", "set_state")
        found = {name: getattr(watcher, name) for name in names if callable(getattr(watcher, name, None))}
        if not found and callable(watcher):
            found = {"step": watcher}
        allowed = f"a function of (run, tick), or an object with one of {', '.join(EVENTS)}"
        check(bool(set(found) & set(EVENTS)), "callback", watcher, allowed)
        for name, method in found.items():
            setattr(self, name, method)

    @property
    def name(self) -> str:
        return str(getattr(self.watcher, "__qualname__", type(self.watcher).__qualname__))


LOGGERS: dict[str, Callable[[], Any]] = {}  # what makes a callback for every run of this process, by name


def register_callback(make: Callable[[], Any], name: str | None = None) -> None:
    """Makes a callback known that every run gets from now on: `make()` is called once a run. For loggers in a recipe's file.

    Args:
        make: a class or a function without arguments.
        name: of the same name there is one only; None: what `make` is called.
    """
    LOGGERS[name or make.__name__] = make


def callbacks_of(given: Iterable[Any]) -> list[Callback]:
    """The callbacks that a user named, after those that are registered: objects, classes, functions or "module:name".

    Raises:
        InputError: one cannot be imported or is no callback.
    """
    made = [called(make) for make in LOGGERS.values()]
    for watcher in given:
        one = imported(watcher) if isinstance(watcher, str) else watcher
        made.append(called(one) if inspect.isclass(one) else one)
    return [one if isinstance(one, Callback) else Borrowed(one) for one in made]


def called(make: Callable[[], Any]) -> Any:
    try:
        return make()
    except Exception as error:  # whatever the user's own code raises
        allowed = "a class or function that is made without arguments"
        raise InputError(f"callback {make!r} fails: {type(error).__name__}: {error}; allowed: {allowed}") from error


def imported(name: str) -> Any:
    module, _, attribute = name.partition(":")
    check(bool(module and attribute), "callback", name, "module:name")
    try:
        return getattr(importlib.import_module(module), attribute)
    except Exception as error:  # whatever the module raises
        said = f"{type(error).__name__}: {error}"
        raise InputError(f"callback is {name!r}, which cannot be imported ({said}); allowed: module:name") from error
