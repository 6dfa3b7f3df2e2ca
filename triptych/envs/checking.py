"""What a game returns, held against what its spaces say. The one place that calls `reset` and `step` of environments of the user's.

What means something else than it says is refused, what is plain is taken: a list for an array, an array of one number for a
reward. What the game raises itself becomes an `EnvironmentFailed` with game and step.
"""

from __future__ import annotations

import inspect
import sysconfig
import traceback
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from gymnasium import spaces

from triptych.envs.members import (
    WrongError,
    beyond,
    flag_of,
    is_bounded,
    leaves_of,
    not_finite,
    number_of,
    parts,
    taken,
    wrong,
)
from triptych.envs.places import Place
from triptych.spec.precision import LARGEST_FLOAT32
from triptych.utils.checks import EnvironmentFailed, InputError
from triptych.utils.console import warn

RESET = "reset(seed=..., options=...) must return (observation, info)"
STEP = "step must return (observation, reward, terminated, truncated, info)"


class Contract(gymnasium.Wrapper):
    """An environment as its maker gives it, before Gymnasium's own wrappers: the form of what it returns."""

    def __init__(self, env: gymnasium.Env):
        super().__init__(env)
        try:
            takes = inspect.signature(env.reset).parameters
        except (TypeError, ValueError):  # a function that does not say
            takes = inspect.signature(gymnasium.Env.reset).parameters
        takes_all = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in takes.values())
        self.takes = {name for name in ("seed", "options") if takes_all or name in takes}

    @property
    def spec(self) -> Any:  # type: ignore[override]
        """The environment's own, as if this were not here: Gymnasium compares what wraps it with what its id says."""
        return self.env.spec

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        if "seed" not in self.takes:
            raise WrongError(f"its reset takes no seed, as in Gym before 0.26; allowed: {RESET}")
        given: dict[str, Any] = {"seed": seed, "options": options}
        found: Any = self.env.reset(**{name: value for name, value in given.items() if name in self.takes})
        pair = isinstance(found, tuple | list) and len(found) == 2
        if not pair or not (found[1] is None or isinstance(found[1], dict)):
            raise WrongError(f"its reset returned {form(found)}; allowed: {RESET}")
        return found[0], found[1] or {}

    def step(self, action: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        found: Any = self.env.step(action)
        if not isinstance(found, tuple | list) or len(found) != 5:
            raise WrongError(f"its step returned {form(found)}; allowed: {STEP}")
        return found[0], found[1], found[2], found[3], found[4] or {}


def form(found: Any) -> str:
    """What came instead of a tuple, in words."""
    if not isinstance(found, tuple | list):
        return f"one value of type {type(found).__name__}"
    return f"{len(found)} values ({', '.join(type(one).__name__ for one in found)})"


class Returned(NamedTuple):
    """What a game returned, as its spaces say it."""

    obs: Any  # None where it is not finite
    reward: float
    terminated: bool
    truncated: bool
    trouble: tuple[str, ...]  # what was not finite, a line each


UNTOUCHED = (KeyboardInterrupt, MemoryError)  # the user's, and the machine's: no failure of a game
TOLD: set[str] = set()  # the ids of which was told that an observation lies beyond its bounds


class Game:
    """One game, each of its calls held against what its spaces say.

    Args:
        env: the environment, with Gymnasium's wrappers.
        env_id: how it is called in what is told.
        index: which of the games that step together.
        pictures: the names of the parts that are pictures, which must keep to their bounds: by them they become bytes.
        place: the part that says where the agent is, which must keep to its bounds too; None: there is none.
    """

    def __init__(
        self,
        env: gymnasium.Env,
        env_id: str,
        index: int,
        pictures: Collection[str] = (),
        place: Place | None = None,
    ):
        self.env, self.env_id, self.index, self.pictures, self.place_of = env, env_id, index, pictures, place
        self.space: spaces.Space = env.observation_space
        self.bounded = any(isinstance(box, spaces.Box) and is_bounded(box) for _, box in parts(self.space))
        self.bright: set[str] = set()  # the pictures that have shown a number above 1
        self.steps = 0  # of the episode, the one under way included; 0: its reset

    def reset(self, seed: int | None = None) -> Returned:
        """Begins an episode.

        Raises:
            EnvironmentFailed: it raised, or returned what it may not.
        """
        self.steps = 0
        try:
            found = self.env.reset(seed=seed)
            return self.returned(found[0], 0.0, False, False)
        except UNTOUCHED:
            raise
        except BaseException as error:  # a process that it ends included
            raise self.failed(error) from error

    def step(self, action: int) -> Returned:
        """Takes a member of the action space.

        Raises:
            EnvironmentFailed: as in `reset`.
        """
        self.steps += 1
        try:
            obs, reward, terminated, truncated, _ = self.env.step(action)
            return self.returned(obs, reward, terminated, truncated)
        except UNTOUCHED:
            raise
        except BaseException as error:
            raise self.failed(error) from error

    def returned(self, obs: Any, reward: Any, terminated: Any, truncated: Any) -> Returned:
        reward, obs = number_of(reward), taken(self.space, obs, self.bright)
        ends = flag_of(terminated, "terminated"), flag_of(truncated, "truncated")
        trouble: tuple[str, ...] = ()
        if not abs(reward) <= LARGEST_FLOAT32:  # not a number included
            trouble, reward = (self.place(f"the reward is {reward}"),), 0.0
        if said := not_finite(self.space, obs):
            return Returned(None, reward, *ends, (*trouble, self.place(said)))
        if self.place_of is not None:
            self.place_of.check(self.space, obs)
        if self.bounded and (self.pictures or self.env_id not in TOLD):
            self.check_bounds(obs)
        return Returned(obs, reward, *ends, trouble)

    def check_bounds(self, obs: Any) -> None:
        """Refuses pictures beyond their bounds, and tells of other numbers once."""
        for name, box, array in leaves_of(self.space, obs):
            if not isinstance(box, spaces.Box) or (self.env_id in TOLD and name not in self.pictures):
                continue
            if not (said := beyond(box, array)):
                continue
            if name in self.pictures:
                raise wrong(
                    f"a number of its picture {name}".strip(), said, "pictures within the bounds of their space"
                )
            TOLD.add(self.env_id)
            warn(self.place(f"the observation {name}".strip() + f" holds {said}") + "; learned from as it is")

    def place(self, what: str) -> str:
        where = f"step {self.steps:,} of its episode" if self.steps else "its reset"
        return f"{self.env_id}: {what} in game {self.index} at {where}"

    def failed(self, error: BaseException) -> EnvironmentFailed:
        said = str(error) if isinstance(error, WrongError) else described(error)
        return EnvironmentFailed(self.env_id, self.index, self.steps, said)


PATIENCE = 30  # steps within which something must be seen in a picture


def first_looks(game: Game, actions: Sequence[int]) -> list[str]:
    """Begins an episode and takes a step, of pictures a few until something is seen; lines that should be known before a training.

    Args:
        actions: members of the action space, taken in turn.

    Raises:
        InputError: what it returns cannot be learned from.
        EnvironmentFailed: it raised.
    """
    try:
        seen = [game.reset(0), game.step(actions[0])]
        for action in actions[1:PATIENCE]:
            ended = seen[-1].terminated or seen[-1].truncated
            if not game.pictures or ended or brightest(game, seen[-1]) > 0:
                break
            seen.append(game.step(action))
    except EnvironmentFailed as error:
        if isinstance(error.__cause__, WrongError):
            raise InputError(f"env is {game.env_id!r}: {error.__cause__}") from None
        raise
    if all(one.obs is None for one in seen):
        said = seen[0].trouble[0].removeprefix(f"{game.env_id}: ")
        raise InputError(f"env is {game.env_id!r}: {said}; allowed: finite numbers")
    return dark(game, max(brightest(game, one) for one in seen))


def brightest(game: Game, seen: Returned) -> float:
    """The largest number of an observation's picture; infinite without one."""
    if seen.obs is None:
        return 0.0
    found = [array.max() for name, _, array in leaves_of(game.space, seen.obs) if name in game.pictures]
    return float(found[0]) if found else np.inf


def dark(game: Game, most: float) -> list[str]:
    """Refuses pictures of nothing but 0 and 1 where their space says more, and tells of black ones."""
    high = max((float(box.high.max()) for name, box in parts(game.space) if name in game.pictures), default=np.inf)  # type: ignore[attr-defined]
    if most == 1 < high:
        said = f"its pictures hold nothing above 1, though their space says up to {high:g}: they would be black"
        raise InputError(f"env is {game.env_id!r}: {said}; allowed: numbers up to {high:g}, or a space with high=1")
    if most <= 0:
        return [f"the pictures of {game.env_id} were black from the start to the last step that was tried"]
    return []


LIBRARIES = tuple(str(Path(sysconfig.get_path(name)).resolve()) for name in ("purelib", "platlib", "stdlib"))
OURS = str(Path(__file__).resolve().parents[1])


def described(error: BaseException) -> str:
    """An exception in one line, with the place in the user's own file where it was raised."""
    if isinstance(error, TypeError) and "'seed'" in str(error):
        return f"its reset takes no seed ({error}); allowed: {RESET}"
    first = next(iter(str(error).splitlines()), "")
    said = f"{type(error).__name__}: {first}" if first else type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith(("<", OURS, *LIBRARIES))]
    return f"{said} ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else said
