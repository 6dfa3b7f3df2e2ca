"""What stands around the loop and watches its ticks: logs, the best weights, evaluation."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np

from triptych.checkpoints import Checkpoints
from triptych.checks import Period
from triptych.envs import Games
from triptych.intervals import bootstrap_mean
from triptych.loop import Episode, Tick
from triptych.messages import warn
from triptych.parts import Training
from triptych.play import Score, play_games
from triptych.recipes import Recipe
from triptych.runs import EPISODES, RunFolder, metrics_columns
from triptych.seeds import game_seeds, generator
from triptych.videos import Film


class Mean:
    """The mean of scalars; each is fetched from its device when the next one comes. The order of addition is fixed.

    Kept there until a row is written, thousands of them would lie in memory between the freed arrays of the updates, and
    no later array would fit into the gaps: gigabytes.
    """

    def __init__(self, total: float = 0.0, count: int = 0):
        self.total, self.count = total, count
        self.pending: Any = None  # the last scalar: its update may not be done yet

    def add(self, value: Any) -> None:
        self.settle()
        self.pending = value

    def settle(self) -> tuple[float, int]:
        """Fetches what is pending: (sum, count)."""
        if self.pending is not None:
            self.total += float(self.pending)
            self.count += 1
            self.pending = None
        return self.total, self.count

    def take(self) -> float | None:
        """The mean since the last take (None: nothing came), then starts anew."""
        total, count = self.settle()
        self.total, self.count = 0.0, 0
        return total / count if count else None


class Clock:
    """Seconds since the run's start, over all its sittings, and the part of them spent in the loop."""

    def __init__(self, before: float = 0.0):
        self.before = before
        self.start = time.perf_counter()
        self.paused = 0.0

    def restart(self) -> None:
        """Counts from now: what came before was set-up."""
        self.start = time.perf_counter()

    def seconds(self) -> float:
        return round(self.before + time.perf_counter() - self.start, 3)

    def playing(self) -> float:
        """Seconds of this sitting, without evaluations and checkpoints."""
        return time.perf_counter() - self.start - self.paused

    def pause(self, work: Callable[[], Any]) -> Any:
        """Does something that is not play or learning."""
        start = time.perf_counter()
        result = work()
        self.paused += time.perf_counter() - start
        return result


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


class Best:
    """Keeps the weights at the highest mean of the last `best_window` episodes, from the first full window on.

    Episodes that ended before the first update were played at random; they say nothing of any weights.
    """

    def __init__(self, checkpoints: Checkpoints, window: int, clock: Clock):
        self.checkpoints, self.clock = checkpoints, clock
        self.recent: deque[float] = deque(maxlen=window)
        self.score: float | None = None
        self.step: int | None = None

    def see(self, training: Training, tick: Tick) -> None:
        if training.counters.updates == 0:
            return
        self.recent.extend(episode.reward for episode in tick.episodes)
        if not tick.episodes or len(self.recent) < (self.recent.maxlen or 0):
            return
        mean = float(np.mean(self.recent))
        if self.score is None or mean >= self.score:  # of equals the later: more training stands behind it
            self.score, self.step = mean, training.counters.steps
            self.clock.pause(lambda: keep_weights(self.checkpoints, "best", training))

    def get_state(self) -> dict[str, Any]:
        return {"recent": list(self.recent), "score": self.score, "step": self.step}

    def set_state(self, state: dict[str, Any]) -> None:
        self.recent.extend(state["recent"])
        self.score, self.step = state["score"], state["step"]


class Periodic:
    """Counts the periods of a recipe that have passed."""

    def __init__(self, period: Period | None):
        self.period, self.done = period, 0

    def due(self, training: Training) -> bool:
        """Whether a period has passed since this was last true."""
        if self.period is None:
            return False
        number, unit = self.period
        passed: int = getattr(training.counters, unit) // number
        due, self.done = passed > self.done, max(passed, self.done)
        return due

    def get_state(self) -> dict[str, Any]:
        return {"done": self.done}

    def set_state(self, state: dict[str, Any]) -> None:
        self.done = state["done"]


class KeptWeights(Periodic):
    """Keeps the weights every `weights_every`, besides those at the checkpoints."""

    def __init__(self, checkpoints: Checkpoints, period: Period | None, clock: Clock):
        super().__init__(period)
        self.checkpoints, self.clock = checkpoints, clock

    def see(self, training: Training, tick: Tick) -> None:
        if self.due(training):
            name = f"weights-{training.counters.steps:09d}"
            self.clock.pause(lambda: keep_weights(self.checkpoints, name, training))


class Evaluation(Periodic):
    """Test games every `evaluate_every`, with an environment and seeds of their own; the first may be filmed."""

    def __init__(self, make_games: Callable[[int], Games], logs: Logs, clock: Clock, recipe: Recipe):
        super().__init__(recipe.evaluation_period)
        self.make_games, self.logs, self.clock = make_games, logs, clock
        self.games: Games | None = None

    def see(self, training: Training, tick: Tick) -> None:
        if self.due(training):
            score = self.clock.pause(lambda: self.play(training))
            self.logs.write_metrics(training, tick.epsilon, score)

    def play(self, training: Training) -> Score:
        recipe = training.recipe
        self.games = self.games or self.make_games(recipe.evaluate_games)
        seeds = game_seeds(recipe.seed, "evaluation", self.done, recipe.evaluate_games)
        agent = training.agent
        # Draws the same in every sitting, and not what the first game draws from its own seed.
        agent.rng = generator(int(seeds[0]), "evaluation")
        with ExitStack() as stack:
            film = None
            if recipe.video_fps:
                path = self.logs.run.path / "videos" / f"update-{training.counters.updates:09d}.mp4"
                film = stack.enter_context(Film(recipe.env, path, recipe.video_fps))
            played = play_games(agent, self.games, seeds, longest=recipe.evaluate_steps, film=film)
        return Score(*bootstrap_mean([[game.reward for game in played]]), len(played))

    def close(self) -> None:
        if self.games:
            self.games.close()


def keep_weights(checkpoints: Checkpoints, name: str, training: Training) -> None:
    counters = training.counters
    checkpoints.save_weights(name, training.learner.get_weights(), counters.steps, counters.updates)
