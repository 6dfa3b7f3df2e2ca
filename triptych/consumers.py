"""What stands around the loop and watches its ticks: logs, the best weights, evaluation, the progress line."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from triptych.agent import Agent
from triptych.checkpoints import Checkpoints
from triptych.envs import Games
from triptych.intervals import bootstrap_mean
from triptych.loop import METRICS, Episode, Mean, Tick, Training, game_seeds
from triptych.play import Score, play_games
from triptych.runs import RunFolder


class Clock:
    """Seconds since the run's start, over all its sittings, and the part of them spent in the loop."""

    def __init__(self, before: float = 0.0):
        self.before = before
        self.start = time.perf_counter()
        self.paused = 0.0

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

    def __init__(self, run: RunFolder, clock: Clock):
        self.run, self.clock = run, clock
        self.episode_loss = Mean()
        self.means = {name: Mean() for name in METRICS}
        self.rows = 0  # periods of metrics.csv that have passed

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
        self.run.append("episodes.csv", row)

    def write_metrics(self, training: Training, epsilon: float, score: Score | None) -> None:
        row: dict[str, Any] = {
            "steps": training.counters.steps,
            "updates": training.counters.updates,
            "epsilon": epsilon,
            "learning_rate": training.recipe.learning_rate(training.counters.steps),
            "seconds": self.clock.seconds(),
        }
        if score is None:
            row |= {name: mean.take() for name, mean in self.means.items()}
        else:
            row |= {f"evaluation_{name}": value for name, value in score._asdict().items()}
        self.run.append("metrics.csv", row)

    def get_state(self) -> dict[str, Any]:
        means = {name: mean.settle() for name, mean in self.means.items()}
        return {"episode_loss": self.episode_loss.settle(), "means": means, "rows": self.rows}

    def set_state(self, state: dict[str, Any]) -> None:
        self.episode_loss = Mean(*state["episode_loss"])
        self.means = {name: Mean(*state["means"][name]) for name in METRICS}
        self.rows = state["rows"]


class Best:
    """Keeps the weights at the highest mean of the last `best_window` episodes, from the first full window on."""

    def __init__(self, checkpoints: Checkpoints, window: int):
        self.checkpoints = checkpoints
        self.recent: deque[float] = deque(maxlen=window)
        self.score: float | None = None
        self.step: int | None = None

    def see(self, training: Training, tick: Tick) -> None:
        self.recent.extend(episode.reward for episode in tick.episodes)
        if not tick.episodes or len(self.recent) < (self.recent.maxlen or 0):
            return
        mean = float(np.mean(self.recent))
        if self.score is None or mean > self.score:
            self.score, self.step = mean, training.counters.steps
            self.checkpoints.save_weights("best", training.learner.get_weights())

    def get_state(self) -> dict[str, Any]:
        return {"recent": list(self.recent), "score": self.score, "step": self.step}

    def set_state(self, state: dict[str, Any]) -> None:
        self.recent.extend(state["recent"])
        self.score, self.step = state["score"], state["step"]


class Evaluation:
    """Greedy test games every `evaluate_every` steps, with an environment and seeds of their own."""

    def __init__(self, make_games: Callable[[int], Games], logs: Logs, clock: Clock):
        self.make_games, self.logs, self.clock = make_games, logs, clock
        self.games: Games | None = None
        self.done = 0

    def see(self, training: Training, tick: Tick) -> None:
        every = training.recipe.evaluate_every
        if every and training.counters.steps // every > self.done:
            self.done = training.counters.steps // every
            score = self.clock.pause(lambda: self.play(training))
            self.logs.write_metrics(training, tick.epsilon, score)

    def play(self, training: Training) -> Score:
        recipe = training.recipe
        self.games = self.games or self.make_games(recipe.evaluate_games)
        seeds = game_seeds(recipe.seed, "evaluation", self.done, recipe.evaluate_games)
        played = play_games(Agent(training.learner, self.games.observation), self.games, seeds)
        return Score(*bootstrap_mean([[game.reward for game in played]]), len(played))

    def close(self) -> None:
        if self.games:
            self.games.close()

    def get_state(self) -> dict[str, Any]:
        return {"done": self.done}

    def set_state(self, state: dict[str, Any]) -> None:
        self.done = state["done"]


class ProgressLine:
    """A live bar on a terminal; a plain line now and then elsewhere. Says once when the run will end."""

    every = 30.0  # seconds between plain lines
    announce_after = 20.0  # seconds of learning before the end is foretold, 45 in all at most

    def __init__(self, title: str, total: int, quiet: bool, start: int = 0):
        self.console = Console(stderr=True, quiet=quiet)
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
        self.title, self.total, self.first = title, total, start
        self.start = self.shown = time.perf_counter()
        self.learning: tuple[float, int] | None = None  # when the first update came, and at which step
        self.announced = False

    def see(self, training: Training, tick: Tick) -> None:
        steps, now = training.counters.steps, time.perf_counter()
        if tick.updates and self.learning is None:
            self.learning = now, steps
        if not self.announced:
            self.announce(steps, now)
        if now - self.shown > (0.1 if self.live else self.every):
            self.shown = now
            score = f"reward {np.mean(training.scores):.1f}" if training.scores else ""
            note = f"{(steps - self.first) / (now - self.start):,.0f} steps/s {score}"
            self.bar.update(self.task, completed=min(steps, self.total), note=note)
            if not self.live:
                self.say(f"{self.title} {steps:,}/{self.total:,} steps, {note}")

    def announce(self, steps: int, now: float) -> None:
        """Within the first minute: when the run will end at the speed measured since learning began."""
        since, at = self.learning or (self.start, self.first)
        if steps <= at or not ((now - since > self.announce_after and self.learning) or now - self.start > 45):
            return
        self.announced = True
        speed = (steps - at) / (now - since)
        left = (self.total - steps) / speed
        if left < 60:
            return
        end = time.strftime("%H:%M on %d %B", time.localtime(time.time() + left))
        hint = "" if self.learning else " (no update yet: learning will be slower)"
        self.say(f"{speed:,.0f} steps/s: {self.total:,} steps end about {end}, in {left / 60:,.0f} min{hint}")

    def say(self, text: str) -> None:
        self.console.print(text, highlight=False, soft_wrap=True, markup=False)

    def __enter__(self) -> ProgressLine:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()
        sys.stderr.flush()
