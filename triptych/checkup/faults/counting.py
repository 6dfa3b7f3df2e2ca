"""Faults of when things are done: somewhat too early or late, too often or too rarely, and never by far."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from triptych.algorithms import dqn
from triptych.buffers.replay import Replay
from triptych.checkup.faults.base import fault
from triptych.checkup.faults.exploring import EPSILON
from triptych.checkup.faults.learning import TARGET
from triptych.training import off_policy
from triptych.training.base import Training
from triptych.training.callbacks import evaluation
from triptych.training.callbacks.evaluation import Evaluation
from triptych.training.off_policy import OffPolicy
from triptych.training.on_policy import OnPolicy
from triptych.utils.patching import Patch, around

COUNTED = "batches, means or test games counted wrong"
PACE = "updates somewhat rarer or more frequent than the settings say"


@fault(EPSILON, "cartpole")
def epsilon_falls_too_slowly(framework: str) -> list[Patch]:
    """Epsilon falls three times as slowly as the settings say."""
    return [around(dqn, "linear_schedule", lambda keep: lambda step, *given: keep(step // 3, *given))]


@fault(EPSILON, "cartpole")
def epsilon_falls_too_fast(framework: str) -> list[Patch]:
    """Epsilon falls four times as fast as the settings say."""
    return [around(dqn, "linear_schedule", lambda keep: lambda step, *given: keep(4 * step, *given))]


@fault(EPSILON, "cartpole")
def epsilon_stops_above_its_floor(framework: str) -> list[Patch]:
    """Epsilon stops falling at 0.45."""
    return [around(dqn, "linear_schedule", lambda keep: lambda *given: max(0.45, keep(*given)))]


def periods(change: Callable[[int], int]) -> list[Patch]:
    """The target's period is another number than the recipe's."""

    def make(keep: Any) -> Any:
        def passed(every: tuple[int, str], counters: Any) -> int:
            return keep((change(every[0]), every[1]), counters)

        return passed

    return [around(off_policy, "passed", make)]


@fault(TARGET, "cartpole")
def target_copied_at_every_second_period(framework: str) -> list[Patch]:
    """The target is copied half as often as its period says."""
    return periods(lambda every: 2 * every)


@fault(TARGET, "cartpole")
def target_copied_twice_a_period(framework: str) -> list[Patch]:
    """The target is copied twice as often as its period says."""
    return periods(lambda every: every // 2)


@fault(PACE, "cartpole")
def every_fourth_update_left_out(framework: str) -> list[Patch]:
    """The steps of every fourth update earn none."""

    def make(keep: Any) -> Any:
        def update_while_playing(self: Any) -> Any:
            if (
                self.counters.credit >= self.config.update_every
                and self.counters.steps // self.config.update_every % 4 == 0
            ):
                self.counters.credit -= self.config.update_every
            return keep(self)

        return update_while_playing

    return [around(OffPolicy, "update_while_playing", make)]


@fault(PACE, "cartpole-ppo")
def one_pass_too_many(framework: str) -> list[Patch]:
    """Each rollout is learned from once more than the recipe says."""

    def make(keep: Any) -> Any:
        def batches(self: Any) -> Any:
            own, self.epochs = self.epochs, self.epochs + 1
            yield from keep(self)
            self.epochs = own

        return batches

    return [around(OnPolicy, "batches", make)]


@fault(COUNTED, "cartpole")
def batches_half_as_large(framework: str) -> list[Patch]:
    """An update learns from half as many samples as the recipe says."""
    return [around(Replay, "sample", lambda keep: lambda self, rng, size, *given: keep(self, rng, size // 2, *given))]


@fault(COUNTED, "cartpole")
def running_reward_of_ten_episodes(framework: str) -> list[Patch]:
    """The running reward is the mean of the last ten episodes."""

    def make(keep: Any) -> Any:
        def close_episode(self: Any, reward: float, length: int) -> Any:
            episode = keep(self, reward, length)
            few = list(self.scores)[-10:]
            return episode._replace(running_reward=sum(few) / len(few))

        return close_episode

    return [around(Training, "close_episode", make)]


@fault(COUNTED, "cartpole", evaluate_every=500)
def tests_at_every_third_period(framework: str) -> list[Patch]:
    """Test games are played a third as often as the recipe says."""

    def make(keep: Any) -> Any:
        def due(self: Any, counters: Any) -> bool:
            return keep(self, counters) and self.done % 3 == 0

        return due

    return [around(Evaluation, "due", make)]


@fault(COUNTED, "cartpole")
def learning_begins_too_early(framework: str) -> list[Patch]:
    """Updates are made from the middle of the warm-up on."""
    early: Any = lambda self, step, stored: 2 * step >= self.warm_up and stored > 0  # noqa: E731
    return [Patch(dqn.Config, "learns", early)]


@fault(COUNTED, "cartpole")
def run_ends_at_half_its_steps(framework: str) -> list[Patch]:
    """The run ends by its steps, after half of them."""

    def make(keep: Any) -> Any:
        def step(self: Any, run: Any, tick: Any) -> None:
            keep(self, run, tick)
            if 2 * run.counters.steps >= run.recipe.steps:
                run.stop("steps")

        return step

    return [around(Evaluation, "step", make)]


@fault(COUNTED, "cartpole")
def one_test_game_counted(framework: str) -> list[Patch]:
    """The score of a test is that of its first game."""
    return [around(evaluation, "play_games", lambda keep: lambda *given, **how: keep(*given, **how)[:1])]
