"""What a user's object may offer, and how it is called: every answer is checked, every error told in a line."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces

from triptych.checkup.audit.expected import REWARDS
from triptych.utils.checks import InputError, check

SETTINGS: dict[str, Any] = {
    "gamma": 0.99,
    "loss": "huber",  # or squared, absolute
    "delta": 1.0,  # of the Huber loss
    "double": False,
    "reward": "raw",  # what the replay makes of it: raw, sign or clip (to -1 to 1)
    "optimiser": "adam",  # one of OPTIMISERS
    "learning_rate": None,  # None: the updates are not followed step by step
    "adam_epsilon": 1e-8,
    "max_norm": None,  # of all gradients together; None: not cut
    "batch_size": 32,
    "n_step": 1,  # rewards that a return holds; more than 1: batches have a sixth array, how many each of them does
    "gae_lambda": 0.95,  # of an actor-critic's `advantages`
    "value_weight": 0.5,
    "entropy_weight": 0.0,
    "clip": None,  # of PPO's ratio; None: there is none
    "normalise_advantages": False,
    "padding": None,  # of convolutions: "valid" or "same"; None: either
    "steps": None,  # of the whole run that `epsilon` is meant for
    "replay_size": None,  # steps that `sample` draws from; None: not known
    "target_every": None,  # steps of `train` from one copy of the target to the next; None: not known
    "warm_up": None,  # steps of `train` before its first update; None: not known
    "sequence_length": 8,  # of a network with a memory: steps of the pieces that `learn` is given
    "burn_in": 0,  # the first of them, which only bring the memory up to date
    "stored_state": False,  # pieces come with the state that the memory had before them; else it begins empty
}  # by default
NUMBERS = (
    "gamma", "delta", "learning_rate", "adam_epsilon", "max_norm", "batch_size", "gae_lambda", "value_weight", "entropy_weight", "clip",
)  # fmt: skip
PADDINGS = ("valid", "same")
ARRAYS = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)
LOSSES = ("huber", "squared", "absolute")
FOLLOWED = ("adam", "sgd")  # optimisers whose updates are made in NumPy as well
OPTIMISERS = (*FOLLOWED, "adamw", "rmsprop", "other")
METHODS = (
    "values", "target_values", "learn", "sync_target", "weights", "observe", "sample", "make_env", "train", "policy", "advantages",
    "initial_state", "step", "target_step", "epsilon",
)  # fmt: skip


OTHERS = {
    "value": "values", "q_values": "values", "predict": "values", "update": "learn", "optimize": "learn", "optimise": "learn",
    "train_step": "learn", "store": "observe", "remember": "observe", "push": "observe", "add": "observe", "sample_batch": "sample",
    "update_target": "sync_target", "get_weights": "weights", "get_epsilon": "epsilon", "target_value": "target_values",
}  # what others call a method  # fmt: skip


class Batch(NamedTuple):
    """Transitions, as `learn` is given them and `sample` returns them, in this order."""

    obs: np.ndarray  # [B, *observation]
    action: np.ndarray  # [B] int64
    reward: np.ndarray  # [B] float32, as it was observed
    terminated: (
        np.ndarray
    )  # [B] float32: 1 where the action ended the episode for good, 0 also where a time limit cut it
    next_obs: np.ndarray  # [B, *observation]


class Returns(NamedTuple):
    """The same of returns of several steps."""

    obs: np.ndarray
    action: np.ndarray
    reward: np.ndarray  # [B] of so many steps, discounted
    terminated: np.ndarray  # 1 where the episode ended for good within them
    next_obs: np.ndarray  # what is shown after them
    steps: np.ndarray  # [B] how many rewards there are in it: fewer than `n_step` where the episode ended or was cut


def discounts(batch: Any, gamma: float) -> np.ndarray:
    """[B] by which what a batch bootstraps from is multiplied, before its mask."""
    return gamma ** (batch.steps.astype(np.float64) if isinstance(batch, Returns) else np.ones(len(batch.action)))


LIBRARIES = (
    str(Path(__file__).parents[2]),
    *(sysconfig.get_paths()[name] for name in ("stdlib", "purelib", "platlib")),
)


def said_of(error: BaseException) -> str:
    """What an error says, in a line, with the last line of the user's own code that it came through."""
    said = f"{type(error).__name__}: {error}".splitlines()[0]
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    theirs = [(file, line) for file, line in frames if not file.startswith((*LIBRARIES, "<frozen"))]
    return f"{said} ({Path(theirs[-1][0]).name}, line {theirs[-1][1]})" if theirs else said


