"""A session: one process' share of a run. The training and everything that watches it, until a limit or an interrupt."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from triptych import envs, frameworks
from triptych.recipes.feasibility import Prepared
from triptych.runs.checkpoints import Checkpoints
from triptych.runs.folder import EPISODES, RUNNING, RunFolder, metrics_columns
from triptych.runs.records import RunResult, write_summary
from triptych.training.base import Counters
from triptych.training.budget import interval, introduction
from triptych.training.build import compile_learner, make_training
from triptych.training.callbacks.base import Callback
from triptych.training.callbacks.evaluation import Evaluation
from triptych.training.callbacks.logs import Logs
from triptych.training.callbacks.meters import Clock
from triptych.training.callbacks.progress import ProgressLine
from triptych.training.callbacks.weights import Best, KeptWeights
from triptych.training.loop import run_loop
from triptych.training.profiler import Profile, gains
from triptych.utils import machine
from triptych.utils.checks import check, passed
from triptych.utils.console import detail, say, warn
from triptych.utils.interrupts import Interrupts
from triptych.utils.state import State


class Session:
    """A training with its logs, checkpoints, evaluations, progress line, and whatever else watches it (`callbacks.base`).

    Args:
        folder: the run's, locked.
        prepared: the recipe with its games, see `recipes.feasibility.prepare`.
        callbacks: the user's own, after Triptych's.
        checkpoints: those of a run that is resumed.
    """

    def __init__(
        self,
        folder: RunFolder,
        prepared: Prepared,
        framework: str,
        *,
        quiet: bool,
        callbacks: Sequence[Callback] = (),
        checkpoints: Checkpoints | None = None,
        profile: Profile | None = None,
    ):
        recipe = prepared.recipe
        frameworks.set_threads(prepared.threads)
        self.folder, self.path, self.recipe, self.framework = folder, folder.path, recipe, framework
        self.threads, self.quiet = prepared.threads, quiet
        self.training = make_training(recipe, prepared.games, frameworks.load(framework).Learner)
        self.agent = self.training.agent
        self.compile_seconds = compile_learner(self.training)
        detail(f"{framework} is ready, compiled in {self.compile_seconds:.1f} s")
        self.checkpoints = checkpoints or Checkpoints(folder, recipe)
        self.clock = Clock()
        self.columns = {"episodes": EPISODES, "metrics": metrics_columns(recipe.algorithm.metrics)}
        self.best = Best(recipe.best_window)
        make_games = partial(envs.make, recipe.env, threads=prepared.threads)
        self.evaluation = Evaluation(make_games, recipe)
        self.own: dict[str, Callback] = {
            "logs": Logs(recipe.algorithm.metrics),
            "best": self.best,
            "weights": KeptWeights(recipe.weights_every),
            "evaluation": self.evaluation,
        }
        self.theirs = list(callbacks)
        self.callbacks = [*self.own.values(), *self.theirs]
        self.first_step = self.first_update = 0
        self.stopped_by = ""
        self.checkpoint = 0  # steps at the last one
        self.profile = profile
        if profile is not None:
            profile.watch(self.training, self.own["logs"])

    @property
    def counters(self) -> Counters:
        return self.training.counters

    @property
    def scores(self) -> deque[float]:
        return self.training.scores

    def weights(self) -> dict[str, np.ndarray]:
        return self.training.learner.get_weights()

    def stop(self, reason: str) -> None:
        check(bool(reason) and reason != "interrupted", "reason to stop", reason, "a word, and not interrupted")
        self.stopped_by = self.stopped_by or reason

    def tell(self, event: str, *what: Any) -> None:
        """Calls a method of every callback."""
        for callback in self.callbacks:
            getattr(callback, event)(self, *what)

    def log(self, table: str, row: dict[str, Any]) -> None:
        """Writes a row of episodes.csv or metrics.csv, and shows it to every callback."""
        self.folder.append(f"{table}.csv", row, self.columns[table])
        self.tell("row", table, row)

    def keep_weights(self, name: str) -> None:
        """Writes the newest weights as `checkpoints/NAME.safetensors`."""
        self.checkpoints.save_weights(name, self.weights(), self.counters.steps, self.counters.updates)

    def save(self) -> None:
        """Writes a checkpoint and the weights there."""
        step = self.counters.steps
        state = self.training.get_state()
        own = {name: callback.get_state() for name, callback in self.own.items()}
        theirs = {"callbacks": [[callback.name, callback.get_state()] for callback in self.theirs]}
        ends = {"seconds": self.clock.seconds(), "stopped_by": self.stopped_by}
        self.keep_weights("latest")
        if step:
            self.keep_weights(f"weights-{step:09d}")
        self.checkpoints.save(step, state._replace(json=state.json | own | theirs | ends), self.training.store)
        self.checkpoint = step
        detail(f"checkpoint at step {step:,}, {self.counters.updates:,} updates, {self.counters.episodes:,} episodes")
        if step:  # the one at step 0 is told when the run begins
            self.tell("checkpoint")

    def restore(self, state: State) -> None:
        """Takes up where a checkpoint stands."""
        saved = state.json
        self.training.set_state(state)
        self.checkpoints.fill(self.training.store)
        for name, callback in self.own.items():
            if name in saved:  # an older version knew fewer
                callback.set_state(saved[name])
        self.restore_theirs(saved.get("callbacks", []))
        self.clock.before = saved["seconds"]
        self.first_step, self.first_update = self.counters.steps, self.counters.updates
        self.checkpoint = self.first_step

    def restore_theirs(self, kept: list[list[Any]]) -> None:
        """Gives the user's callbacks their states, by name; of several of one name in their order."""
        waiting = list(self.theirs)
        for name, state in kept:
            callback = next((one for one in waiting if one.name == name), None)
            if callback is not None:
                waiting.remove(callback)
                callback.set_state(state)
            elif state:
                warn(f"callback {name} is not there any more: what it had counted is left out")

    def introduce(self) -> None:
        """Says what runs where, and what it will need."""
        if not self.quiet:
            say(f"run       {self.path}", *introduction(self.training, self.framework, self.threads))

    def go(self) -> RunResult:
        """Runs until a limit, a callback that asks for a stop, or an interrupt, writing checkpoints on the way."""
        try:
            return self.play()
        finally:  # also where a callback or a game raises
            self.training.games.close()
            self.evaluation.close()

    def play(self) -> RunResult:
        training, recipe = self.training, self.recipe
        every = interval(recipe, training.games)
        unit = "steps" if recipe.episodes is None else "episodes"
        begun, total = getattr(training.counters, unit), getattr(recipe, unit)
        stop = Interrupts("stopping after this step and saving the weights")
        with stop, ProgressLine(f"{self.framework:6}", total, self.quiet, begun, unit) as progress:
            self.tell("start")
            if not training.counters.steps:
                self.tell("checkpoint")
            self.clock.restart()
            done = passed(every, training.counters)
            for tick in run_loop(training):
                for callback in self.callbacks:
                    callback.see(self, tick)
                progress.see(self, tick)
                if limit := self.limit():
                    self.stop(limit)
                if self.stopped_by:
                    break
                if passed(every, training.counters) > done and training.can_checkpoint:
                    done = passed(every, training.counters)
                    training.cross_checkpoint()
                    with self.clock.paused():
                        self.save()
                if stop.asked or self.stopped_by:
                    break
            with self.clock.paused():
                self.save() if self.stopped_by else self.keep_weights("latest")
            return self.finish()

    def limit(self) -> str:
        """Which of the recipe's limits is reached, if one is."""
        recipe, counters, scores = self.recipe, self.counters, self.scores
        if counters.steps >= recipe.steps:
            return "steps"
        if recipe.episodes is not None and counters.episodes >= recipe.episodes:
            return "episodes"
        if recipe.solved_at is not None and len(scores) == RUNNING and sum(scores) / RUNNING > recipe.solved_at:
            return "solved"
        return ""

    def finish(self) -> RunResult:
        """Closes the games and writes summary.json."""
        counters = self.counters
        playing, seconds = self.clock.playing(), self.clock.seconds()  # before the profile measures on
        if self.profile is not None:
            say(*self.profile.lines(self.training, counters.steps - self.first_step, playing, self.threads))
        if self.profile is not None:
            say(*gains(self.recipe, self.framework, self.threads))
        result = RunResult(
            path=self.path,
            framework=self.framework,
            steps=counters.steps,
            updates=counters.updates,
            episodes=counters.episodes,
            running_reward=sum(self.scores) / len(self.scores) if self.scores else None,
            best_score=self.best.score,
            best_step=self.best.at,
            checkpoint=self.checkpoint,
            stopped_by=self.stopped_by or "interrupted",
            steps_per_second=(counters.steps - self.first_step) / playing,
            updates_per_second=(counters.updates - self.first_update) / playing,
            compile_seconds=self.compile_seconds,
            peak_memory=machine.memory_peak(),
            seconds=seconds,
        )
        write_summary(self.path, dataclasses.asdict(result) | {"path": str(self.path)})
        self.tell("end", result)
        return result
