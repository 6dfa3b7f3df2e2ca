"""Environments by their Gymnasium id."""

from __future__ import annotations

import importlib
import sys
import warnings
from typing import Any

import gymnasium

from triptych.envs.config import EnvConfig
from triptych.envs.games import Games
from triptych.spec import Observation
from triptych.utils.checks import InputError

# Which module makes the games of a registered id: the first one whose `plays(spec)` says yes.
MODULES = ("atari", "cartpole", "toys", "gym")


def missing_module(env_id: str) -> str:
    """The module that `module:id` names, where this process has not imported it; else ''."""
    module = env_id.rpartition(":")[0]
    return "" if module in sys.modules else module


def find(env_id: str, may_import: bool = False) -> Any:
    """The Gymnasium spec of an id.

    Args:
        may_import: whether the module of `module:id` is imported. Only where the user typed the id, or `runs.trust` allows
            it: an id that is read may be a stranger's.

    Raises:
        InputError: nobody registered that id.
    """
    module, _, name = env_id.rpartition(":")
    if missing_module(env_id) and not may_import:
        ways = f"a module that is imported already (import {module}), or --trust where a run names it"
        raise InputError(f"env is {env_id!r}, whose module is not imported for what is only read; allowed: {ways}")
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
