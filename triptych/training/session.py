"""One process' share of a run: the training and everything that watches it, until a limit or an interrupt."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from triptych import envs, frameworks
from triptych.envs import Games
from triptych.recipes import Recipe
from triptych.runs.checkpoints import KEPT, Checkpoints
from triptych.runs.folder import RUNNING, RunFolder
from triptych.runs.records import write_summary
from triptych.training.base import Training
from triptych.training.build import compile_learner, make_training
from triptych.training.callbacks.evaluation import Evaluation
from triptych.training.callbacks.logs import Logs
from triptych.training.callbacks.meters import Clock
from triptych.training.callbacks.progress import ProgressLine
from triptych.training.callbacks.weights import Best, KeptWeights, keep_weights
from triptych.training.loop import run_loop
from triptych.training.profiler import Profile, gains
from triptych.utils import machine
from triptych.utils.console import counted, say
from triptych.utils.interrupts import Interrupts


@dataclass(frozen=True)
class RunResult:
    """What a run came to when it stopped."""

    path: Path  # its folder
    framework: str
    steps: int
    updates: int
    episodes: int
    running_reward: float | None  # mean of the last 100 episodes
    best_score: float | None  # highest mean of the last best_window episodes
    best_step: int | None  # where that was
    checkpoint: int  # steps at the last boundary, from which a resume goes on
    stopped_by: str  # steps, episodes, solved, or interrupted
    steps_per_second: float  # of this sitting, without compilation, evaluations and checkpoints
    updates_per_second: float
    compile_seconds: float
    peak_memory: int  # bytes
    seconds: float  # over all sittings


class Sitting:
    """A training with its logs, checkpoints, evaluations and progress line."""

    def __init__(
        self,
        run: RunFolder,
        recipe: Recipe,
        framework: str,
        games: Games,
        threads: int,
        quiet: bool,
        checkpoints: Checkpoints | None = None,
        profile: Profile | None = None,
    ):
        frameworks.set_threads(threads)
        self.run, self.recipe, self.framework, self.threads, self.quiet = run, recipe, framework, threads, quiet
        self.training: Training = make_training(recipe, games, frameworks.load(framework).Learner)
        self.compile_seconds = compile_learner(self.training)
        self.checkpoints = checkpoints or Checkpoints(run, recipe)
        self.clock = Clock()
        self.logs = Logs(run, self.clock, recipe.algorithm.metrics)
        self.best = Best(self.checkpoints, recipe.best_window, self.clock)
        make_games = partial(envs.make, recipe.env, threads=threads)
        self.evaluation = Evaluation(make_games, self.logs, self.clock, recipe)
        self.parts: dict[str, Logs | Best | KeptWeights | Evaluation] = {
            "logs": self.logs,
            "best": self.best,
            "weights": KeptWeights(self.checkpoints, recipe.weights_every, self.clock),
            "evaluation": self.evaluation,
        }
        self.first_step = self.first_update = 0
        self.stopped_by = ""
        self.checkpoint = 0  # steps at the last boundary
        self.profile = profile
        if profile is not None:
            profile.watch(self.training, self.logs)

    def interval(self) -> int:
        """Steps between boundaries: 5 % of the run; where games are cut, at least 20 typical episodes a game."""
        if self.recipe.checkpoint_every:
            return self.recipe.checkpoint_every
        games = self.training.games
        cut = 0 if games.saves else 20 * games.typical_episode * self.recipe.num_envs
        return max(1, self.recipe.steps // 20, cut)

    def save(self) -> None:
        """Writes a boundary and the weights there."""
        step = self.training.counters.steps
        arrays, state = self.training.get_state()
        state |= {name: part.get_state() for name, part in self.parts.items()}
        state |= {"seconds": self.clock.seconds(), "stopped_by": self.stopped_by}
        keep_weights(self.checkpoints, "latest", self.training)
        if step:
            keep_weights(self.checkpoints, f"weights-{step:09d}", self.training)
        self.checkpoints.save(step, arrays, state, self.training.store)
        self.checkpoint = step

    def restore(self, manifest: dict[str, Any], arrays: dict[str, Any]) -> None:
        """Takes up where a boundary stands."""
        state = manifest["state"]
        self.training.set_state(arrays, state)
        self.checkpoints.fill(self.training.store)
        for name, part in self.parts.items():
            if name in state:  # an older version knew fewer
                part.set_state(state[name])
        self.clock.before = state["seconds"]
        self.first_step, self.first_update = self.training.counters.steps, self.training.counters.updates
        self.checkpoint = self.first_step

    def introduce(self) -> None:
        """Says what runs where, and what it will need."""
        if self.quiet:
            return
        training, recipe = self.training, self.recipe
        games, store = training.games, training.store
        rows = min(store.rows, recipe.steps // recipe.num_envs + 1) if store else 0
        weights = sum(array.nbytes for array in training.learner.get_weights().values())
        boundaries = max(1, recipe.steps // self.interval())
        # As large as the weights: a file a boundary and what `weights_every` asks for, best and latest; and in each boundary
        # that is kept both networks, Adam's two moments, and the best weights.
        copies = boundaries + self.kept_weights() + 2 + KEPT * 5
        disk = rows * training.row_bytes() + weights * copies
        on_device = getattr(recipe.algorithm, "replay_on_device", False)
        memory = machine.memory_now() + (0 if on_device else rows * training.row_bytes())
        last = self.interval() >= recipe.steps
        checkpoints = "a checkpoint at the end" if last else f"a checkpoint every {self.interval():,} steps"
        count = sum(array.size for array in training.learner.get_weights().values())
        say(f"run       {self.run.path}")
        say(
            f"game      {recipe.env.id}: {recipe.num_envs} at once, {games.num_actions} actions, observation {games.observation}"
        )
        say(f"network   {count:,} weights, {recipe.precision}")
        say(
            f"device    {training.learner.device}: {self.framework}, {counted(self.threads, 'thread')}, {machine.processor()}"
        )
        say(*filter(None, [machine.gpu_note(self.framework)]))
        say(f"needs     about {memory / 1e6:,.0f} MB of memory and {disk / 1e6:,.0f} MB of disk; {checkpoints}")

    def kept_weights(self) -> int:
        """How many files `weights_every` asks for; updates and unlimited episodes are guessed at none."""
        number, unit = self.recipe.weights_every or (1, "updates")
        total = {"steps": self.recipe.steps, "episodes": self.recipe.episodes}.get(unit)
        return (total or 0) // number

    def go(self) -> RunResult:
        """Runs until a limit or an interrupt, writing boundaries on the way."""
        training, recipe = self.training, self.recipe
        interval = self.interval()
        unit = "steps" if recipe.episodes is None else "episodes"
        done, total = getattr(training.counters, unit), getattr(recipe, unit)
        stop = Interrupts("stopping after this step and saving the weights")
        title = f"{self.framework:6}"
        with stop, ProgressLine(title, total, self.quiet, done, unit) as progress:
            self.clock.restart()
            boundary = training.counters.steps // interval
            for tick in run_loop(training):
                for part in self.parts.values():
                    part.see(training, tick)
                progress.see(training, tick)
                self.stopped_by = self.limit()
                if self.stopped_by:
                    break
                if training.counters.steps // interval > boundary and training.rests:
                    boundary = training.counters.steps // interval
                    training.cross_boundary()
                    self.clock.pause(self.save)
                if stop.asked:
                    break
            if self.stopped_by:
                self.clock.pause(self.save)
            else:
                keep_weights(self.checkpoints, "latest", training)
            return self.finish()

    def limit(self) -> str:
        """Which of the recipe's limits is reached, if one is."""
        recipe, counters, scores = self.recipe, self.training.counters, self.training.scores
        if counters.steps >= recipe.steps:
            return "steps"
        if recipe.episodes is not None and counters.episodes >= recipe.episodes:
            return "episodes"
        if recipe.solved_at is not None and len(scores) == RUNNING and sum(scores) / RUNNING > recipe.solved_at:
            return "solved"
        return ""

    def finish(self) -> RunResult:
        """Closes the games and writes summary.json."""
        training, counters = self.training, self.training.counters
        playing, seconds = self.clock.playing(), self.clock.seconds()  # before the profile measures on
        if self.profile is not None:
            say(*self.profile.lines(training, counters.steps - self.first_step, playing, self.threads))
        training.games.close()
        self.evaluation.close()
        if self.profile is not None:
            say(*gains(self.recipe, self.framework, self.threads))
        scores = training.scores
        result = RunResult(
            path=self.run.path,
            framework=self.framework,
            steps=counters.steps,
            updates=counters.updates,
            episodes=counters.episodes,
            running_reward=sum(scores) / len(scores) if scores else None,
            best_score=self.best.score,
            best_step=self.best.step,
            checkpoint=self.checkpoint,
            stopped_by=self.stopped_by or "interrupted",
            steps_per_second=(counters.steps - self.first_step) / playing,
            updates_per_second=(counters.updates - self.first_update) / playing,
            compile_seconds=self.compile_seconds,
            peak_memory=machine.memory_peak(),
            seconds=seconds,
        )
        write_summary(self.run.path, dataclasses.asdict(result) | {"path": str(self.run.path)})
        return result
