"""Environments by their Gymnasium id. Several games of one kind step together, in NEXT_STEP order.

NEXT_STEP: the step that ends an episode returns its last observation; the step after it takes no
action (mask 0), gives reward 0 and returns the first observation of the next episode.
"""

from __future__ import annotations

import importlib
import json
import warnings
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple, Protocol

import gymnasium
import numpy as np
from tyro.conf import arg

from triptych.checks import InputError, at_least, check, one_of, positive, within
from triptych.spec import Observation


@dataclass(frozen=True)
class EnvConfig:
    """Which game, and how its screen becomes an observation."""

    id: Annotated[str, arg(name="env", prefix_name=False)]  # any Gymnasium id with a discrete action space
    frame_skip: int = 4  # emulator frames a step, the action repeated (Atari ids that leave it open)
    sticky: float | None = None  # chance that the last action is repeated (Atari; None: what the id says)
    noop_max: int = 30  # at most so many idle frames before an episode begins (Atari)
    time_limit: int | None = None  # steps after which an episode is cut; None: what the id says, 0: never
    render: bool = False  # observe the rendered screen instead of what the environment gives (not Atari)
    # the part of a picture that is kept, as shares of it: top, bottom, left, right
    crop: tuple[float, float, float, float] = (0.0, 1.0, 0.0, 1.0)
    # pixels of a picture after the crop: both sides, or height and width; None: as it is
    size: int | tuple[int, int] | None = 84
    colour: bool = False  # keep a picture's colours; else it is made grey
    stack: int = 4  # pictures in one observation
    fill: Literal["zeros", "first"] = "zeros"  # what stands in the stack before an episode's first picture
    observe: Literal["all", "positions", "speeds"] = "all"  # which of CartPole's four numbers are seen
    flicker: float = 0.0  # chance that an observation is blank
    length: int = 10  # steps that something must be remembered (the toys MemoryChain, RepeatPrevious)
    blind: int = 0  # rows in which the ball cannot be seen (the toy Catch)
    kwargs: str = "{}"  # what else the id's maker takes, as JSON: '{"memory_length": 50}' (not Atari, not the toys)

    def __post_init__(self) -> None:
        positive(self, "frame_skip", "stack", "length")
        at_least(self, 0, "noop_max", "time_limit", "blind")
        within(self, 0, 1, "sticky", "flicker")
        one_of(self, "observe", ("all", "positions", "speeds"))
        one_of(self, "fill", ("zeros", "first"))
        check(all(isinstance(side, int) and side > 0 for side in self.sides or ()), "size", self.size, "above 0")
        top, bottom, left, right = self.crop
        inside = 0 <= top < bottom <= 1 and 0 <= left < right <= 1
        check(inside, "crop", self.crop, "shares of the picture: 0 <= top < bottom <= 1, 0 <= left < right <= 1")
        self.arguments()

    def arguments(self) -> dict[str, Any]:
        """`kwargs` as Python has them."""
        try:
            found = json.loads(self.kwargs)
        except (TypeError, ValueError):
            found = None
        check(isinstance(found, dict), "kwargs", self.kwargs, """names and values as JSON, such as '{"length": 50}'""")
        return found

    @property
    def sides(self) -> tuple[int, int] | None:
        """Height and width of a picture after the crop; None: as it is."""
        return (self.size, self.size) if isinstance(self.size, int) else self.size


class Step(NamedTuple):
    """What one step of N games returned."""

    obs: np.ndarray  # [N, *observation]
    reward: np.ndarray  # [N] float64, raw
    terminated: np.ndarray  # [N] bool, the episode reached its end
    truncated: np.ndarray  # [N] bool, the episode was cut by a time limit
    lost_life: np.ndarray | None = None  # [N] bool, in games that count lives


class Games(Protocol):
    """Several games of one kind, stepped together."""

    observation: Observation
    num_actions: int
    num_envs: int
    frames_per_step: int  # emulator frames a step
    typical_episode: int  # steps, roughly: how far apart checkpoints that cut episodes must lie
    saves: bool  # whether get_state and set_state work

    def reset(self, seeds: np.ndarray) -> np.ndarray:
        """Restarts every game from a seed of its own and returns the observations [N, ...]."""
        ...

    def send(self, actions: np.ndarray) -> None:
        """Hands over [N] actions; the games may play while the caller does something else."""
        ...

    def recv(self) -> Step: ...

    def get_state(self) -> dict[str, Any]:
        """The games as JSON: with it a fresh set of games goes on as these would."""
        ...

    def set_state(self, state: dict[str, Any]) -> None: ...

    def close(self) -> None: ...


