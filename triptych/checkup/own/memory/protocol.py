"""A user's network with a memory: how its state is carried and begun anew, and the sequences that it learns from."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from triptych.checkup.own.protocol import Batch, Own
from triptych.utils.checks import check

HISTORY = 3  # steps that are played to have a state that is not an episode's first one


class Pieces(NamedTuple):
    """Steps of one episode in a row, as `learn` of a learner of values with a memory is given them, in this order.

    Behind the episode's end they are padded with zeros. The memory begins empty before the first step.
    """

    obs: np.ndarray  # [B, T + 1, *observation]; the last one is only bootstrapped from
    action: np.ndarray  # [B, T] int64
    reward: np.ndarray  # [B, T] float32
    terminated: np.ndarray  # [B, T] float32
    mask: np.ndarray  # [B, T] float32: 1 where there is a step, 0 behind the end


class Begun(NamedTuple):
    """The same with the state that the memory had before the first step: where the setting `stored_state` is True."""

    obs: np.ndarray
    action: np.ndarray
    reward: np.ndarray
    terminated: np.ndarray
    mask: np.ndarray
    state: Any  # of the user's own kind, as `step` gives it, for B games


class Rollouts(NamedTuple):
    """Steps of B games in a row, as `learn` of an actor-critic with a memory is given them, in this order."""

    obs: np.ndarray  # [B, T, *observation]
    action: np.ndarray  # [B, T] int64
    advantage: np.ndarray  # [B, T] float32
    returns: np.ndarray  # [B, T] float32
    log_prob: np.ndarray  # [B, T] float32
    reset: np.ndarray  # [B, T] bool: an episode begins there
    state: Any  # before the first step


class Recurrent(Own):
    """An object with `initial_state` and `step`.

    Raises:
        InputError: it lacks one of the two, or answers otherwise than it should.
    """

    def __init__(self, given: Any, name: str):
        super().__init__(given, name)
        check("step" in self.has, f"{name}: initial_state without", "step", "both, of a network with a memory")
        told = self.settings
        check(told["n_step"] == 1, f"{name}: settings n_step", told["n_step"], "1 beside the method step")
        length, burn = told["sequence_length"], told["burn_in"]
        check(burn < length, f"{name}: settings burn_in", burn, f"fewer steps than sequence_length, {length}")
        self.acts = False
        outputs, _ = self.step(np.zeros((2, *self.shape), self.dtype), self.begin(2))
        self.acts = outputs.shape[1] > self.actions
        self.kind = Rollouts if self.acts else Begun if told["stored_state"] else Pieces
        self.has |= {"values"} | ({"target_values"} if "target_step" in self.has else set())
        self.has |= {"policy"} if self.acts else set()

    def begin(self, count: int) -> Any:
        """The state at an episode's start, of so many games."""
        return self.call("initial_state", count)

    def step(
        self, obs: np.ndarray, state: Any, reset: np.ndarray | None = None, method: str = "step"
    ) -> tuple[np.ndarray, Any]:
        """One step of B games: what the network says [B, A], of an actor-critic with the value behind it, and the state after it."""
        reset = np.zeros(len(obs), bool) if reset is None else reset
        answer = self.call(method, obs.copy(), state, reset.copy())
        good = isinstance(answer, tuple | list) and len(answer) in (2, 3)
        shown = f"{type(answer).__name__} of {len(answer)}" if hasattr(answer, "__len__") else type(answer).__name__
        allowed = "a tuple: values [B, A] and the state; of an actor-critic logits [B, A], values [B] and the state"
        check(good, f"{self.name}: {method} gives", shown, allowed)
        first = self.array(method, answer[0])
        check(
            first.shape == (len(obs), self.actions),
            f"{self.name}: shape of what {method} gives first",
            first.shape,
            f"{(len(obs), self.actions)}, one an action",
        )
        if len(answer) == 2:
            return first.astype(np.float64), answer[1]
        value = self.array(f"{method}'s value", answer[1])
        self.shaped(f"{method}'s value", value, (len(obs),), (len(obs), 1))
        return np.concatenate([first, value.reshape(-1, 1)], axis=1).astype(np.float64), answer[2]

    def unroll(
        self, obs: np.ndarray, state: Any = None, reset: np.ndarray | None = None, method: str = "step"
    ) -> np.ndarray:
        """What the network says [B, T, A] of observations [B, T, ...], one step after the other; without a state from an empty memory."""
        state, said = self.begin(len(obs)) if state is None else state, []
        for at in range(obs.shape[1]):
            one, state = self.step(obs[:, at], state, None if reset is None else reset[:, at], method)
            said.append(one)
        return np.stack(said, axis=1)

    def played(self, history: np.ndarray, method: str = "step") -> Any:
        """The state after observations [B, T, ...]: a new one each time, as a user's own may be changed where it is."""
        state = self.begin(len(history))
        for at in range(history.shape[1]):
            _, state = self.step(history[:, at], state, None, method)
        return state

    def values(self, obs: np.ndarray, method: str = "values") -> np.ndarray:
        """What the network says [N, A] of observations at an episode's start."""
        said, _ = self.step(obs, self.begin(len(obs)), None, "target_step" if method == "target_values" else "step")
        return said

    def whole(self, batch: Any) -> Any:
        """A batch whose shapes are what they should be."""
        size, steps = len(batch.obs), int(self.settings["sequence_length"])
        for name, part in zip(type(batch)._fields, batch, strict=True):
            if name == "state":
                continue
            more = steps if self.acts else steps + 1
            wanted = (size, more, *self.shape) if name == "obs" else (size, steps)
            check(part.shape == wanted, f"{self.name}: shape of {name} in a batch", part.shape, f"{wanted}")
        return batch

    def steps_of(self, batch: Any) -> Batch:
        """The steps of a batch of pieces as transitions."""
        living = np.asarray(batch.mask) > 0
        after = batch.obs[:, 1:]
        parts = (batch.obs[:, :-1], batch.action, batch.reward, batch.terminated, after)
        return Batch(*(np.asarray(part)[living] for part in parts))


def own_of(given: Any, name: str) -> Own:
    """A user's object, as one with a memory or as one without, whose `step` is something else."""
    return Recurrent(given, name) if callable(getattr(given, "initial_state", None)) else Own(given, name)
