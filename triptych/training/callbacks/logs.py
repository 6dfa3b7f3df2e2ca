"""What stands around the loop and watches its ticks: logs, the best weights, evaluation."""

from __future__ import annotations

import math
from typing import Any

from triptych.envs.play import Score
from triptych.runs.folder import EPISODES, RunFolder, metrics_columns
from triptych.training.base import Training
from triptych.training.callbacks.meters import Clock, Mean
from triptych.training.loop import Episode, Tick
from triptych.utils.console import warn


class Logs:
    """Writes episodes.csv (a row an episode) and metrics.csv (a row every `log_every` steps)."""

    def __init__(self, run: RunFolder, clock: Clock, reported: tuple[str, ...]):
        self.run, self.clock = run, clock
        self.columns = metrics_columns(reported)
        self.episode_loss = Mean()
        self.means = {name: Mean() for name in ("loss", *reported, "gradient_norm")}  # of what the updates report
        self.rows = 0  # periods of metrics.csv that have passed
        self.diverged = False

    def see(self, training: Training, tick: Tick) -> None:
        for update in tick.updates:
            self.episode_loss.add(update["loss"])
            for name, mean in self.means.items():
                mean.add(update[name])
        for episode in tick.episodes:
            self.write_episode(training, tick.epsilon, episode)
        periods = training.counters.steps // training.recipe.log_every
        if periods > self.rows:
            self.rows = periods
            self.write_metrics(training, tick.epsilon, None)

    def write_episode(self, training: Training, epsilon: float, episode: Episode) -> None:
        counters = training.counters
        row = {
            "episode": episode.number,
            "frames": counters.steps * training.games.frames_per_step,
            "steps": counters.steps,
            "updates": counters.updates,
            "episode_reward": episode.reward,
            "episode_length": episode.length,
            "running_reward": episode.running_reward,
            "max_reward": episode.max_reward,
            "epsilon": epsilon,
            "loss": self.episode_loss.take(),
            "seconds": self.clock.seconds(),
        }
        self.run.append("episodes.csv", row, EPISODES)

    def write_metrics(self, training: Training, epsilon: float, score: Score | None) -> None:
        row: dict[str, Any] = {
            "steps": training.counters.steps,
            "updates": training.counters.updates,
            "epsilon": epsilon,
            "learning_rate": training.rate,
            "seconds": self.clock.seconds(),
        }
        if score is None:
            row |= {name: mean.take() for name, mean in self.means.items()}
            self.check_loss(row)
        else:
            row |= {f"evaluation_{name}": value for name, value in score._asdict().items()}
        self.run.append("metrics.csv", row, self.columns)

    def check_loss(self, row: dict[str, Any]) -> None:
        """Says it once when the loss is no number any more: nothing that follows can mend it."""
        if row["loss"] is not None and not math.isfinite(row["loss"]) and not self.diverged:
            self.diverged = True
            warn(
                f"loss is {row['loss']} at step {row['steps']:,}: the run has diverged; a lower learning rate may help"
            )

    def get_state(self) -> dict[str, Any]:
        means = {name: mean.settle() for name, mean in self.means.items()}
        return {"episode_loss": self.episode_loss.settle(), "means": means, "rows": self.rows}

    def set_state(self, state: dict[str, Any]) -> None:
        self.episode_loss = Mean(*state["episode_loss"])
        self.means = {name: Mean(*state["means"][name]) for name in self.means}
        self.rows = state["rows"]
