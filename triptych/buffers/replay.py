"""Replay (Lin 1992; Mnih et al. 2015) over the stored stream, put together from two choices.

A *sampler* says which slots are drawn: all with equal chance (`UniformSampler`) or by TD error (`PrioritisedSampler` in
prioritised.py). A *collator* says where a sample may start and makes the batch: single steps (`Transitions`) or pieces
of episodes (`Sequences` in sequences.py). Neither knows the other's kind. torchrl's ReplayBuffer has the same form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from triptych.buffers.outcomes import Outcomes
from triptych.buffers.store import Store
from triptych.spec import each
from triptych.spec.batches import Sequence, Told, Transition
from triptych.utils.state import State

Batch = Transition | Sequence


class Collator(Protocol):
    """Where a sample may start in a store, and what a batch of them is."""

    @property
    def tries(self) -> int:
        """Slots that a uniform sampler draws for each sample at a time."""
        ...

    @property
    def grows(self) -> int:
        """Rows that must follow a sample's first one before it is whole, at most."""
        ...

    def drawable(self, store: Store, rows: np.ndarray, games: np.ndarray) -> np.ndarray:
        """Whether a sample may start at each slot (bool, of the slots' shape): all that it shows is stored."""
        ...

    def whole(self, store: Store, rows: np.ndarray, games: np.ndarray, count: int) -> np.ndarray:
        """Whether a sample starts at each slot all of which was stored when the store had `count` rows.

        The ring may have dropped what lies before it, such as the frames of its stack.
        """
        ...

    def batch(self, store: Store, rows: np.ndarray, games: np.ndarray, weight: np.ndarray) -> Batch:
        """The samples that start at the given slots [B], and their weights [B] in the loss."""
        ...

    def example(self, store: Store, batch_size: int) -> Batch:
        """A batch without content, with the shapes and dtypes of a real one."""
        ...


class Drawn(NamedTuple):
    """The slots of a batch."""

    rows: np.ndarray  # [B] row numbers
    games: np.ndarray  # [B]
    weight: np.ndarray  # [B] float64, of the sample in the loss; 1 where all are drawn with equal chance


class Sampler(Protocol):
    """Which slots are drawn, and what is remembered for that."""

    def draw(
        self, store: Store, collator: Collator, rng: np.random.Generator, batch_size: int, beta: float
    ) -> Drawn | None:
        """The slots of a batch, with replacement; None: nothing that is stored can be drawn yet.

        `beta` says how much of an unequal chance the weights undo.
        """
        ...

    def learned(self, td_error: Callable[[], np.ndarray]) -> None:
        """Is offered the TD errors [B] of the last batch; calling for them waits for the device."""
        ...

    def get_state(self) -> State:
        """What the store's rows do not tell, as arrays and JSON."""
        ...

    def set_state(self, state: State) -> None: ...


class Replay:
    """Batches from a store: the sampler's slots as the collator's samples."""

    def __init__(self, store: Store, sampler: Sampler, collator: Collator):
        self.store, self.sampler, self.collator = store, sampler, collator

    def __len__(self) -> int:
        """Complete transitions to draw from."""
        return self.store.transitions

    def sample(self, rng: np.random.Generator, batch_size: int, beta: float = 1.0) -> Any:
        """Draws a batch with replacement. `beta` is for priorities: how much of what they distort the weights undo.

        None: nothing can be drawn yet, as where pieces of episodes are drawn by priority and none is whole. No update can
        be made then.
        """
        drawn = self.sampler.draw(self.store, self.collator, rng, batch_size, beta)
        return None if drawn is None else self.batch(*drawn)

    def batch(self, rows: np.ndarray, games: np.ndarray, weight: np.ndarray | None = None) -> Any:
        """The samples that start at the given slots [B]; of weight 1, if none [B] are given."""
        weight = np.ones(len(rows)) if weight is None else weight
        found = self.collator.batch(self.store, rows, games, weight)
        return found if self.store.teacher is None else Told(found, self.told(found, rows, games))

    def told(self, batch: Batch, rows: np.ndarray, games: np.ndarray) -> np.ndarray:
        """What the teacher gave for the steps of a batch that are learned from; zeros beyond an episode's end."""
        assert self.store.teacher is not None
        if isinstance(batch, Transition):
            return self.store.teacher[rows % self.store.rows, games]
        grid = rows + np.arange(len(batch.action))[:, None]  # [L, B]
        return np.where(batch.mask[..., None] > 0, self.store.teacher[grid % self.store.rows, games], 0)

    def example(self, batch_size: int) -> Any:
        """A batch without content, with the shapes and dtypes of a real one."""
        found = self.collator.example(self.store, batch_size)
        if self.store.teacher is None:
            return found
        actions = self.store.teacher.shape[-1]
        return Told(found, np.zeros((*found.action.shape, actions), self.store.teacher.dtype))

    def learned(self, td_error: Callable[[], np.ndarray]) -> None:
        """Offers the TD errors [B] of the last batch to the sampler; calling for them waits for the device."""
        self.sampler.learned(td_error)

    def get_state(self) -> State:
        """What the store's rows do not tell, as arrays and JSON."""
        return self.sampler.get_state()

    def set_state(self, state: State) -> None:
        self.sampler.set_state(state)


