"""A3C: one learner applies the gradients of workers that play apart, each on weights that are old by then."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, cast

import numpy as np

from triptych import envs
from triptych.algorithms import a3c
from triptych.envs import Games, Step
from triptych.frameworks import Learner
from triptych.recipes import Recipe
from triptych.training.base import Choice, Episode, Training
from triptych.training.counting import Tick
from triptych.training.loop import run_loop
from triptych.training.playing import Playing
from triptych.training.worker import Gradient, Worker
from triptych.utils import machine
from triptych.utils.console import warn
from triptych.utils.state import State


@dataclass
class Staleness:
    """How old the gradients were, in updates between a worker's weights and the gradient's application."""

    applied: int = 0  # gradients
    total: int = 0  # of these
    largest: int = 0  # of these
    dropped: int = 0  # gradients that were older than is allowed
    deaths: int = 0  # of workers


class Asynchronous(Training):
    """The learner, and what it does with a gradient. Where the workers are is for a subclass to say."""

    @property
    def config(self) -> a3c.Config:
        return cast(a3c.Config, self.recipe.algorithm)

    def begin(self) -> None:
        self.staleness = Staleness()
        self.make_workers()

    @abstractmethod
    def make_workers(self) -> None:
        """Makes them, each with weights of step 0."""

    def apply(self, gradient: Gradient) -> list[dict[str, Any]]:
        """One update along a worker's gradient, unless that is too old; its scalars."""
        age = self.counters.updates - gradient.version
        if age > self.config.oldest:
            self.staleness.dropped += 1
            if self.staleness.dropped == 1 and not self.repeats:  # else the settings were told of before the first step
                warn(
                    f"a gradient was {age} updates old, and max_staleness is {self.config.oldest}: such ones are dropped (summary.json counts them)"
                )
            return []
        norm = self.learner.apply(gradient.tensors, self.recipe.learning_rate(gradient.started))
        return [self.count_update(age, {**gradient.scalars, "gradient_norm": norm})]

    def count_update(self, age: int, scalars: dict[str, Any]) -> dict[str, Any]:
        """An update was made along a gradient of that age; what it reports."""
        self.counters.updates += 1
        staleness = self.staleness
        staleness.applied += 1
        staleness.total += age
        staleness.largest = max(staleness.largest, age)
        return {**scalars, "staleness_mean": age, "staleness_max": age}

    def told(self) -> dict[str, Any]:
        found = self.staleness
        return {
            "staleness_mean": found.total / found.applied if found.applied else None,
            "staleness_max": found.largest if found.applied else None,
            "gradients_dropped": found.dropped,
            "worker_deaths": found.deaths,
        }

    def row_bytes(self) -> float:
        return 0


