"""The games of a config, and what their kind tells of them."""

from __future__ import annotations

import json
from typing import Any

from triptych.envs.config import SCREEN, GameConfig, Unknown, names
from triptych.envs.flicker import FlickeringGames
from triptych.envs.games import Games
from triptych.envs.registry import KINDS, find, kind_of
from triptych.envs.settings import changed
from triptych.spec import Observation
from triptych.utils.checks import InputError


def unread(config: GameConfig, observation: Observation) -> set[str]:
    """The fields of `config` that this game never reads: those that its id fixes itself, those of pictures where it has none."""
    spec = find(config.id)
    pictures = set() if observation.is_picture else SCREEN
    return (kind_of(spec).unread(spec) | pictures) & names(config)


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
    if not config.flicker:
        return games
    return FlickeringGames(games, config.flicker, config.fill)
