"""Faults of what is drawn to be learned from: parts of a replay, minibatches of a rollout, priorities of new steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from triptych.algorithms import a2c
from triptych.buffers import prioritised, replay, rollout, store
from triptych.checkup.faults.base import fault
from triptych.training import off_policy
from triptych.training.on_policy import OnPolicy
from triptych.utils.patching import Patch, around

PART = "samples drawn from a part of the replay"
CUT = "a rollout's steps learned from unevenly"
SCHEDULE = "a coefficient's schedule not followed"
PRIORITIES = "priorities constant, importance weights 1"

Slots = Callable[[np.random.Generator, int, int, int, Any], Any]  # of a generator, bounds, games and a shape


def drawing(slots: Slots) -> list[Patch]:
    """The uniform sampler draws other slots."""

    def make(keep: Any) -> Any:
        def draw(self: Any, store: Any, collator: Any, rng: np.random.Generator, *given: Any) -> Any:
            class Part:
                def integers(self, low: int, high: int, size: Any) -> np.ndarray:
                    return slots(rng, low, high, store.num_envs, size)

            return keep(self, store, collator, Part(), *given)

        return draw

    return [around(replay.UniformSampler, "draw", make)]


def but_of_the_first_game(rng: np.random.Generator, low: int, high: int, games: int, size: Any) -> np.ndarray:
    slots = rng.integers(low, high, size=size)
    return np.minimum(slots + (slots % games == 0), high - 1)


@fault(PART, "cartpole")
def newest_half_drawn(framework: str) -> list[Patch]:
    """Samples are drawn from the newer half of what is kept."""
    return drawing(lambda rng, low, high, games, size: rng.integers((low + high) // 2, high, size=size))


@fault(PART, "cartpole")
def oldest_half_drawn(framework: str) -> list[Patch]:
    """Samples are drawn from the older half of what is kept."""
    return drawing(lambda rng, low, high, games, size: rng.integers(low, max(low + 80, (low + high) // 2), size=size))


@fault(PART, "cartpole")
def one_game_never_drawn(framework: str) -> list[Patch]:
    """No sample is of the first game."""
    return drawing(but_of_the_first_game)


@fault(PART, "repeat-previous")
def one_game_never_drawn_in_sequences(framework: str) -> list[Patch]:
    """No sequence is of the first game."""
    return drawing(but_of_the_first_game)


@fault(PART, "cartpole-cut")
def replay_smaller_than_said(framework: str) -> list[Patch]:
    """The replay keeps a quarter of what the recipe says."""

    def make(keep: Any) -> Any:
        return lambda capacity, *given, **named: keep(capacity // 4, *given, **named)

    return [around(off_policy, "Store", make)]


@fault(PART, "cartpole")
def generator_seeded_anew_for_each_batch(framework: str) -> list[Patch]:
    """Each batch is drawn by the same random numbers."""

    def make(keep: Any) -> Any:
        return lambda self, rng, *given: keep(self, np.random.default_rng(7), *given)

    return [around(replay.Replay, "sample", make)]


@fault(PRIORITIES, "cartpole-switches")
def importance_weights_not_normalised(framework: str) -> list[Patch]:
    """Importance weights are not divided by the largest of their batch."""

    def make(keep: Any) -> Any:
        def draw(self: Any, store: Any, *given: Any) -> Any:
            found = keep(self, store, *given)
            if found is None:
                return found
            chance = self.tree.get(self.drawn) / self.tree.total
            return found._replace(weight=(store.transitions * chance) ** -given[-1])

        return draw

    return [around(prioritised.PrioritisedSampler, "draw", make)]


@fault(PRIORITIES, "cartpole-switches")
def new_steps_enter_without_a_priority(framework: str) -> list[Patch]:
    """From the 800th step on new ones are given hardly any priority, and are hardly ever drawn."""

    def make(keep: Any) -> Any:
        def absorb(self: Any, *given: Any) -> None:
            largest = self.largest
            if self.known > 200:
                self.largest = 1e-6
            keep(self, *given)
            self.largest = largest

        return absorb

    return [around(prioritised.PrioritisedSampler, "absorb", make)]


def dealt(permutation: Callable[[np.random.Generator, int], np.ndarray]) -> list[Patch]:
    """A rollout's steps or games are dealt out in another way."""

    class Dealer:
        def __init__(self, rng: np.random.Generator):
            self.rng = rng

        def permutation(self, count: int) -> np.ndarray:
            return permutation(self.rng, count)

    def make(keep: Any) -> Any:
        return lambda self, rng, *given, **named: keep(self, Dealer(rng), *given, **named)

    return [around(rollout.RolloutBuffer, "minibatches", make)]


@fault(CUT, "cartpole-ppo")
def minibatches_with_replacement(framework: str) -> list[Patch]:
    """Steps of a rollout are drawn with replacement: some are never learned from."""
    return dealt(lambda rng, count: rng.integers(count, size=count))


@fault(CUT, "cartpole-ppo")
def first_minibatch_alone(framework: str) -> list[Patch]:
    """All updates of a pass learn from its first minibatch."""

    def make(keep: Any) -> Any:
        def minibatches(self: Any, *given: Any, **named: Any) -> Any:
            found = keep(self, *given, **named)
            return found[:1] * len(found)

        return minibatches

    return [around(rollout.RolloutBuffer, "minibatches", make)]


@fault(CUT, "cartpole-ppo")
def minibatches_never_drawn_anew(framework: str) -> list[Patch]:
    """Each pass cuts a rollout into the same minibatches."""
    return dealt(lambda rng, count: np.random.default_rng(1).permutation(count))


@fault(CUT, "memory-chain-ppo")
def one_game_never_learned_from(framework: str) -> list[Patch]:
    """The first game is in no minibatch."""
    return dealt(lambda rng, count: np.maximum(1, rng.permutation(count)))


@fault(CUT, "cartpole-ppo")
def too_few_passes(framework: str) -> list[Patch]:
    """A rollout is learned from seven times where the recipe says ten."""

    def make(keep: Any) -> Any:
        def make_buffer(self: Any) -> None:
            keep(self)
            self.epochs = int(0.7 * self.epochs)

        return make_buffer

    return [around(OnPolicy, "make_buffer", make)]


@fault(SCHEDULE, "cartpole-ppo")
def clip_schedule_ignored(framework: str) -> list[Patch]:
    """PPO's clip range stays where it begins."""
    return [Patch(a2c.Config, "at", staticmethod(lambda step, steps, first, last: first))]


@fault(PART, "cartpole")
def every_tenth_step_not_stored(framework: str) -> list[Patch]:
    """One step of ten enters the replay as one at which no action was taken."""

    def make(keep: Any) -> Any:
        def add(self: Any, row: Any) -> Any:
            return keep(self, row._replace(mask=np.zeros_like(row.mask)) if self.count % 10 == 0 else row)

        return add

    return [around(store.Store, "add", make)]


@fault(PART, "cartpole")
def one_sample_fills_a_batch(framework: str) -> list[Patch]:
    """In one batch of three all samples are the first one."""

    def make(keep: Any) -> Any:
        def sample(self: Any, *given: Any) -> Any:
            batch, self.drawn = keep(self, *given), getattr(self, "drawn", 0) + 1
            if batch is None or self.drawn % 3:
                return batch
            return type(batch)(*(np.repeat(np.asarray(part)[:1], len(np.asarray(part)), axis=0) for part in batch))

        return sample

    return [around(replay.Replay, "sample", make)]
