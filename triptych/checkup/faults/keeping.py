"""Faults of what is kept and tested: best weights, evaluations, resumed runs, A3C's workers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from triptych.checkup.faults.base import fault
from triptych.training.asynchronous import Asynchronous, Scheduled
from triptych.training.base import Training
from triptych.training.callbacks.evaluation import Evaluation
from triptych.training.off_policy import OffPolicy
from triptych.training.session import Session
from triptych.utils.patching import Patch, around

BEST = "other weights kept as best"
APART = "evaluation plays in the training games"
RESUME = "resume not exact"
WORKERS = "weights change during a rollout; updates lost between workers"


def kept_instead(weights_of: Callable[[Session], Any]) -> list[Patch]:
    """The file of the best weights has others."""

    def make(keep: Any) -> Any:
        def keep_weights(self: Any, name: str) -> None:
            if name != "best":
                keep(self, name)
                return
            self.checkpoints.save_weights(name, weights_of(self), self.counters.steps, self.counters.updates)

        return keep_weights

    return [around(Session, "keep_weights", make)]


@fault(BEST, "cartpole")
def best_is_the_target(framework: str) -> list[Patch]:
    """The target's weights are kept as best."""

    def weights(session: Session) -> Any:
        state = session.training.learner.get_state()
        return {key.removeprefix("target/"): array for key, array in state.items() if key.startswith("target/")}

    return kept_instead(weights)


@fault(BEST, "cartpole")
def best_is_an_earlier_one(framework: str) -> list[Patch]:
    """The weights of the best score before are kept as best."""
    seen: list[Any] = []

    def weights(session: Session) -> Any:
        seen.append(session.weights())
        del seen[:-2]
        return seen[0]

    return kept_instead(weights)


@fault(APART, "cartpole")
def evaluation_in_the_training_games(framework: str) -> list[Patch]:
    """Test games are played in the games of the training."""

    def make(keep: Any) -> Any:
        def play(self: Any, run: Any) -> Any:
            self.games = run.training.games
            return keep(self, run)

        return play

    return [around(Evaluation, "play", make)]


@fault("learning during evaluation", "cartpole")
def learning_during_evaluation(framework: str) -> list[Patch]:
    """The learner makes updates while test games are played."""

    def make(keep: Any) -> Any:
        def play(self: Any, run: Any) -> Any:
            score = keep(self, run)
            training = run.training
            for _ in range(20):
                batch = training.replay.sample(np.random.default_rng(1), training.config.batch_size, 1.0)
                training.learner.update(batch, training.learning_rate)
            return score

        return play

    return [around(Evaluation, "play", make)]


def learner_resumed(change: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]) -> list[Patch]:
    """A resume takes up another state of the learner."""

    def make(keep: Any) -> Any:
        return lambda self, arrays: keep(self, arrays | change(arrays))

    return [around(Training, "set_learner", make)]


@fault(RESUME, "cartpole-resumed")
def resume_forgets_the_moments(framework: str) -> list[Patch]:
    """After a resume the optimiser begins anew."""
    return learner_resumed(
        lambda arrays: {key: np.zeros_like(a) for key, a in arrays.items() if key.startswith("adam/")}
    )


@fault(RESUME, "cartpole-resumed")
def resume_forgets_the_target(framework: str) -> list[Patch]:
    """After a resume the target is the online network."""
    return learner_resumed(
        lambda arrays: {key: arrays[key.replace("target/", "online/")] for key in arrays if key.startswith("target/")}
    )


@fault(RESUME, "cartpole-resumed")
def resume_forgets_the_weights(framework: str) -> list[Patch]:
    """After a resume the last layer is as at the start."""
    return learner_resumed(lambda arrays: {key: 0.1 * a for key, a in arrays.items() if key.startswith("online/head")})


@fault(RESUME, "cartpole-resumed")
def resume_forgets_the_replay(framework: str) -> list[Patch]:
    """After a resume the replay's rewards are zeros."""
    from triptych.runs.checkpoints import Checkpoints

    def make(keep: Any) -> Any:
        def fill(self: Any, store: Any) -> None:
            keep(self, store)
            store.reward[:] = 0

        return fill

    return [around(Checkpoints, "fill", make)]


@fault(RESUME, "cartpole-resumed")
def resume_forgets_the_generators(framework: str) -> list[Patch]:
    """After a resume random numbers begin anew."""

    def make(keep: Any) -> Any:
        def set_run(self: Any, state: Any) -> None:
            fresh = {name: rng.bit_generator.state for name, rng in self.rngs.items()}
            keep(self, state)
            for name, rng in self.rngs.items():
                rng.bit_generator.state = fresh[name]

        return set_run

    return [around(Training, "set_run", make)]


@fault(RESUME, "cartpole-resumed")
def epsilon_restarted_by_a_resume(framework: str) -> list[Patch]:
    """After a resume epsilon falls from its start again."""

    def begun(keep: Any) -> Any:
        def set_state(self: Any, state: Any) -> None:
            keep(self, state)
            self.resumed_at = self.counters.steps - self.config.warm_up

        return set_state

    def make(keep: Any) -> Any:
        def select_actions(self: Any) -> Any:
            steps = self.counters.steps
            self.counters.steps = steps - getattr(self, "resumed_at", 0)
            choice = keep(self)
            self.counters.steps = steps
            return choice

        return select_actions

    return [around(OffPolicy, "set_state", begun), around(OffPolicy, "select_actions", make)]


@fault(WORKERS, "cartpole-a3c")
def weights_change_during_a_rollout(framework: str) -> list[Patch]:
    """A worker takes the newest weights at each step."""
    from triptych.training.worker import Worker

    def make(keep: Any) -> Any:
        def select_actions(self: Any) -> Any:
            rng = np.random.default_rng(self.steps_played)
            self.steps_played += 1
            if self.weights is not None:
                self.weights = {
                    k: a + 0.01 * rng.standard_normal(a.shape).astype(a.dtype) for k, a in self.weights.items()
                }
                self.load()
            return keep(self)

        return select_actions

    return [Patch(Worker, "steps_played", 0), around(Worker, "select_actions", make)]


@fault(WORKERS, "cartpole-a3c")
def updates_lost_between_workers(framework: str) -> list[Patch]:
    """A worker's update puts the weights back to those that it had taken."""

    def make(keep: Any) -> Any:
        def apply(self: Any, gradient: Any) -> Any:
            if self.player.weights is not None:
                self.learner.set_weights(self.player.weights)
            return keep(self, gradient)

        return apply

    return [around(Asynchronous, "apply", make)]


@fault(WORKERS, "cartpole-a3c")
def workers_never_get_new_weights(framework: str) -> list[Patch]:
    """Workers play with the weights of the run's start for ever."""

    def make(keep: Any) -> Any:
        def hand_out(self: Any, worker: Any) -> None:
            if worker.weights is None:
                keep(self, worker)
            else:
                worker.take(worker.weights, self.counters.updates, self.counters.steps)

        return hand_out

    return [around(Scheduled, "hand_out", make)]
