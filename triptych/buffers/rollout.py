"""What the policy has just played, for the actor-critics: T steps of N games, and the advantages of their actions."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from triptych.buffers.advantages import generalised_advantages
from triptych.spec import Observation, each, parts_of, under
from triptych.spec.batches import NOT_ASKED, Rollout, Told
from triptych.utils.state import State


class Played(NamedTuple):
    """One step of every game, as the rollout keeps it."""

    obs: Any  # [N, *observation] acted on; of several parts a dict of them
    reset: np.ndarray  # [N] bool, obs starts an episode
    action: np.ndarray  # [N]
    log_prob: np.ndarray  # [N] of the action
    value: np.ndarray  # [N] of obs
    reward: np.ndarray  # [N] learned from
    terminated: np.ndarray  # [N] bool
    truncated: np.ndarray  # [N] bool
    mask: np.ndarray  # [N] bool, an action was taken
    teacher: np.ndarray | None = None  # [N, A] that a teacher with memory gave for obs; None: it was not asked


def layout(steps: int, num_envs: int, state_size: int, precision: str) -> dict[str, tuple[tuple[int, ...], str]]:
    """Shape and dtype of each array of a buffer but the observations."""
    shape = (steps, num_envs)
    found: dict[str, tuple[tuple[int, ...], str]] = {}
    found |= {name: (shape, "bool") for name in ("reset", "terminated", "truncated", "mask")}
    found |= {"action": (shape, "int32")}
    found |= {name: (shape, precision) for name in ("log_prob", "value", "reward", "advantage", "returns")}
    return found | {"state": ((num_envs, state_size), precision)}


class RolloutBuffer:
    """Fills up with T steps, gives them out as minibatches, and is empty again.

    Args:
        steps: T.
        precision: NumPy's name of the floats' type.
        state_size: numbers that the network carries from step to step.
    """

    obs: Any  # [T, N, *observation]; of several parts a dict of them
    reset: np.ndarray  # [T, N], as all that follow but the last; see `Played`
    terminated: np.ndarray
    truncated: np.ndarray
    mask: np.ndarray
    action: np.ndarray
    log_prob: np.ndarray
    value: np.ndarray
    reward: np.ndarray
    advantage: np.ndarray  # of the actions, once the rollout is closed
    returns: np.ndarray  # what the values are drawn to
    state: np.ndarray  # [N, S] before the first step
    teacher: np.ndarray | None = None  # [T, N, A]; see `Store.teacher`

    def __init__(self, steps: int, num_envs: int, observation: Observation, state_size: int, precision: str):
        self.steps, self.num_envs, self.filled = steps, num_envs, 0
        self.obs = observation.zeros((steps, num_envs), precision)
        for name, (shape, dtype) in layout(steps, num_envs, state_size, precision).items():
            setattr(self, name, np.zeros(shape, dtype))

    def keep_teacher(self, actions: int, precision: str) -> None:
        """Keeps what a teacher gives, too: one number an action."""
        self.teacher = np.full((self.steps, self.num_envs, actions), NOT_ASKED, precision)

    @property
    def kept(self) -> list[str]:
        """The fields of `Played` that are kept."""
        return [name for name in Played._fields if name != "teacher" or self.teacher is not None]

    @staticmethod
    def bytes_for(steps: int, num_envs: int, observation: Observation, state_size: int, precision: str) -> int:
        """Bytes of a buffer of these sizes; the minibatches are a second copy of nearly all of it."""
        arrays = [((steps, num_envs, *part.shape), part.taken(precision)) for _, part in observation.named]
        arrays += layout(steps, num_envs, state_size, precision).values()
        return sum(math.prod(shape) * np.dtype(dtype).itemsize for shape, dtype in arrays)

    @property
    def full(self) -> bool:
        return self.filled == self.steps

    def add(self, played: Played, state: np.ndarray | None) -> None:
        """Appends a step; `state` [N, S] is the network's before it."""
        if self.filled == 0 and state is not None:
            self.state[:] = state
        for name in self.kept:
            found = getattr(played, name)
            for part, kept in parts_of(getattr(self, name)).items():
                kept[self.filled] = NOT_ASKED if found is None else parts_of(found)[part]
        self.filled += 1

    def cut(self, games: np.ndarray) -> None:
        """The newest step is the last one of its episode in these games [N]: what comes now is its last observation."""
        if self.filled:
            last = self.filled - 1
            self.truncated[last] |= games & self.mask[last] & ~self.terminated[last]

    def get_state(self) -> State:
        """The steps played so far."""
        arrays = {"state": self.state}
        for name in self.kept:
            arrays |= under(name, each(lambda kept: kept[: self.filled], getattr(self, name)))
        return State(arrays, {"filled": self.filled})

    def set_state(self, state: State) -> None:
        self.filled = state.json["filled"]
        self.state[:] = state.arrays["state"]
        for name in self.kept:
            for part, kept in parts_of(getattr(self, name)).items():
                kept[: self.filled] = state.arrays[f"{name}/{part}" if part else name]

    def close(self, value: np.ndarray, gamma: float, gae_lambda: float) -> None:
        """Works out advantages and returns; `value` [N] is of the observation after the last step. Then it is empty."""
        last = self.terminated | self.truncated
        # Worked out in float64 and rounded once, whatever the run's precision is.
        values = np.concatenate([self.value, value[None]]).astype(np.float64)
        discount = gamma * ~self.terminated
        with np.errstate(invalid="ignore"):  # of a run that has diverged, which its log says
            advantage = generalised_advantages(
                self.reward.astype(np.float64), discount, last, values, gamma * gae_lambda
            )
        self.advantage[:] = advantage * self.mask
        self.returns[:] = (advantage + values[:-1]) * self.mask
        self.filled = 0

    def minibatches(
        self, rng: np.random.Generator, count: int, whole: bool, entropy_weight: float, clip: float
    ) -> list[Rollout | Told]:
        """Every step once, in `count` batches of equal size.

        Args:
            rng: draws what goes together.
            whole: whole sequences of games, for networks with memory; else single steps [1, B] in any order.
        """
        places = rng.permutation(self.num_envs if whole else self.steps * self.num_envs)
        weights = {"entropy_weight": entropy_weight, "clip": clip}
        scalars = {name: np.asarray(number, self.value.dtype) for name, number in weights.items()}
        return [self.batch(chosen, whole, scalars) for chosen in np.split(places, count)]

    def batch(self, chosen: np.ndarray, whole: bool, scalars: dict[str, np.ndarray]) -> Rollout | Told:
        """The rollouts of some games, or some steps as sequences of one."""
        names = ["obs", "reset", "action", "log_prob", "advantage", "returns", "mask"]
        kept = {name: getattr(self, name) for name in names + ["teacher"] * (self.teacher is not None)}
        if whole:
            arrays = {name: each(lambda x: np.ascontiguousarray(x[:, chosen]), array) for name, array in kept.items()}
            state = self.state[chosen]
        else:
            arrays = {
                name: each(lambda x: x.reshape(-1, *x.shape[2:])[chosen][None], array) for name, array in kept.items()
            }
            state = np.zeros((len(chosen), self.state.shape[1]), self.state.dtype)
        mask, said = arrays.pop("mask").astype(self.value.dtype), arrays.pop("teacher", None)
        found = Rollout(**arrays, state=state, mask=mask, **scalars)
        return found if said is None else Told(found, np.where(mask[..., None] > 0, said, 0))
