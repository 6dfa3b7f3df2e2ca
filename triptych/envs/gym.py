"""Any Gymnasium id with a discrete action space: N games one after the other, in NEXT_STEP order.

Observations are a picture, a vector, or (of Dict and Tuple spaces that show a picture) one picture beside vectors: see parts.py.
What a game returns is held against what its spaces say: see checking.py.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import os
import warnings
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import gymnasium
import numpy as np
from gymnasium import spaces, wrappers
from gymnasium.envs.registration import load_env_creator

from triptych.envs.atari import pictures as of_frames
from triptych.envs.broken import BrokenSteps
from triptych.envs.checking import Contract, Game, Returned, WrongError, described
from triptych.envs.closing import Closing
from triptych.envs.config import Kind, Screen, as_given, no_pictures
from triptych.envs.games import Step
from triptych.envs.layout import LAYOUTS
from triptych.envs.parts import View
from triptych.envs.places import INFO, InfoPosition
from triptych.envs.skipping import FrameSkip
from triptych.spec import each, parts_of, whole_of
from triptych.utils.checks import InputError, at_least, check, one_of, within
from triptych.utils.install import install_hint


@dataclass(frozen=True)
class Gym(Screen):
    """Any Gymnasium id that no other kind plays."""

    kind: ClassVar[str] = "gym"
    before: ClassVar[dict[str, Any]] = {"frame_skip": 1}  # a setting of Atari games alone then
    apart: ClassVar[frozenset[str]] = frozenset({"frame_skip", "maximum"})

    frame_skip: int = 1  # frames a step, which are steps of the environment: the action is repeated, rewards are summed
    maximum: bool = False  # a picture is the larger of a step's last two frames, pixel by pixel; else the last frame
    time_limit: int | None = None  # steps after which an episode is cut; None: what the id says, 0: never
    render: bool = False  # observe the rendered screen instead of what the environment gives
    # what is a picture and how it lies in its array, a letter an axis: rows h, columns w, colours c, stacked already s; see docs/environments.md
    layout: Literal["auto", "hw", "hwc", "chw", "shw", "hws", "shwc", "schw", "vector", "before"] = "auto"
    drop: tuple[str, ...] = ()  # parts of an observation (of a Dict or Tuple) that are left out, such as a sentence
    # where the agent is, for memories with a map: a part of the observation, or info.NAME, of two numbers x and y
    position: str = ""
    position_bounds: tuple[float, ...] = ()  # x from, x to, y from, y to; (): what the part's space says
    kwargs: str = "{}"  # what else the id's maker takes, as JSON: '{"memory_length": 50}'

    def __post_init__(self) -> None:
        super().__post_init__()
        within(self, 1, 10_000, "frame_skip")
        if "maximum" in self.apart:
            check(not self.maximum or self.frame_skip > 1, "maximum", self.maximum, "False with a frame_skip of 1")
        at_least(self, 0, "time_limit")
        one_of(self, "layout", LAYOUTS)
        names = isinstance(self.drop, tuple) and all(isinstance(name, str) for name in self.drop)
        check(names, "drop", self.drop, "names of parts")
        bounds = self.position_bounds
        check(isinstance(self.position, str), "position", self.position, "a part of the observation, or info.NAME")
        check(len(bounds) in (0, 4), "position_bounds", bounds, "four numbers: x from, x to, y from, y to")
        check(bool(self.position) or not bounds, "position_bounds", bounds, "() without a position")
        self.arguments()

    @property
    def place_hint(self) -> str:
        return "--env.position NAME"

    @property
    def repeats(self) -> int:
        """How often an environment is given each action; its own engine's frames do not count."""
        return self.frame_skip

    def arguments(self) -> dict[str, Any]:
        """`kwargs` as Python has them."""
        try:
            found = json.loads(self.kwargs)
        except (TypeError, ValueError):
            found = None
        check(isinstance(found, dict), "kwargs", self.kwargs, """names and values as JSON, such as '{"length": 50}'""")
        return found


def plays(spec: Any) -> bool:
    return True


