"""What a monitor is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from triptych.checkup.budget import UNLIMITED, Budget
from triptych.checkup.findings import Finding
from triptych.checkup.listening import HEARD, Listener
from triptych.training.callbacks.base import Run
from triptych.training.counting import Episode, Tick


class Monitor(Listener):
    """Hears a run, and says what looks wrong. Each finding is told once: `Watch` drops a signal that was told before.

    All monitors together may take 1 % of a session's time so far, and one second at its start: whatever costs more than counting is done now
    and then, as `budget` affords it. Those that may rest do so where hearing each step alone takes more than 1.5 %.
    """

    always: tuple[str, ...] = HEARD  # methods of a listener that are called between the windows too, see `Sampled`
    rests = False  # whether it may be left out for a while where even that costs too much
    budget: Budget = UNLIMITED  # the watch's: whether a look that takes long may be taken now

    def begin(self, run: Run) -> None:
        """The session begins, at step 0 or after a resume."""

    def step(self, run: Run, tick: Tick) -> None:
        """Every game took a step."""

    def episode(self, run: Run, episode: Episode) -> None:
        """An episode ended."""

    def row(self, run: Run, table: str, row: dict[str, Any]) -> None:
        """A row of episodes.csv or metrics.csv was written: loss, gradient norm and the like as plain numbers, at no cost."""

    def slept(self) -> None:
        """A window begins: what was heard before it is not what came right before."""

    def rest(self, run: Run) -> None:
        """From here on it hears nothing for a while."""

    def wake(self, run: Run) -> None:
        """It heard nothing for a while, and hears again from now on, between two steps."""

    def forget_scores(self) -> None:
        """The run goes on with another network, whose scores begin anew."""

    def judge(self, run: Run) -> Iterator[Finding]:
        """What looks wrong by now. Asked at the start, now and then, and at the end."""
        yield from ()

    def get_state(self) -> dict[str, Any]:
        """What a resume needs, as JSON."""
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        """Takes up what `get_state` gave."""


class Sampled(Monitor):
    """Hears a window of a few steps before each round of questions, and between the windows only what it names in `always`.

    What a monitor is told as a callback (`step`, `episode`, `row`) comes always.
    """

    always: tuple[str, ...] = ()
