"""A session: one process' share of a run. The training and everything that watches it, until a limit, an interrupt or a failure."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from triptych import frameworks
from triptych.recipes.feasibility import Prepared
from triptych.runs.checkpoints import Checkpoints
from triptych.runs.folder import EPISODES, RunFolder, metrics_columns
from triptych.runs.records import RunResult
from triptych.spec.weights import Weights
from triptych.training.actors import Crew
from triptych.training.base import Counters
from triptych.training.budget import OVERDUE, interval, introduction
from triptych.training.build import compile_learner, make_training
from triptych.training.callbacks.base import Callback
from triptych.training.callbacks.meters import Clock
from triptych.training.callbacks.progress import ProgressLine
from triptych.training.ending import conclude, limit_of, stopped
from triptych.training.profiler import Profile
from triptych.training.saving import check_finite, restore, state_of
from triptych.training.watchers import Watchers
from triptych.utils.checks import EnvironmentFailed, check, passed
from triptych.utils.console import detail, say
from triptych.utils.failures import MachineFailed, NotFiniteError, RunFailed, machine_trouble
from triptych.utils.interrupts import Interrupts
from triptych.utils.state import State


class Session:
    """A training with its logs, checkpoints, evaluations, progress line, and whatever else watches it (`callbacks.base`).

    Args:
        folder: the run's, locked.
        prepared: the recipe with its games, see `recipes.feasibility.prepare`.
        callbacks: the user's own, after Triptych's.
        checkpoints: those of a run that is resumed.
        weights: to begin with; None: they are drawn.
        exact: write no checkpoint from which a resume would give other numbers than a run that never stopped.
        crew: where A3C's workers are, if they are Ray actors.
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
        weights: Weights | None = None,
        exact: bool = False,
        crew: Crew | None = None,
    ):
        recipe = prepared.recipe
        frameworks.set_threads(prepared.threads)
        self.folder, self.path, self.recipe, self.framework = folder, folder.path, recipe, framework
        self.threads, self.quiet, self.exact = prepared.threads, quiet, exact
        learner_class, teacher = frameworks.load(framework).Learner, prepared.teacher
        self.training = make_training(recipe, prepared.games, learner_class, weights, crew, teacher)
        self.weights_drawn = weights is None  # at step 0; else they were given
        self.agent = self.training.agent
        self.compile_seconds = compile_learner(self.training)
        detail(f"{framework} is ready, compiled in {self.compile_seconds:.1f} s")
        self.checkpoints = checkpoints or Checkpoints(folder, recipe, prepared.threads)
        self.clock = Clock()
        wanted = {"episodes": EPISODES, "metrics": metrics_columns(recipe.metrics)}
        self.columns = {table: folder.columns(f"{table}.csv", names) for table, names in wanted.items()}
        self.watchers = Watchers(recipe, prepared.threads, callbacks)
        self.first_step = self.first_update = 0
        self.stopped_by = ""
        self.alarms: list[dict[str, Any]] = []
        self.paused = False  # whether a callback wants the session to end, and the run to go on another time
        self.postponed = ""  # why a callback wanted the run to stop where something failed, which is done again first
        self.torn = False  # whether the games are elsewhere than the training: they failed in a step, or were not saved
        self.every = interval(recipe, prepared.games)  # steps between regular checkpoints
        self.periods = 0  # of these that have passed
        self.is_exact = self.training.repeats  # whether its numbers are those of a run that never stopped
        self.checkpoint, self.checkpoint_exact = 0, self.is_exact  # steps at the last one; whether a resume is exact
        self.saved_at = time.monotonic()  # when that was
        self.profile = profile
        if profile is not None:
            profile.watch(self.training, self.watchers.own["logs"])

    @property
    def counters(self) -> Counters:
        return self.training.counters

    @property
    def failure(self) -> Exception | None:
        return self.watchers.failure

    @property
    def scores(self) -> deque[float]:
        return self.training.scores

    def weights(self) -> dict[str, np.ndarray]:
        return self.training.learner.get_weights()

    def stop(self, reason: str) -> None:
        taken = ("", "interrupted", "failed", "diverged")
        check(reason not in taken, "reason to stop", reason, "a word, and not interrupted, failed or diverged")
        self.stopped_by = self.stopped_by or reason

    def pause(self) -> None:
        self.paused = True

    def tell(self, event: str, *what: Any) -> None:
        self.watchers.tell(self, event, *what)

    def log(self, table: str, row: dict[str, Any]) -> None:
        """Writes a row of episodes.csv or metrics.csv, and shows it to every callback."""
        self.folder.append(f"{table}.csv", row, self.columns[table])
        self.tell("row", table, row)

    def keep_weights(self, name: str) -> None:
        """Writes the newest weights as `checkpoints/NAME.safetensors`.

        Raises:
            NotFiniteError: they are not finite; nothing is written then.
        """
        weights = self.weights()
        check_finite(weights, f"at step {self.counters.steps:,}")
        self.checkpoints.save_weights(name, weights, self.counters.steps, self.counters.updates)

    def save(self) -> None:
        """Writes a regular checkpoint, or that of the run's end, and the weights there."""
        step = self.counters.steps
        state = state_of(self, here=bool(self.stopped_by))
        self.keep_weights("latest")
        if step:
            self.keep_weights(f"weights-{step:09d}")
        cuts = bool(self.stopped_by) and (self.torn or not self.training.games.saves)
        self.checkpoints.save(step, state, self.training.store, exact=self.is_exact and not cuts, cuts=cuts)
        self.note_checkpoint(self.is_exact and not cuts)
        detail(f"checkpoint at step {step:,}, {self.counters.updates:,} updates, {self.counters.episodes:,} episodes")
        if step:  # the one at step 0 is told when the run begins
            self.tell("checkpoint")

    def save_here(self) -> None:
        """Writes a checkpoint between the regular ones, which changes nothing for this session, and the newest weights.

        A resume goes on from it to the same bytes where the games can be saved; else their episodes are cut there.
        """
        step, cuts = self.counters.steps, self.torn or not self.training.games.saves
        exact = self.is_exact and not cuts
        state = state_of(self, here=True)
        self.keep_weights("latest")
        self.saved_at = time.monotonic()
        if step > self.checkpoint and (exact or not self.exact):
            self.checkpoints.save(step, state, self.training.store, regular=False, exact=exact, cuts=cuts)
            self.note_checkpoint(exact)

    def note_checkpoint(self, exact: bool) -> None:
        self.checkpoint, self.checkpoint_exact = self.counters.steps, exact
        self.saved_at = time.monotonic()

    def restore(self, state: State, exact: bool = True) -> None:
        """Takes up where a checkpoint stands.

        Args:
            exact: whether that gives the numbers of a run that never stopped.
        """
        restore(self, state)
        self.is_exact = self.checkpoint_exact = exact and self.training.repeats
        self.first_step, self.first_update = self.counters.steps, self.counters.updates
        counted = passed(self.every, self.counters)  # anew where another end of the run has changed the interval
        self.postponed = state.json.get("postponed", "")
        self.periods = state.json.get("periods", counted) if state.json.get("every") == self.every else counted
        self.checkpoint = self.first_step

    def introduce(self) -> None:
        """Says what runs where, and what it will need."""
        if not self.quiet:
            say(f"run       {self.path}", *introduction(self.training, self.framework, self.threads))

    def go(self) -> RunResult:
        """Runs until a limit, a callback that asks for a stop, or an interrupt, writing checkpoints on the way.

        Raises:
            RunFailed: an environment or a callback failed; all that the run has learned is saved.
            MachineFailed: the disk is full, or there is no memory left; the last checkpoint stands.
            KeyboardInterrupt: a second interrupt came before the first one was answered.
        """
        try:
            result = self.play()
        except RunFailed:
            self.close()
            raise
        except Exception as error:
            self.close()
            if trouble := machine_trouble(error):
                raise MachineFailed(stopped(self, trouble)) from error
            raise
        self.close()
        return result

    def close(self) -> None:
        """Closes all games. After a second interrupt that is not tried: what hangs in a step may hang there, too."""
        self.training.close()
        self.watchers.evaluation.close()

    def play(self) -> RunResult:
        unit = "steps" if self.recipe.episodes is None else "episodes"
        begun, total = getattr(self.counters, unit), getattr(self.recipe, unit)
        stop = Interrupts(
            "stopping: this step is finished, then all is saved. Ctrl-C again stops at once, without saving."
        )
        with stop, ProgressLine(f"{self.framework:6}", total, self.quiet, begun, unit) as progress:
            self.tell("start")
            if not self.counters.steps:
                self.tell("checkpoint")
            self.clock.restart()
            self.run_and_save(stop, progress)
            return conclude(self, stop.number)

    def run_and_save(self, stop: Interrupts, progress: ProgressLine) -> None:
        """Plays and learns until something ends it, and keeps what has been learned unless it is no number any more."""
        try:
            try:
                self.run_on(stop, progress)
            except EnvironmentFailed as failure:  # of the games that are learned from
                self.watchers.failure, self.torn = failure, True
            with self.clock.paused():
                self.save() if self.stopped_by else self.save_here()
        except NotFiniteError as failure:  # the last checkpoint is the last good one
            self.watchers.failure, self.stopped_by = failure, "diverged"

    def run_on(self, stop: Interrupts, progress: ProgressLine) -> None:
        """Plays and learns until something ends it."""
        training = self.training
        # Before anything is played: `start` has tested once more what failed at the run's last step, or a callback pauses.
        if self.is_over() or self.watchers.failure or self.paused:
            return
        if self.torn:
            self.cut_games()
        for tick in training.ticks():
            self.tell("see", tick)
            progress.see(self, tick)
            if self.is_over():
                return
            if passed(self.every, training.counters) > self.periods and training.can_checkpoint:
                self.periods = passed(self.every, training.counters)
                training.cross_checkpoint()
                with self.clock.paused():
                    self.save()
            elif time.monotonic() - self.saved_at > OVERDUE:
                with self.clock.paused():
                    self.save_here()
            if stop.asked or self.stopped_by or self.watchers.failure or self.paused:
                return

    def is_over(self) -> bool:
        """Whether the run ends here. What failed comes first, at the last step too: a resume does it again, and then ends the run."""
        if self.watchers.failure:
            self.postponed, self.stopped_by = self.postponed or self.stopped_by, ""
        elif reason := limit_of(self) or self.postponed:
            self.stop(reason)
            self.postponed = ""
        return bool(self.stopped_by)

    def cut_games(self) -> None:
        """Begins new games in place of those that no checkpoint could hold. Updates that the cut makes are told as all others."""
        updates = self.training.resume_here()
        self.torn = False
        for scalars in updates:
            self.tell("update", scalars)
