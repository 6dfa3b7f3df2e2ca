"""Steps whose numbers were not finite, and that nothing was learned from."""

from __future__ import annotations

from typing import Any

from triptych.training.callbacks.base import Callback, Run
from triptych.training.loop import Tick
from triptych.utils.checks import EnvironmentFailed
from triptych.utils.console import warn

FEWEST = 100  # steps of a run that are played at least before it is given up
UNKNOWN = "a number was not finite"  # of runs of before, which did not keep the first


class Broken(Callback):
    """Says the first number that was not finite at once, and counts all such steps. Where there are no others, the run fails."""

    def __init__(self) -> None:
        self.count = 0
        self.first = ""  # the first such number, and at which step of the run

    def step(self, run: Run, tick: Tick) -> None:
        if tick.step.trouble and not self.first:  # at a reset, too, which is no step and not broken itself
            self.first = f"{tick.step.trouble[0]}, at step {run.counters.steps:,} of the run"
            warn(f"{self.first}; nothing is learned from such steps")
        if tick.step.broken is not None:
            self.count += int((tick.step.broken & tick.mask).sum())
        if self.count == run.counters.steps and run.counters.updates == 0:
            self.check_hope(run)

    def check_hope(self, run: Run) -> None:
        """Ends a run that was to learn by now, where not one step so far had finite numbers.

        Raises:
            EnvironmentFailed
        """
        recipe, steps = run.recipe, run.counters.steps
        before = recipe.algorithm.steps_before_updates(recipe.num_envs)
        if before < recipe.steps and steps >= min(max(before, FEWEST), recipe.steps):
            problem = f"not one of the {steps:,} steps so far could be learned from; the first: {self.first}"
            raise EnvironmentFailed(recipe.env.id, None, steps, problem)

    def get_state(self) -> dict[str, Any]:
        return {"count": self.count, "first": self.first}

    def set_state(self, state: dict[str, Any]) -> None:
        self.count = state["count"]
        told = state.get("told", self.count > 0)  # states of before say only whether it was told
        self.first = state.get("first", UNKNOWN if told else "")
