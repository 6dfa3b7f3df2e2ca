"""Ways in which the shipped code can be wrong: each takes a function of it and returns what stands in its place."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from triptych.envs import Step
from triptych.recipes.override import override
from triptych.training.base import Choice, Training
from triptych.training.callbacks.evaluation import Evaluation
from triptych.training.callbacks.weights import Best
from triptych.training.off_policy import OffPolicy
from triptych.training.session import Session

Shipped = Callable[..., Any]
Mutant = Callable[[Shipped], Shipped]


def keeping(
    step: Callable[[Step], dict[str, Any]] | None = None,
    choice: Callable[[Choice], dict[str, Any]] | None = None,
    mask: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Mutant:
    """`keep` of a step or a choice with other fields, or of another mask."""

    def mutant(keep: Shipped) -> Shipped:
        def kept(self: Training, chosen: Choice, stepped: Step, acted: np.ndarray) -> None:
            chosen = chosen._replace(**choice(chosen)) if choice else chosen
            stepped = stepped._replace(**step(stepped)) if step else stepped
            keep(self, chosen, stepped, mask(acted) if mask else acted)

        return kept

    return mutant


def looking(**changes: Callable[[Any, Any, Any], Any]) -> Mutant:
    """`keep` while attributes of the training are others, worked out from the training, the choice and the step."""

    def mutant(keep: Shipped) -> Shipped:
        def kept(self: Training, choice: Any, step: Any, mask: np.ndarray) -> None:
            before = {name: getattr(self, name) for name in changes}
            vars(self).update({name: change(self, choice, step) for name, change in changes.items()})
            keep(self, choice, step, mask)
            vars(self).update(before)

        return kept

    return mutant


def told(**changes: Any) -> Mutant:
    """A method that reads another recipe."""

    def mutant(keep: Shipped) -> Shipped:
        def method(self: Training, *given: Any) -> Any:
            own = self.recipe
            self.recipe = override(own, {f"algorithm.{name}": value for name, value in changes.items()})
            found = keep(self, *given)
            self.recipe = own
            return found

        return method

    return mutant


def replaying(method: str, change: Mutant) -> Mutant:
    """`make_buffer` that leaves a replay with another method."""

    def mutant(keep: Shipped) -> Shipped:
        def make_buffer(self: OffPolicy) -> None:
            keep(self)
            setattr(self.replay, method, change(getattr(self.replay, method)))

        return make_buffer

    return mutant


def reward_late(keep: Shipped) -> Shipped:
    last: list[np.ndarray] = []

    def kept(self: Training, choice: Any, step: Any, mask: np.ndarray) -> None:
        last.append(step.reward)
        keep(self, choice, step._replace(reward=last[max(0, len(last) - 2)]), mask)

    return kept


def least_for_most(shipped: Any) -> Any:
    """NumPy whose largest is the smallest."""
    return SimpleNamespace(**{**vars(np), "argmax": np.argmin})


def nothing(keep: Shipped) -> Shipped:
    return lambda *_: None


def rolled(array: np.ndarray) -> np.ndarray:
    return np.roll(array, 1, axis=0)


def targets(file: str) -> Mutant:
    """A weights file of the target's weights."""

    def mutant(keep: Shipped) -> Shipped:
        def keep_weights(self: Session, name: str) -> None:
            if name != file:
                return keep(self, name)
            state, counters = self.training.learner.get_state(), self.counters
            weights = {key.removeprefix("target/"): array for key, array in state.items() if key.startswith("target/")}
            return self.checkpoints.save_weights(name, weights, counters.steps, counters.updates)

        return keep_weights

    return mutant


def stale(file: str) -> Mutant:
    """A weights file of the weights that were to be kept there the time before."""

    def mutant(keep: Shipped) -> Shipped:
        seen: list[Any] = []

        def keep_weights(self: Session, name: str) -> None:
            if name != file:
                return keep(self, name)
            seen.append(self.weights())
            counters = self.counters
            return self.checkpoints.save_weights(name, seen[max(0, len(seen) - 2)], counters.steps, counters.updates)

        return keep_weights

    return mutant


def first_for_ever(keep: Shipped) -> Shipped:
    return lambda self, *given: keep(self, *given) if self.score is None else None


def always_best(keep: Shipped) -> Shipped:
    def see(self: Best, *given: Any) -> None:
        self.score = None
        keep(self, *given)

    return see


def in_the_training(keep: Shipped) -> Shipped:
    def evaluated(self: Evaluation, run: Session) -> Any:
        self.games = run.training.games
        return keep(self, run)

    return evaluated


def not_started(keep: Shipped) -> Shipped:
    def restart_games(self: Training) -> None:
        keep(self)
        self.started[:] = False

    return restart_games


def choosing(**changes: Callable[[np.ndarray], np.ndarray]) -> Mutant:
    """`choose` with other fields."""

    def mutant(choose: Shipped) -> Shipped:
        def chosen(self: Training) -> Choice:
            choice = choose(self)
            return choice._replace(**{name: change(getattr(choice, name)) for name, change in changes.items()})

        return chosen

    return mutant


def cutting(cross: Shipped) -> Shipped:
    def cross_checkpoint(self: Training) -> None:
        cross(self)
        self.cut()
        self.restart_games()

    return cross_checkpoint


def beginless(sample: Shipped) -> Shipped:
    def sampled(*given: Any) -> Any:
        batch = sample(*given)
        return batch._replace(reset=np.zeros_like(batch.reset))

    return sampled


def neighbours(learned: Shipped) -> Shipped:
    return lambda td_error: learned(lambda: rolled(td_error()))


def counted_restarts(count: Shipped) -> Shipped:
    return lambda training, rewards, mask: count(training, rewards, np.ones_like(mask))


def neighbours_rewards(count: Shipped) -> Shipped:
    return lambda training, rewards, mask: count(training, rolled(rewards), mask)


def forgetful(predict: Shipped) -> Shipped:
    return lambda *given: (predict(*given)[0], None)


def neighbours_games(played: Shipped) -> Shipped:
    def play_batch(*given: Any) -> Any:
        first, *others = played(*given)
        return [*others, first]

    return play_batch


def never_reset(act: Shipped) -> Shipped:
    return lambda self, obs, state=None, started=None: act(self, obs, state)


def neighbours_state(act: Shipped) -> Shipped:
    return lambda self, obs, state=None, started=None: act(self, obs, rolled(state), started)
