"""The games of a config, and what their kind tells of them."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, cast

import numpy as np

from triptych.envs.checking import PATIENCE
from triptych.envs.checking import first_looks as first_looks_at
from triptych.envs.closing import Closing
from triptych.envs.config import SCREEN, GameConfig, Unknown, names
from triptych.envs.flicker import FlickeringGames
from triptych.envs.games import Games
from triptych.envs.guarded import GuardedGames
from triptych.envs.gym import Gym, GymGames, make_one
from triptych.envs.layout import VECTOR, may_be
from triptych.envs.parts import leaves
from triptych.envs.registry import KINDS, find, kind_of
from triptych.envs.settings import changed
from triptych.spec import Observation
from triptych.utils.checks import InputError


def unread(config: GameConfig, observation: Observation) -> set[str]:
    """The fields of `config` that this game never reads: the one place that says so.

    Those that its id fixes itself, those of pictures where it has none, those of a stack where it stacks its pictures itself.
    """
    spec = find(config.id)
    pictures = set() if observation.is_picture else SCREEN | ({"maximum"} & config.apart)
    stacks_itself = observation.is_picture and observation.main.stack != getattr(
        config, "stack", observation.main.stack
    )
    return (kind_of(spec).unread(spec) | pictures | ({"stack", "fill"} if stacks_itself else set())) & names(config)


def fixed(config: GameConfig) -> dict[str, Any]:
    """What an id that plays through Gymnasium (Atari's `-v0`) fixes itself: `frame_skip` and `sticky`, or nothing."""
    spec = find(config.id)
    return kind_of(spec).fixed(spec)


def told(config: GameConfig) -> dict[str, str]:
    """In words: how an episode starts (`start`), and what a picture is made of (`pictures`)."""
    kind = kind_of(find(config.id))
    return {"start": kind.start(config), "pictures": kind.pictures(config)}


def stickiness(config: GameConfig) -> float | None:
    """The chance that the emulator repeats the last action: the config's, or the id's own; None: these games have none."""
    sticky: float | None = getattr(config, "sticky", None)
    if sticky is not None:
        return sticky
    try:
        own: float | None = find(config.id).kwargs.get("repeat_action_probability")
    except InputError:  # an id of long ago, whose maker is not here
        return None
    return own


def first_looks(config: GameConfig) -> list[str]:
    """Tries a game of the user's before anything is trained: its first reset and steps; what should be known of it, a line each.

    Our own kinds return what they say, and are not tried.

    Raises:
        InputError: what it returns cannot be learned from.
        EnvironmentFailed: it raised.
    """
    if type(config) is not Gym:
        return []
    games = make(dataclasses.replace(config, flicker=0.0), 1)
    assert isinstance(games, GymGames)
    try:
        rng = np.random.default_rng(0)
        actions = games.first_action + rng.integers(games.num_actions, size=PATIENCE)
        return first_looks_at(games.games[0], [int(action) for action in actions])
    finally:
        games.close()


def shows_pictures(config: GameConfig) -> bool:
    """Whether a game shows pictures, as far as its space tells; which layout they have may still have to be said.

    Raises:
        InputError: it cannot be made.
    """
    config = changed(config, {})
    if type(config) is Gym and not config.render:
        env = make_one(config, find(config.id))
        Closing(config.id, env.close)()
        return config.layout != VECTOR and any(map(may_be, leaves(env.observation_space).values()))
    games = make(config, 1)
    games.close()
    return games.observation.is_picture


def make(config: GameConfig, num_envs: int, threads: int = 1) -> Games:
    """Makes `num_envs` games; `threads` is how many of them may play at the same time.

    Raises:
        InputError: unknown id, a package is missing, or its spaces are not a discrete choice over a
            picture or a vector.
    """
    spec = find(config.id)
    config = changed(config, {})  # a module that has just been imported may bring a kind of its own
    if isinstance(config, Unknown):
        kind = json.loads(config.recorded)["kind"]
        raise InputError(f"kind of {config.id!r} is {kind!r}; allowed: {', '.join(kind.name for kind in KINDS)}")
    games: Games = kind_of(spec).make(config, spec, num_envs, threads)
    if not (isinstance(games, GymGames) or type(games).__module__.startswith("triptych.")):
        games = cast(Games, GuardedGames(games, config.id, config.fill))
    if not config.flicker:
        return games
    return FlickeringGames(games, config.flicker, config.fill)
