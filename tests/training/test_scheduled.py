"""A3C's workers in turn: which weights each plays with, when its gradient is applied, worked out apart from the package.

A tiny learner of one weight plays the script of `scripted.py`; `oracle` is its whole training in plain numbers.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest

from tests.training import scripted
from tests.training.scripted import ACTIONS, ScriptedGames
from triptych import envs
from triptych.algorithms import a3c
from triptych.recipes import load_recipe
from triptych.recipes.override import override
from triptych.spec import LSTM
from triptych.training.asynchronous import Scheduled
from triptych.training.build import make_training
from triptych.training.loop import run_loop
from triptych.training.worker import Worker

ROWS, GAMES, TURNS, STEPS, GAMMA, RATE = 5, 2, 24, 400, 0.9, 0.1
DELAYS: dict[str, tuple[tuple[int, ...], int | None]] = {  # each worker's, and the largest staleness that is allowed
    "one worker": ((0,), None),
    "two in turn": ((0, 0), None),
    "two at once": ((1, 1), None),
    "four": ((0, 1, 2, 3), None),
    "four that are dropped": ((0, 1, 2, 3), 1),
}


class Turn(NamedTuple):
    """What the learner came to with the turn of a worker."""

    weight: float
    age: int | None  # of the gradient; None: it was dropped


class TinyLearner:
    """One weight, which is drawn to the returns. Its memory adds the weight up, and the value shows both."""

    device = "cpu"
    frozen: tuple[str, ...] = ()

    def __init__(self, *given: Any):
        self.weight, self.square, self.precision = 0.5, 0.0, given[-1]

    def freeze(self, names: tuple[str, ...]) -> None:
        assert not names

    def act(self, obs: Any, state: Any, reset: Any) -> tuple[np.ndarray, np.ndarray]:
        before = np.where(reset[:, None], 0, state)
        value = self.weight + 0.1 * before[:, :1]
        return np.concatenate([np.zeros((len(obs), ACTIONS)), value], axis=1), before + self.weight

    def gradients(self, batch: Any) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        error = float(np.sum(batch.mask * (self.weight - batch.returns)) / np.sum(batch.mask))
        return {"weight": np.array(error + 0.01 * float(np.sum(batch.state[:, 0])))}, {"loss": error}

    def apply(self, gradients: dict[str, np.ndarray], rate: float) -> float:
        gradient = float(gradients["weight"])
        self.square = 0.99 * self.square + 0.01 * gradient**2  # one for all workers
        self.weight -= rate * gradient / math.sqrt(self.square + 0.01)
        return abs(gradient)

    def update(self, batch: Any, rate: float) -> dict[str, Any]:
        gradients, scalars = self.gradients(batch)
        return scalars | {"gradient_norm": self.apply(gradients, rate)}

    def get_weights(self) -> dict[str, np.ndarray]:
        return {"weight": np.array(self.weight)}

    def set_weights(self, weights: dict[str, np.ndarray]) -> None:
        self.weight = float(weights["weight"])


class Place:
    """Where one game stands, and what the memory carries there."""

    def __init__(self, game: int):
        self.game, self.episode, self.step, self.carried = game, 0, 0, 0.0

    def value(self, weight: float) -> float:
        return weight + 0.1 * self.carried * (self.step > 0)

    def play(self, weight: float) -> tuple[float, float | None, bool, bool]:
        """Value, reward (None: it only restarts), whether it terminates, whether its time is over."""
        value = self.value(weight)
        self.carried = self.carried * (self.step > 0) + weight
        if self.step == scripted.length(self.game, self.episode):
            self.episode, self.step = self.episode + 1, 0
            return value, None, False, False
        reward = scripted.reward(self.game, self.episode, self.step)
        self.step += 1
        last = self.step == scripted.length(self.game, self.episode)
        ends = scripted.ending(self.game, self.episode) if last else (False, False)
        return value, reward, *ends


def rollout_of(places: list[Place], weight: float) -> tuple[float, int]:
    """The gradient of a rollout played and learned from with one weight, and the steps in it."""
    began = sum(place.carried for place in places)
    rows = [[place.play(weight) for place in places] for _ in range(ROWS)]
    errors = []
    for number, place in enumerate(places):
        following = place.value(weight)  # what comes after the row in hand: a return, or the value where it is cut
        for value, reward, terminates, _ in reversed([row[number] for row in rows]):
            if reward is None:
                following = value
                continue
            following = reward + GAMMA * (0.0 if terminates else following)
            errors.append(weight - following)
    return sum(errors) / len(errors) + 0.01 * began, len(errors)


def oracle(delays: tuple[int, ...], oldest: int) -> list[Turn]:
    """The turns of all workers: a worker's weights are those of so many turns ago as its delay says."""
    weight, square, updates, steps = 0.5, 0.0, 0, 0
    places = [[Place(game) for game in range(GAMES)] for _ in delays]
    past: list[tuple[float, int, int]] = []  # before each turn: the weight, the updates behind it, the steps
    turns = []
    for turn in range(TURNS):
        past.append((weight, updates, steps))
        worker = turn % len(delays)
        used, version, begun = past[max(0, turn - delays[worker])]
        gradient, played = rollout_of(places[worker], used)
        steps += played
        age = updates - version
        if age > oldest:
            turns.append(Turn(weight, None))
            continue
        square = 0.99 * square + 0.01 * gradient**2
        weight -= RATE * (1 - begun / STEPS) * gradient / math.sqrt(square + 0.01)
        updates += 1
        turns.append(Turn(weight, age))
    return turns