class Scheduled(Asynchronous):
    """Workers in this process, which take turns: a rollout each, and its gradient is applied at once.

    A worker takes its weights `delay` turns before its own: so many updates of others lie between them and its gradient, as if
    it had played meanwhile. Without a delay it plays and learns with the learner itself, whose update is then made whole.

    Args:
        learner: whose weights are the run's.
        make: makes another one, for the workers with weights of their own.
    """

    def __init__(self, recipe: Recipe, games: Games, learner: Learner, make: Callable[[], Learner]):
        self.make = make
        super().__init__(recipe, games, learner)

    def make_workers(self) -> None:
        recipe, config = self.recipe, self.config
        delays = [config.delay(number) for number in range(config.workers)]
        apart = self.make() if any(delays) else self.learner
        self.workers: list[Worker] = []
        self.turn = 0  # rollouts that are over
        try:
            for number, delay in enumerate(delays):
                games = envs.make(recipe.env, recipe.num_envs, self.threads) if number else self.games
                self.workers.append(Worker(recipe, games, apart if delay else self.learner, number))
                self.hand_out(self.workers[-1])
        except BaseException:
            for worker in self.workers[1:]:
                worker.close()
            raise

    @property
    def threads(self) -> int:
        """Of the games."""
        return machine.threads_for(self.recipe.threads)

    @property
    def player(self) -> Worker:
        return self.workers[self.turn % len(self.workers)]

    def players(self) -> list[Playing]:
        return list(self.workers)

    def ticks(self) -> Iterator[Tick]:
        return run_loop(self)

    def update_while_playing(self) -> list[dict[str, Any]]:
        return []

    def select_actions(self) -> Choice:
        return self.player.select_actions()

    def observe(self, choice: Choice, step: Step, mask: np.ndarray) -> None:
        self.player.observe(choice, step, mask)

    def advance(self, choice: Choice, step: Step, mask: np.ndarray) -> list[Episode]:
        ended = self.player.advance(choice, step, mask)
        self.counters.steps += int(mask.sum())
        self.counters.greedy_actions += int((choice.by_network & mask).sum())
        return [self.close_episode(episode.reward, episode.length) for episode in ended]

    def update_after_step(self) -> list[dict[str, Any]]:
        """Learns from the rollout of the worker whose turn it is, when it is full; then it is the next one's turn."""
        worker = self.player
        if not worker.rollout.full:
            return []
        updates = self.learn_from(worker)
        self.turn += 1
        for each in self.workers:
            if self.turns_until(each) == self.config.delay(each.number):
                self.hand_out(each)
        return updates

    def learn_from(self, worker: Worker) -> list[dict[str, Any]]:
        self.settle_frozen()
        if worker.learner is self.learner:
            made = (self.learner.update(batch, worker.learning_rate) for batch in worker.batches())
            return [self.count_update(0, scalars) for scalars in made]
        worker.learner.freeze(self.learner.frozen)  # a gradient is of the tensors that learn where it is applied
        gradient = worker.gradient()
        return [] if gradient is None else self.apply(gradient)

    def turns_until(self, worker: Worker) -> int:
        return (worker.number - self.turn) % len(self.workers)

    def hand_out(self, worker: Worker) -> None:
        """Gives a worker the weights as they are now."""
        weights = None if worker.learner is self.learner else self.learner.get_weights()
        worker.take(weights, self.counters.updates, self.counters.steps)

    @property
    def learning_rate(self) -> float:
        """That of the rollout that was played last."""
        before = self.workers[(self.turn - 1) % len(self.workers)]
        return (self.player if self.player.rollout.filled else before).learning_rate

    @property
    def can_checkpoint(self) -> bool:
        return all(worker.can_checkpoint for worker in self.workers)

    def cross_checkpoint(self) -> None:
        self.counters.boundaries += 1
        for worker in self.workers:
            worker.cross_checkpoint()

    def get_state(self, here: bool = False, torn: bool = False) -> State:
        state = self.state_of_run()
        state = state._replace(json=state.json | {"turn": self.turn, "staleness": asdict(self.staleness)})
        for worker in self.workers:
            state = state.with_part(f"worker-{worker.number}", worker.get_state(here, torn))
        return state

    def set_state(self, state: State) -> None:
        saved = state.json
        self.set_run(state)
        self.turn, self.staleness = saved["turn"], Staleness(**saved["staleness"])
        for worker in self.workers:
            worker.set_state(state.part(f"worker-{worker.number}"))
        self.apart = any(worker.apart for worker in self.workers)
        self.player.load()  # in the middle of its rollout

    def resume_here(self) -> list[dict[str, Any]]:
        for worker in self.workers:
            if worker.apart:
                worker.resume_here()
        self.apart = False
        return self.update_after_step()  # of the rollout that a cut has filled

    def close(self) -> None:
        for worker in self.workers:
            worker.close()

    def try_out(self) -> None:
        together = [worker for worker in self.workers if worker.learner is self.learner]
        for worker in together[:1]:
            worker.try_out()
        for worker in [worker for worker in self.workers if worker.learner is not self.learner][:1]:
            float(self.learner.apply(worker.try_gradient(), 0.0))  # waits for the device
