"""The rows of episodes.csv and metrics.csv."""

from __future__ import annotations

import math
from typing import Any

from triptych.envs.play import Score
from triptych.training.base import Episode
from triptych.training.callbacks.base import Callback, Run
from triptych.training.callbacks.meters import Largest, Mean
from triptych.training.loop import Tick
from triptych.utils.checks import passed
from triptych.utils.failures import NotFiniteError


class Logs(Callback):
    """Logs a row an episode, a row of metrics every `log_every` steps, and one for each evaluation.

    Args:
        reported: what the algorithm's updates report beside their loss.
    """

    def __init__(self, reported: tuple[str, ...]):
        self.episode_loss = Mean()
        names = ("loss", *reported, "gradient_norm")
        self.means = {
            name: Largest() if name.endswith("_max") else Mean() for name in names
        }  # of what the updates report
        self.rows = 0  # periods of metrics.csv that have passed
        self.epsilon = 0.0  # of the last step

    def see(self, run: Run, tick: Tick) -> None:
        self.epsilon = tick.epsilon
        super().see(run, tick)

    def update(self, run: Run, scalars: dict[str, Any]) -> None:
        self.episode_loss.add(scalars["loss"])
        for name, mean in self.means.items():
            mean.add(scalars[name])
        self.check_finite(run)

    def episode(self, run: Run, episode: Episode) -> None:
        counters = run.counters
        row = {
            "episode": episode.number,
            "frames": counters.steps * run.training.games.frames_per_step,
            "steps": counters.steps,
            "updates": counters.updates,
            "episode_reward": episode.reward,
            "episode_length": episode.length,
            "running_reward": episode.running_reward,
            "max_reward": episode.max_reward,
            "epsilon": self.epsilon,
            "loss": self.episode_loss.take(),
            "seconds": run.clock.seconds(),
        }
        run.log("episodes", row)

    def step(self, run: Run, tick: Tick) -> None:
        periods = passed(run.recipe.log_every, run.counters)
        if periods > self.rows:
            self.rows = periods
            for mean in self.means.values():
                mean.settle()
            self.check_finite(run)
            means = {name: mean.take() for name, mean in self.means.items()}
            run.log("metrics", self.metrics(run) | means)

    def evaluation(self, run: Run, score: Score) -> None:
        run.log("metrics", self.metrics(run) | {f"evaluation_{name}": value for name, value in score._asdict().items()})

    def metrics(self, run: Run) -> dict[str, Any]:
        """What every row of metrics.csv has."""
        return {
            "steps": run.counters.steps,
            "updates": run.counters.updates,
            "epsilon": self.epsilon,
            "learning_rate": run.training.learning_rate,
            "seconds": run.clock.seconds(),
        }

    def check_finite(self, run: Run) -> None:
        """Ends the run where loss or gradient is not finite any more: nothing that follows can mend the weights.

        Raises:
            NotFiniteError
        """
        for name in ("loss", "gradient_norm"):
            newest = self.means[name].newest
            if not math.isfinite(newest):
                raise NotFiniteError(f"{name.replace('_', ' ')} is {newest} at step {run.counters.steps:,}")

    def get_state(self) -> dict[str, Any]:
        means = {name: mean.settle() for name, mean in self.means.items()}
        return {"episode_loss": self.episode_loss.settle(), "means": means, "rows": self.rows, "epsilon": self.epsilon}

    def set_state(self, state: dict[str, Any]) -> None:
        self.episode_loss = Mean(*state["episode_loss"])
        self.means = {name: type(mean)(*state["means"][name]) for name, mean in self.means.items()}
        self.rows = state["rows"]
        self.epsilon = state.get("epsilon", 0.0)