class UniformSampler:
    """Draws every sample with equal chance."""

    def draw(
        self, store: Store, collator: Collator, rng: np.random.Generator, batch_size: int, beta: float = 1.0
    ) -> Drawn:
        """The slots of a batch; those where no sample may start are drawn again."""
        rows, games = np.empty((2, batch_size), np.int64)
        wanted = np.arange(batch_size)
        while len(wanted):
            size = (len(wanted), collator.tries)
            slots = rng.integers(store.oldest * store.num_envs, store.count * store.num_envs, size=size)
            found = np.divmod(slots, store.num_envs)
            fits = collator.drawable(store, *found)
            first = (np.arange(len(wanted)), fits.argmax(axis=1))
            rows[wanted], games[wanted] = found[0][first], found[1][first]
            wanted = wanted[~fits[first]]
        return Drawn(rows, games, np.ones(batch_size))

    def learned(self, td_error: Callable[[], np.ndarray]) -> None:
        """Needs no errors, and so does not wait for them."""

    def get_state(self) -> State:
        """Nothing: the store's rows tell all."""
        return State({}, {})

    def set_state(self, state: State) -> None: ...


@dataclass(frozen=True)
class Transitions:
    """Samples of one step, or of n (n-step returns): `triptych.spec.batches.Transition`."""

    outcomes: Outcomes
    precision: str  # NumPy's name of the run's float dtype
    tries: int = 1  # nearly every slot is one
    grows: int = 1  # what followed is in the row below

    def drawable(self, store: Store, rows: np.ndarray, games: np.ndarray) -> np.ndarray:
        """Where an action was taken, and the stack and what followed are stored."""
        return store.startable(rows, games)

    def whole(self, store: Store, rows: np.ndarray, games: np.ndarray, count: int) -> np.ndarray:
        """Where an action was taken, and what followed was stored."""
        return store.mask[rows % store.rows, games] & (rows < count - 1)

    def batch(self, store: Store, rows: np.ndarray, games: np.ndarray, weight: np.ndarray) -> Transition:
        """The transitions that start at the given slots [B]; see `Outcomes.returns` for what follows them."""
        reward, discount, ahead = self.outcomes.returns(store, rows, games)
        obs, next_obs = store.observations(rows, games, 0, ahead)
        return Transition(
            obs=each(self.cast, obs),
            action=store.action[rows % store.rows, games],
            reward=cast(reward, self.precision),
            discount=cast(discount, self.precision),
            next_obs=each(self.cast, next_obs),
            weight=cast(weight, self.precision),
        )

    def cast(self, array: Any) -> Any:
        return cast(array, self.precision)

    def example(self, store: Store, batch_size: int) -> Transition:
        """A batch of zeros."""
        obs = store.observation.zeros((batch_size,), self.precision)
        zeros = np.zeros(batch_size, self.precision)
        return Transition(obs, np.zeros(batch_size, np.int32), zeros, zeros, obs, zeros)


def cast(array: Any, precision: str) -> Any:
    """Floats in the run's precision; pictures stay as they are, where they are."""
    floats = isinstance(array, np.ndarray) and array.dtype != np.uint8
    return array.astype(precision) if floats else array