def make(delays: tuple[int, ...], most: int | None, monkeypatch: pytest.MonkeyPatch) -> Scheduled:
    recipe = override(
        load_recipe("cartpole-a3c"),
        {
            "network": (LSTM(2),), "num_envs": GAMES, "steps": STEPS, "precision": "float64", "workers": len(delays),
            "optimiser.learning_rate": RATE, "optimiser.final_rate": 0.0,
            "algorithm.rollout_steps": ROWS, "algorithm.gamma": GAMMA, "algorithm.gae_lambda": 1.0, "algorithm.reward_scale": 1.0,
            "algorithm.delays": delays, "algorithm.max_staleness": most,
        },
    )  # fmt: skip
    monkeypatch.setattr(envs, "make", lambda *given: ScriptedGames(num_envs=GAMES))
    games: Any = ScriptedGames(num_envs=GAMES)
    learner: Any = TinyLearner
    training = make_training(recipe, games, learner)
    assert isinstance(training, Scheduled)
    return training


def check_schedule(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After every turn: the weight, and the age of the gradient or that it was dropped."""
    delays, most = DELAYS[name]
    training = make(delays, most, monkeypatch)
    found = []
    for tick in itertools.islice(run_loop(training), TURNS * ROWS):
        assert tick.updates == [] or training.turn == len(found) + 1
        if training.turn > len(found):
            ages = [update["staleness_mean"] for update in tick.updates] or [None]
            found.append(Turn(training.learner.weight, *ages))  # type: ignore[attr-defined]
    wanted = oracle(delays, 4 * len(delays) if most is None else most)
    assert [turn.age for turn in found] == [turn.age for turn in wanted]
    assert [turn.weight for turn in found] == pytest.approx([turn.weight for turn in wanted], rel=1e-12)
    told, ages = training.told(), [turn.age for turn in wanted if turn.age is not None]
    assert told["gradients_dropped"] == len(wanted) - len(ages)
    assert (told["staleness_mean"], told["staleness_max"]) == (pytest.approx(np.mean(ages)), max(ages))
    assert training.counters.updates == len(ages)


@pytest.mark.parametrize("name", DELAYS)
def test_each_gradient_is_of_the_weights_that_its_worker_had(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check_schedule(name, monkeypatch)


def test_a_delay_is_the_staleness_once_all_have_begun() -> None:
    for name, (delays, _) in list(DELAYS.items())[:-1]:
        ages = [turn.age for turn in oracle(delays, 99)]
        assert ages[len(delays) :] == [delays[turn % len(delays)] for turn in range(len(delays), TURNS)], name


def handed_out_before_the_apply(keep: Any) -> Any:
    def update(self: Scheduled) -> Any:
        worker = self.player
        if not worker.rollout.full:
            return []
        self.turn += 1
        for each in self.workers:
            if self.turns_until(each) == self.config.delay(each.number):
                self.hand_out(each)
        return self.learn_from(worker)

    return update


def of_the_newest_weights(keep: Any) -> Any:
    def learn(self: Scheduled, worker: Worker) -> Any:
        worker.learner.set_weights(self.learner.get_weights())
        return keep(self, worker)

    return learn


def of_another_workers_weights(keep: Any) -> Any:
    def learn(self: Scheduled, worker: Worker) -> Any:
        worker.learner.set_weights(self.workers[worker.number - 1].weights or self.learner.get_weights())
        return keep(self, worker)

    return learn


def another_workers_memory(keep: Any) -> Any:
    def advance(self: Scheduled, *given: Any) -> Any:
        found = keep(self, *given)
        self.player.state = self.workers[self.player.number - 1].state
        return found

    return advance


def dropped_ones_count(keep: Any) -> Any:
    def apply(self: Scheduled, gradient: Any) -> Any:
        found = keep(self, gradient)
        self.counters.updates += not found
        return found

    return apply


def moved_within(keep: Any) -> Any:
    def update(self: Scheduled) -> Any:
        found = keep(self)
        self.player.learner.set_weights(self.learner.get_weights())
        return found

    return update


MUTATIONS: dict[str, tuple[Any, str, Callable[[Any], Any]]] = {
    "weights handed out before the apply": (Scheduled, "update_after_step", handed_out_before_the_apply),
    "gradients of the newest weights": (Scheduled, "learn_from", of_the_newest_weights),
    "gradients of another worker's weights": (Scheduled, "learn_from", of_another_workers_weights),
    "weights that change within a rollout": (Scheduled, "update_after_step", moved_within),
    "weights that are never loaded": (Worker, "load", lambda keep: lambda self: None),
    "weights that are never handed out": (Scheduled, "hand_out", lambda keep: lambda self, worker: None),
    "memory of another worker": (Scheduled, "advance", another_workers_memory),
    "staleness of one less": (Scheduled, "count_update", lambda keep: lambda self, age, told: keep(self, max(0, age - 1), told)),
    "staleness by steps": (Worker, "take", lambda keep: lambda self, weights, version, steps: keep(self, weights, 0, steps)),
    "old gradients are applied": (a3c.Config, "oldest", lambda keep: property(lambda self: 99)),
    "dropped gradients count as updates": (Scheduled, "apply", dropped_ones_count),
    "the rate of the apply": (Worker, "steps_of_run", lambda keep: property(lambda self: self.counters.steps)),
    "another order": (Scheduled, "turns_until", lambda keep: lambda self, worker: (self.turn - worker.number) % len(self.workers)),
}  # fmt: skip


def check_both(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("four", "four that are dropped"):
        check_schedule(name, monkeypatch)


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_another_schedule_is_found(mutation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place, attribute, mutant = MUTATIONS[mutation]
    monkeypatch.setattr(place, attribute, mutant(getattr(place, attribute)))
    with pytest.raises(AssertionError):
        check_both(monkeypatch)


def test_workers_draw_apart() -> None:
    """The first one as A2C does, the others otherwise."""
    workers = [SimpleNamespace(number=number, life="") for number in range(3)]
    names = [Worker.stream(worker, "explore") for worker in workers]  # type: ignore[arg-type]
    assert names == ["explore", "worker-1/explore", "worker-2/explore"]
    replaced = SimpleNamespace(number=0, life="life-1")
    assert Worker.stream(replaced, "explore") == "worker-0/life-1/explore", "it does not play the same again"  # type: ignore[arg-type]