class Own:
    """A user's object.

    Args:
        name: what to call it: a file.

    Raises:
        InputError: it lacks what every checkup needs, or an attribute is not what it should be.
    """

    def __init__(self, given: Any, name: str):
        self.given, self.name = given, name
        self.fresh, self.updates = False, 0  # whether each look has a new object; calls of `learn` so far
        self.copies: Any = None  # what was seen of the target while the loop ran
        self.shapes: dict[str, tuple[int, ...]] = {}  # of the weights, by name
        self.has = {method for method in METHODS if callable(getattr(given, method, None))}
        allowed = f"an object with one of {', '.join(METHODS)}"
        check(bool(self.has), name, f"an object of {type(given).__name__} without any of the methods", allowed)
        self.settings = SETTINGS | dict(self.told_settings())
        self.kind: Any = Returns if self.settings["n_step"] > 1 else Batch
        self.env: Any = self.call("make_env") if "make_env" in self.has else None
        self.shape, self.dtype, self.actions = self.spaces()

    def meant(self) -> list[tuple[str, str]]:
        """Methods of the user's that may be meant for one that is asked and that there is not, each with that one's name."""
        found = []
        for name in (n for n in dir(self.given) if not n.startswith("_") and n not in METHODS):
            near = [OTHERS[name]] if name in OTHERS else get_close_matches(name, METHODS, 1, 0.8)
            if near and near[0] not in self.has and callable(getattr(self.given, name, None)):
                found.append((name, near[0]))
        return found

    def told_settings(self) -> Mapping[str, Any]:
        told = getattr(self.given, "settings", {})
        check(isinstance(told, Mapping), f"{self.name}: settings", type(told).__name__, "a dict")
        for name in told:
            check(name in SETTINGS, f"{self.name}: settings", name, ", ".join(SETTINGS))
        if "loss" in told:
            check(told["loss"] in LOSSES, f"{self.name}: settings loss", told["loss"], ", ".join(LOSSES))
        for name, known in (("reward", REWARDS), ("optimiser", OPTIMISERS)):
            if name in told:
                check(told[name] in known, f"{self.name}: settings {name}", told[name], ", ".join(known))
        for name in NUMBERS:
            number = told.get(name)
            good = number is None or (isinstance(number, int | float) and number >= 0)
            check(good, f"{self.name}: settings {name}", number, "a number from 0")
        if told.get("padding") is not None:
            check(told["padding"] in PADDINGS, f"{self.name}: settings padding", told["padding"], ", ".join(PADDINGS))
        for name, least in (
            ("n_step", 1),
            ("sequence_length", 1),
            ("burn_in", 0),
            ("steps", 1),
            ("warm_up", 0),
            ("replay_size", 1),
            ("target_every", 1),
        ):
            steps = told.get(name)
            good = steps is None or (isinstance(steps, int) and steps >= least)
            check(good, f"{self.name}: settings {name}", steps, f"a whole number from {least}")
        return told

    def spaces(self) -> tuple[tuple[int, ...], np.dtype, int]:
        """Shape and dtype of an observation, and the number of actions: of its environment, or of its attributes."""
        if self.env is not None:
            space, actions = self.of_env("observation_space"), self.of_env("action_space")
            count = getattr(actions, "n", None)
            check(count is not None, f"{self.name}: action_space", type(actions).__name__, "a Discrete one")
            allowed = "one of arrays: Box, Discrete, MultiDiscrete, MultiBinary"
            check(isinstance(space, ARRAYS), f"{self.name}: observation_space", type(space).__name__, allowed)
            return tuple(space.shape), np.dtype(space.dtype), int(count or 0)
        told = [getattr(self.given, name, None) for name in ("observation_shape", "num_actions")]
        allowed = "observation_shape, a tuple, and num_actions; or a method make_env"
        good = isinstance(told[0], tuple | list) and isinstance(told[1], int)
        check(good, f"{self.name}: observation_shape and num_actions", told, allowed)
        dtype = np.dtype(getattr(self.given, "observation_dtype", "float32"))
        allowed = "a float type or uint8; others have bounds: a method make_env, whose observation_space says them"
        check(dtype.kind == "f" or dtype == np.uint8, f"{self.name}: observation_dtype", str(dtype), allowed)
        return tuple(told[0] or ()), dtype, int(told[1] or 0)

    def of_env(self, attribute: str) -> Any:
        allowed = "a Gymnasium environment, with observation_space and action_space"
        check(hasattr(self.env, attribute), f"{self.name}: make_env gives", type(self.env).__name__, allowed)
        return getattr(self.env, attribute)

    def call(self, method: str, *given: Any) -> Any:
        """A method of the user's.

        Raises:
            InputError: it raised something, which is told.
        """
        try:
            return getattr(self.given, method)(*given)
        except InputError:
            raise
        except Exception as error:
            raise InputError(f"{self.name}: {method} fails: {said_of(error)}; allowed: a method that runs") from error

    def values(self, obs: np.ndarray, method: str = "values") -> np.ndarray:
        """What the network says [N, A] of observations, as float64."""
        found = self.array(method, self.call(method, obs.copy()))
        wanted = (len(obs), self.actions)
        check(found.shape == wanted, f"{self.name}: shape of {method}", found.shape, f"{wanted}, one an action")
        return found.astype(np.float64)

    def weights(self) -> dict[str, np.ndarray]:
        """Copies by name."""
        found = self.call("weights")
        check(isinstance(found, Mapping), f"{self.name}: weights", type(found).__name__, "a dict of arrays by name")
        arrays = {str(name): self.array(f"weights {name}", value).astype(np.float64) for name, value in found.items()}
        self.shapes = self.shapes or {name: array.shape for name, array in arrays.items()}
        check(
            arrays.keys() == self.shapes.keys(),
            f"{self.name}: names of weights",
            [*arrays],
            f"the same at each call: {[*self.shapes]}",
        )
        for name, array in arrays.items():
            self.shaped(f"weights {name}", array, self.shapes[name])
        return arrays

    def learn(self, batch: Any) -> float | None:
        """One update; its loss, where the user returns one."""
        fields = zip(type(batch)._fields, batch, strict=True)  # a state is of the user's own kind
        self.updates += 1
        loss = self.call("learn", type(batch)(*(part if name == "state" else np.array(part) for name, part in fields)))
        if loss is None:
            return None
        found = self.array("learn", loss)
        check(
            found.size == 1, f"{self.name}: learn gives an array of shape", found.shape, "a loss, one number, or None"
        )
        return float(found.reshape(()))

    def sample(self) -> Any:
        """A batch from the user's replay."""
        found = self.call("sample")
        fields = self.kind._fields
        good = isinstance(found, tuple | list) and len(found) == len(fields)
        shown = f"{type(found).__name__} of {len(found)}" if hasattr(found, "__len__") else type(found).__name__
        check(good, f"{self.name}: sample", shown, f"a tuple: {', '.join(fields)}")
        return self.read(found)

    def read(self, parts: Any) -> Any:
        """A batch of the user's, checked."""
        named = zip(self.kind._fields, parts, strict=True)
        return self.whole(self.kind(*(p if n == "state" else self.array(f"{n} in a batch", p) for n, p in named)))

    def steps_of(self, batch: Any) -> Any:
        """The transitions of a batch."""
        return batch

    def whole(self, batch: Batch) -> Batch:
        """A batch whose shapes are what they should be."""
        size = len(batch.obs)
        for name, part in zip(type(batch)._fields, batch, strict=True):
            wanted = (size, *self.shape) if name.endswith("obs") else (size,)
            check(part.shape == wanted, f"{self.name}: shape of {name} in a batch", part.shape, f"{wanted}")
        return batch

    def shaped(self, what: str, found: np.ndarray, *allowed: tuple[int, ...]) -> None:
        """Refuses an array of another shape."""
        check(found.shape in allowed, f"{self.name}: shape of {what}", found.shape, " or ".join(map(str, allowed)))

    def array(self, what: str, value: Any) -> np.ndarray:
        """As NumPy's, whatever framework it is of."""
        for name in ("detach", "cpu"):
            value = getattr(value, name)() if hasattr(value, name) else value
        try:
            found = np.asarray(value)
        except Exception:  # whatever their own type raises; the line below names the method and the type
            found = np.asarray(None)
        check(found.dtype.kind in "biuf", f"{self.name}: {what}", type(value).__name__, "numbers, as an array")
        return found
