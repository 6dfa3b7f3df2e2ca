"""A glance at the agent now and then: what it sees and its values, for a page that watches the run."""

from __future__ import annotations

import time
from typing import Any

from triptych.runs.now import Now, write_now
from triptych.training.callbacks.base import Callback, Run
from triptych.training.callbacks.broken import Broken
from triptych.training.loop import Tick
from triptych.training.sight import Pace
from triptych.utils.console import detail


class Glance(Callback):
    """Leaves now.json in the run's folder every few seconds. It draws nothing at random and changes nothing.

    One forward pass of the network and a small file; the longer they take, the rarer they come. Where that fails, as on a full
    disk, there are no more of them: the run does not need them.

    Args:
        broken: counts the steps that nothing is learned from.
    """

    def __init__(self, broken: Broken) -> None:
        self.broken = broken
        self.pace = Pace()
        self.given_up = False

    def see(self, run: Run, tick: Tick) -> None:
        if self.pace.is_due:
            self.take(run)

    def end(self, run: Run, result: Any) -> None:
        self.take(run)

    def take(self, run: Run) -> None:
        if self.given_up:
            return
        began = time.perf_counter()
        try:
            content = self.content(run)
            if content is None:
                return
            write_now(run.path, content)
        except Exception as error:  # of the user's own game, too: whatever it is, the run goes on
            self.given_up = True
            detail(f"no more of what the agent sees: {type(error).__name__}: {error}")
        self.pace.taken(began)

    def content(self, run: Run) -> Now | None:
        """What the file holds; None: there is nothing to be seen now."""
        sight = run.training.sight()
        if sight is None:
            return None
        counters = run.counters
        return {
            "steps": counters.steps, "updates": counters.updates, "episode": counters.episodes + 1, "broken_steps": self.broken.count, **sight,
        }  # fmt: skip
