"""An agent that is probed: its learner, and what may be asked of it without anything of it changing."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from triptych.algorithms import definition
from triptych.checkup.probes import losses
from triptych.checkup.probes.oracle import Weights, forward, unknown_layers
from triptych.frameworks import Learner
from triptych.spec import Network, dtypes, each, first_of, parts_of, whole_of
from triptych.spec.batches import Rollout, Transition
from triptych.training.base import Training

CLOSE = {"float64": 1e-6, "float32": 2e-3, "bfloat16": 0.15}  # of the largest number, by what a network multiplies in
GOALS = {Transition: losses.goal_of_transitions, Rollout: losses.goal_of_rollouts}  # else of sequences
EXPECTED = {Transition: losses.of_transitions, Rollout: losses.of_rollouts}


class Subject:
    """A training at its step 0. Generators and games of it are never touched; its learner only within `restored`."""

    def __init__(self, training: Training, seed: int = 0):
        recipe, player = training.recipe, training.players()[0]
        self.recipe, self.player = recipe, player
        self.config: Any = player.recipe.algorithm
        self.learner: Learner = training.learner
        self.network: Network = training.network
        self.kind = definition(recipe.algorithm).batch
        self.games = player.recipe.num_envs  # at once, as it acts
        self.actions = training.games.num_actions
        self.rate = recipe.learning_rate(0)
        self.rng = np.random.default_rng(seed)
        self.float, multiplied = dtypes(recipe.precision)
        self.close = CLOSE[multiplied]
        self.state_size = sum(self.network.state_sizes)

    @contextlib.contextmanager
    def restored(self) -> Iterator[dict[str, np.ndarray]]:
        """Whatever is done to the learner within is undone; gives its state before."""
        before = self.learner.get_state()
        try:
            yield {name: array.copy() for name, array in before.items()}
        finally:
            self.learner.set_state(before)

    def observations(self, *before: int) -> Any:
        """Made ones [*before, *observation]: noise in all pixels, numbers around 0."""
        made = {}
        for name, part in self.network.observation.named:
            shape = (*before, *part.shape)
            if part.dtype == "uint8":
                made[name] = self.rng.integers(256, size=shape, dtype=np.uint8)
            elif part.is_place:
                made[name] = self.rng.random(shape).astype(self.float)
            else:
                made[name] = self.rng.normal(size=shape).astype(self.float)
        return whole_of(made)

    def act(self, obs: Any, state: np.ndarray | None = None, reset: np.ndarray | None = None) -> tuple[np.ndarray, Any]:
        """One step of as many games as the agent plays; without a state as at an episode's start."""
        if not self.network.unrolls:
            return self.learner.act(obs)
        games = len(first_of(obs))
        state = np.zeros((games, self.state_size), self.float) if state is None else state
        return self.learner.act(obs, state, np.zeros(games, bool) if reset is None else reset)

    def outputs(self, obs: Any) -> np.ndarray:
        """The head's [M, ...] for first observations [M, ...], asked so many at once as the agent plays games."""
        count, found = len(first_of(obs)), []
        for start in range(0, count, self.games):
            places = np.minimum(np.arange(start, start + self.games), count - 1)
            found.append(self.act(each(lambda part, at=places: part[at], obs))[0])
        return np.concatenate(found)[:count].astype(np.float64)

    @property
    def is_ours(self) -> bool:
        """Whether the algorithm is a shipped one, whose equations are known here."""
        return type(self.config).__module__.startswith("triptych.")

    @property
    def unknown(self) -> list[str]:
        """Kinds of layers that nothing is known to compute here."""
        return unknown_layers(self.network)

    def oracle(self, weights: Weights, still: Weights | None = None) -> losses.Values:
        """The network with these weights, in float64; `still`: those that the burn-in is played with, where they are others."""
        begin = self.config.unlearned_steps

        def values(obs: Any, reset: np.ndarray) -> np.ndarray:
            early = each(lambda part: part[:begin], obs), reset[:begin]
            late = each(lambda part: part[begin:], obs), reset[begin:]
            if not begin or len(late[1]) == 0:
                return forward(self.network, weights, obs, reset)[0]
            before, states = forward(self.network, weights if still is None else still, *early)
            return np.concatenate([before, forward(self.network, weights, *late, states)[0]])

        return values

    def expected(self, batch: Any, online: losses.Values, goal: np.ndarray) -> losses.Expected:
        return EXPECTED.get(self.kind, losses.of_sequences)(self.config, batch, online, goal)

    def goal(self, batch: Any, online: losses.Values, target: losses.Values) -> np.ndarray:
        return GOALS.get(self.kind, losses.goal_of_sequences)(self.config, batch, online, target)

    @property
    def numbers(self) -> int:
        """In the observations of a batch of the run's own shapes."""
        return sum(math.prod(part.shape) for part in parts_of(self.example().obs).values())

    def example(self) -> Any:
        """A batch of the run's own shapes, without what a teacher gave."""
        example = self.player.example()
        return getattr(example, "batch", example)

    def batch(self, most: int | None = None) -> Any:
        """A made batch of the run's own shapes, every number of it drawn; at most so many samples."""
        example = self.example()
        fields = {name: self.like(name, value, most) for name, value in example._asdict().items()}
        if self.config.samples_on_device:
            fields |= {name: self.learner.to_device(fields[name]) for name in ("obs", "next_obs")}
        made = example._replace(**fields)
        return self.settled(made)

    def like(self, name: str, value: Any, most: int | None) -> Any:
        """Drawn numbers for one field of a batch, in the place of an example's."""
        if name in ("obs", "next_obs"):
            lead = 1 if self.kind is Transition else 2
            return self.observations(*cut(first_of(value).shape[:lead], most))
        shape = cut(value.shape[:1], most) + value.shape[1:] if name == "state" else cut(value.shape, most)
        if name == "weight" and self.kind is not Transition:
            shape = cut(value.shape, most)
        actions = self.actions
        drawn: dict[str, Any] = {
            "action": lambda: self.rng.integers(actions, size=shape),
            "reward": lambda: self.rng.normal(size=shape),
            "discount": lambda: 0.9 * (self.rng.random(shape) < 0.8),
            "weight": lambda: self.rng.uniform(0.5, 1, shape),
            "ahead": lambda: self.rng.integers(1, self.config.n_step + 1, size=shape),
            "mask": lambda: np.ones(shape),
            "log_prob": lambda: np.log(1 / actions) + 0.1 * self.rng.normal(size=shape),
            "advantage": lambda: self.rng.normal(size=shape),
            "returns": lambda: self.rng.normal(size=shape),
            "entropy_weight": lambda: np.full(shape, 0.5),
            "clip": lambda: np.full(shape, 0.1),
        }
        made = drawn[name]() if name in drawn else np.zeros(shape)
        return np.asarray(made, value.dtype)

    def settled(self, batch: Any) -> Any:
        """One error that is far out, where a Huber loss is linear; of steps in a row a first one, and one that is no step."""
        far = batch.returns if self.kind is Rollout else batch.reward
        far.reshape(-1)[:1] += 3 * self.config.delta
        if self.kind is Transition:
            return batch
        batch.reset[0] = True
        if len(batch.reset) > 3:  # and one in the middle
            batch.reset[len(batch.reset) // 2, -1] = True
        if batch.mask.shape[1] > 2:  # each game keeps some
            batch.mask[-1, 0] = 0 if len(batch.mask) > 1 or batch.mask.shape[1] > 4 else 1
        return batch


def cut(shape: tuple[int, ...], most: int | None) -> tuple[int, ...]:
    """A shape whose last side, which counts samples, is at most so long."""
    return shape if most is None or not shape else (*shape[:-1], min(shape[-1], most))