# Which module makes the games of a registered id: the first one whose `plays(spec)` says yes.
MODULES = ("atari", "cartpole", "toys", "gym")


def find(env_id: str) -> Any:
    """The Gymnasium spec of an id; `module:id` imports the module first.

    Raises:
        InputError: nobody registered that id.
    """
    module, _, name = env_id.rpartition(":")
    try:
        if module or name.startswith("triptych/"):
            for own in [module] if module else ["triptych.envs.cartpole", "triptych.envs.toys"]:
                importlib.import_module(own)  # which registers its ids
        return quiet_spec(name)
    except (ImportError, TypeError, ValueError) as error:  # the last two: no module's name at all
        raise InputError(f"env is {env_id!r}: module {module!r} cannot be imported ({error})") from None
    except gymnasium.error.Error:
        pass
    try:
        import ale_py  # registers the Atari ids; GPL-2.0, so it is an extra

        gymnasium.register_envs(ale_py)
        return quiet_spec(name)
    except ModuleNotFoundError:
        hint = "a registered Gymnasium id (Atari ids need: pip install 'triptych[atari]')"
    except gymnasium.error.Error as error:
        hint = f"a registered Gymnasium id ({str(error).splitlines()[0]})"
    raise InputError(f"env is {env_id!r}; allowed: {hint}")


def unread(config: EnvConfig, observation: Observation) -> set[str]:
    """The fields of `config` that this game never reads: Atari's, those it fixes itself, those of pictures where it has none."""
    spec = find(config.id)
    module = importlib.import_module(f"triptych.envs.{module_of(spec)}")
    return set(module.unread(spec)) | (set() if observation.is_picture else {"crop", "size", "colour", "stack", "fill"})


def fixed(config: EnvConfig) -> dict[str, Any]:
    """What an id that plays through Gymnasium (Atari's `-v0`) fixes itself: `frame_skip` and `sticky`, or nothing."""
    spec = find(config.id)
    return importlib.import_module("triptych.envs.gym").fixed(spec) if module_of(spec) == "gym" else {}


def stickiness(config: EnvConfig) -> float | None:
    """The chance that the emulator repeats the last action: the config's, or the id's own; None: these games have none."""
    try:
        spec = find(config.id)
    except InputError:  # an id of long ago, whose maker is not here
        return config.sticky
    own: float | None = spec.kwargs.get("repeat_action_probability")
    return own if config.sticky is None or module_of(spec) == "gym" else config.sticky


def quiet_spec(name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated versions are still playable
        return gymnasium.spec(name)


def make(config: EnvConfig, num_envs: int, threads: int = 1) -> Games:
    """Makes `num_envs` games; `threads` is how many of them may play at the same time.

    Raises:
        InputError: unknown id, a package is missing, or its spaces are not a discrete choice over a
            picture or a vector.
    """
    spec = find(config.id)
    games = importlib.import_module(f"triptych.envs.{module_of(spec)}").make(config, spec, num_envs, threads)
    if not config.flicker:
        return games
    from triptych.envs.flicker import FlickeringGames

    return FlickeringGames(games, config.flicker, config.fill)


def module_of(spec: Any) -> str:
    """The module that makes the games of a Gymnasium spec."""
    return next(name for name in MODULES if importlib.import_module(f"triptych.envs.{name}").plays(spec))


def forgets(config: EnvConfig, num_envs: int, threads: int, steps: int = 30) -> bool:
    """Whether `reset(seed=)` forgets everything: a used set of games must repeat what a fresh one does."""
    used, fresh = make(config, num_envs, threads), make(config, num_envs, threads)
    try:
        trace(used, 1, steps)
        return all(np.array_equal(a, b) for a, b in zip(trace(used, 2, steps), trace(fresh, 2, steps), strict=True))
    finally:
        used.close()
        fresh.close()


def trace(games: Games, seed: int, steps: int) -> list[np.ndarray]:
    """Observations and rewards of `steps` seeded random steps."""
    rng = np.random.default_rng(seed)
    seen = [games.reset(seed * games.num_envs + np.arange(games.num_envs))]
    for _ in range(steps):
        games.send(rng.integers(games.num_actions, size=games.num_envs))
        step = games.recv()
        seen += [step.obs.copy(), step.reward]
    return seen