def make_one(config: Gym, spec: Any) -> gymnasium.Env:
    """One game as its id gives it, or seen by its rendered screen.

    Raises:
        DrawsNothing: it was to be seen by its rendered screen, and has none.
        InputError: it cannot be made, or its actions are no choice.
    """
    options = config.arguments()
    if config.render:
        options["render_mode"] = "rgb_array"
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")  # pygame draws into memory and looks for no display
    if config.time_limit is not None:
        options["max_episode_steps"] = (
            config.time_limit * config.repeats or -1
        )  # in frames; Gymnasium's way to say never
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            env = gymnasium.make(with_contract(spec), disable_env_checker=True, **options)
        if config.render:
            if "rgb_array" not in env.metadata.get("render_modes", []):
                raise no_pictures(config.id)
            env = wrappers.AddRenderObservation(env, render_only=True)
        if config.position.startswith(INFO):
            env = InfoPosition(env, config.position.removeprefix(INFO))
    except InputError:
        raise
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:  # whatever its maker raises at arguments that it does not like
        told = str(error) if isinstance(error, WrongError) else described(error)
        if config.render and not isinstance(error, gymnasium.error.DependencyNotInstalled):
            check_drawn(config, spec, told)
        raise InputError(f"env is {config.id!r}, which cannot be made: {told}") from None
    for name in ("observation_space", "action_space"):
        found = getattr(env, name, None)
        if not isinstance(found, spaces.Space):
            raise InputError(f"env is {config.id!r}, whose {name} is {found!r}; allowed: one of gymnasium.spaces")
    if not isinstance(env.action_space, spaces.Discrete):
        raise InputError(f"env is {config.id!r} with action space {env.action_space}; allowed: a Discrete one")
    return env if config.repeats == 1 else FrameSkip(env, config.repeats, joined_picture(env, config))


def joined_picture(env: gymnasium.Env, config: Gym) -> str | None:
    """The name of the part that is to be the larger of two frames, if any is.

    Raises:
        InputError: one is to be, and there is no picture.
    """
    if not config.maximum:
        return None
    found = list(view_of(env, config).layouts)
    if not found:
        raise InputError(f"maximum is True, and {config.id!r} shows no picture; allowed: False")
    return found[0]


def check_drawn(config: Gym, spec: Any, told: str) -> None:
    """Says of a game that was asked for its screen that it has none, where all else of it works.

    Args:
        told: what its maker said when it was asked.

    Raises:
        DrawsNothing: it can be made, but for its screen.
    """
    try:
        env = make_one(dataclasses.replace(config, render=False), spec)
    except InputError:
        return
    modes = env.metadata.get("render_modes", [])
    Closing(config.id, env.close)()
    raise no_pictures(config.id, why=told if "rgb_array" in modes else "")


def with_contract(spec: Any) -> Any:
    """An id's record whose environment is held to the form of what it returns, beneath Gymnasium's own wrappers."""
    maker = spec.entry_point
    if isinstance(maker, str):
        maker = load_env_creator(maker)

    def make(**options: Any) -> Any:
        env = maker(**options)
        return Contract(env) if isinstance(env, gymnasium.Env) else env  # what is none, Gymnasium tells

    if hasattr(maker, "metadata"):
        make.metadata = maker.metadata  # type: ignore[attr-defined]  # where Gymnasium looks up how it draws itself
    ours = copy.copy(spec)
    ours.entry_point = make
    return ours


def view_of(env: gymnasium.Env, config: Gym) -> View:
    """What is learned from of a game's observations.

    Raises:
        InputError: its observations do not fit, or a package is missing.
    """
    try:
        return View(env.observation_space, config)
    except InputError:
        raise
    except gymnasium.error.DependencyNotInstalled as error:
        told = str(error).splitlines()[0]
        raise InputError(f"env is {config.id!r}: its pictures need {install_hint('pixels')} ({told})") from None
    except (NotImplementedError, ValueError, TypeError, AssertionError):
        space = env.observation_space
        raise InputError(
            f"env is {config.id!r} with observations {space}; allowed: pictures, vectors, choices, and Dict or Tuple of them"
        ) from None


