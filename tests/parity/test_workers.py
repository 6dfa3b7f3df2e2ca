"""The rung of A3C: in each framework, an update is of the weights that its worker had, and the frameworks agree on all of them.

What the workers' batches and weights were is written down while they play; then each update is made again, by another learner
that is given those weights, that batch and nothing else.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from tests.parity.ladder import NAMES, close
from triptych import envs, frameworks
from triptych.frameworks import Learner
from triptych.recipes import Recipe, load_recipe
from triptych.recipes.override import override
from triptych.spec import Adam, RMSprop
from triptych.training.agent import make_learner
from triptych.training.asynchronous import Scheduled
from triptych.training.build import make_training
from triptych.training.loop import run_loop
from triptych.training.worker import Worker

WORKERS, ROWS, TURNS = 4, 3, 24
DELAYS = (0, 1, 2, 3)
KINDS = ("none", "lstm", "attention")
CASES = [*itertools.product(NAMES, KINDS), *((NAMES[0], kind) for kind in ("rnn", "gru", "stack"))]


class Made(NamedTuple):
    """What a run of workers was, as far as another learner must know it."""

    batches: list[Any]  # of each turn
    weights: list[dict[str, np.ndarray]]  # before the first turn, and after each
    rates: list[float]


def recipe_of(memory: str, optimiser: str) -> Recipe:
    changes: dict[str, Any] = {
        "memory": memory, "workers": WORKERS, "num_envs": 2, "precision": "float64", "network.0.units": 6, "network.1.units": 5,
        "algorithm.delays": DELAYS, "algorithm.rollout_steps": ROWS, "algorithm.entropy_weight": 0.01, "steps": 200,
        "optimiser": RMSprop(0.01, final_rate=0.0, max_norm=0.5) if optimiser == "rmsprop" else Adam(0.01, final_rate=0.0, max_norm=0.5),
    }  # fmt: skip
    if memory not in ("none", "stack"):
        changes["network.2.units"] = 4
    return override(load_recipe("cartpole-a3c"), changes)


def played(framework: str, recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> Made:
    """Plays turns of all workers and writes down what they learned from."""
    learner_class = frameworks.load(framework).Learner
    training = make_training(recipe, envs.make(recipe.env, recipe.num_envs), learner_class)
    assert isinstance(training, Scheduled)
    made = Made([], [training.learner.get_weights()], [])
    batches = Worker.batches

    def noted(self: Worker) -> Any:
        for batch in batches(self):
            made.batches.append(batch)
            made.rates.append(self.learning_rate)
            yield batch

    monkeypatch.setattr(Worker, "batches", noted)
    for tick in itertools.islice(run_loop(training), TURNS * ROWS):
        made.weights.extend(training.learner.get_weights() for _ in tick.updates)
    training.close()
    return made


def learner_of(framework: str, recipe: Recipe) -> Learner:
    games = envs.make(recipe.env, 1)
    games.close()
    return make_learner(recipe, games, frameworks.load(framework).Learner)


def check_updates(framework: str, memory: str, optimiser: str, monkeypatch: pytest.MonkeyPatch) -> Made:
    """Each update made again: the gradient of that batch at the weights of so many updates ago, applied to the newest ones."""
    recipe = recipe_of(memory, optimiser)
    made = played(framework, recipe, monkeypatch)
    assert len(made.batches) == TURNS
    assert len(made.weights) == TURNS + 1
    central, apart = learner_of(framework, recipe), learner_of(framework, recipe)
    for turn, (batch, rate) in enumerate(zip(made.batches, made.rates, strict=True)):
        apart.set_weights(made.weights[max(0, turn - DELAYS[turn % WORKERS])])
        gradients, _ = apart.gradients(batch)
        central.apply(gradients, rate)
        for name, value in central.get_weights().items():
            close(framework, f"{name} after turn {turn}", value, made.weights[turn + 1][name], 1e-11)
    return made


@pytest.mark.parametrize(("framework", "memory"), CASES)
def test_an_update_is_of_the_weights_that_its_worker_had(
    framework: str, memory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_updates(framework, memory, "adam" if memory == "lstm" else "rmsprop", monkeypatch)


@pytest.mark.parametrize("memory", ["none", "lstm"])
def test_the_frameworks_agree_on_every_update(memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = recipe_of(memory, "rmsprop")
    first, *others = [played(framework, recipe, monkeypatch) for framework in NAMES]
    for framework, other in zip(NAMES[1:], others, strict=True):
        for turn, (ours, theirs) in enumerate(zip(first.weights, other.weights, strict=True)):
            for name, value in ours.items():
                close(framework, f"{name} after turn {turn}", theirs[name], value, 1e-9)


def learned(change: Callable[[Scheduled, Worker], None]) -> Callable[[Any], Any]:
    """Something that happens to the weights before a worker's gradient is taken."""

    def mutant(keep: Any) -> Any:
        def learn(self: Scheduled, worker: Worker) -> Any:
            change(self, worker)
            return keep(self, worker)

        return learn

    return mutant


def applied_by_the_worker(keep: Any) -> Any:
    def apply(self: Scheduled, gradient: Any) -> Any:
        central, self.learner = self.learner, next(w.learner for w in self.workers if w.learner is not self.learner)
        found = keep(self, gradient)
        central.set_weights(self.learner.get_weights())
        self.learner = central
        return found

    return apply


MUTATIONS: dict[str, tuple[Any, str, Callable[[Any], Any]]] = {
    "the newest weights": (Scheduled, "learn_from", learned(lambda self, worker: worker.learner.set_weights(self.learner.get_weights()))),
    "another worker's weights": (
        Scheduled, "learn_from",
        learned(lambda self, worker: worker.learner.set_weights(self.workers[worker.number - 1].weights or self.learner.get_weights())),
    ),
    "weights handed out every second time": (Scheduled, "hand_out", lambda keep: lambda self, worker: self.turn % 2 and keep(self, worker)),
    "a gradient applied to the worker's own weights": (Scheduled, "apply", applied_by_the_worker),
    "statistics that no update keeps": (Scheduled, "count_update", lambda keep: lambda self, age, told: (forget(self), keep(self, age, told))[1]),
}  # fmt: skip


def forget(training: Scheduled) -> None:
    """The optimiser's statistics begin anew."""
    state = training.learner.get_state()
    training.learner.set_state({name: array * (not name.startswith("rmsprop/v")) for name, array in state.items()})


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_another_update_is_found(mutation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place, attribute, mutant = MUTATIONS[mutation]
    monkeypatch.setattr(place, attribute, mutant(getattr(place, attribute)))
    with pytest.raises(AssertionError):
        check_updates("torch", "lstm", "rmsprop", monkeypatch)