class GymGames:
    """N games of one Gymnasium id. Pictures are stacked here."""

    saves = False

    def __init__(self, config: Gym, spec: Any, num_envs: int, threads: int):
        self.envs = [make_one(config, spec) for _ in range(num_envs)]
        self.num_envs, self.frames_per_step = num_envs, config.frame_skip
        self.view = view_of(self.envs[0], config)
        self.games = [
            Game(env, config.id, index, self.view.layouts, self.view.place) for index, env in enumerate(self.envs)
        ]
        self.observation = self.view.observation
        self.stacked, self.fill = self.observation.is_picture, config.fill
        action_space = self.envs[0].action_space
        assert isinstance(action_space, spaces.Discrete)
        self.num_actions = int(action_space.n)
        self.first_action = int(action_space.start)
        self.typical_episode = config.time_limit or (spec.max_episode_steps or 0) // config.repeats or 500
        self.obs: Any = whole_of(
            {name: np.zeros((num_envs, *part.shape), part.dtype) for name, part in self.observation.named}
        )
        self.ended = np.zeros(num_envs, bool)
        self.actions = np.zeros(num_envs, np.int64)
        self.broken = BrokenSteps(num_envs)
        self.closing = Closing(config.id, *(env.close for env in self.envs))

    def see(self, index: int, found: Returned, first: bool) -> None:
        """Keeps a game's observation, if there is one; `first`: nothing is left of those before."""
        if found.obs is None:
            return
        kept, new = parts_of(self.obs), parts_of(self.view(found.obs))
        for name, part in self.observation.named:
            if part.is_picture:
                self.stack(kept[name][index], new[name], first)
            else:
                kept[name][index] = new[name]

    def part(self, obs: Any) -> Any:
        """What is seen of observations [N, ...]: all."""
        return obs

    def stack(self, pictures: np.ndarray, newest: np.ndarray, first: bool) -> None:
        """Moves the pictures [stack, ...] one on."""
        before = newest if self.fill == "first" else np.zeros_like(newest)
        pictures[:-1] = before if first else pictures[1:]
        pictures[-1] = newest

    def reset(self, seeds: np.ndarray) -> Any:
        unseen = np.zeros(self.num_envs, bool)
        for index, (game, seed) in enumerate(zip(self.games, seeds, strict=True)):
            found = game.reset(int(seed))
            self.see(index, found, first=True)
            unseen[index] = found.obs is None
        self.ended[:] = False
        self.broken.reset(unseen)
        return each(np.copy, self.obs)

    def send(self, actions: np.ndarray) -> None:
        self.actions = np.asarray(actions) + self.first_action

    def recv(self) -> Step:
        reward = np.zeros(self.num_envs)
        terminated, truncated, unseen, troubled = np.zeros((4, self.num_envs), bool)
        trouble: tuple[str, ...] = ()
        for index, game in enumerate(self.games):
            if self.ended[index]:
                found = game.reset()
            else:
                found = game.step(int(self.actions[index]))
                _, reward[index], terminated[index], truncated[index], _ = found
            unseen[index], troubled[index] = found.obs is None, bool(found.trouble)
            self.see(index, found, first=bool(troubled[index] | self.broken.made_up[index] | self.ended[index]))
            trouble += found.trouble
        broken, cut = self.broken.step(unseen, troubled, restarted=self.ended)
        truncated |= cut
        self.ended = terminated | truncated
        return Step(
            each(np.copy, self.obs),
            reward,
            terminated,
            truncated,
            broken=broken if broken.any() else None,
            trouble=trouble,
        )

    def get_state(self) -> dict[str, Any]:
        raise RuntimeError("this game cannot be saved; a checkpoint cuts it")

    def set_state(self, state: dict[str, Any]) -> None:
        raise RuntimeError("this game cannot be saved; a checkpoint cuts it")

    def close(self) -> None:
        """Closes each environment, the first time that it is called."""
        self.closing()


def pictures(config: Any) -> str:
    """What a picture is made of, in words."""
    return as_given(config) if config.frame_skip == 1 else of_frames(config)


KIND = Kind(Gym, plays, GymGames, pictures=pictures)
