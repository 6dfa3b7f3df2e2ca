"""The config of an id: made, changed, written as JSON has it and read again, whatever version wrote it."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, NotRequired, TypedDict

from triptych.envs.config import GameConfig, Unknown, names
from triptych.envs.gym import Gym
from triptych.envs.layout import BEFORE
from triptych.envs.registry import KINDS, find, kind_like, known_kind, missing_module
from triptych.utils.checks import InputError, check, shown
from triptych.utils.reading import Finite, build, typed
from triptych.utils.words import likely


def EnvConfig(id: str, **settings: Any) -> GameConfig:
    """The config of an id: `EnvConfig("CartPole-v1", observe="positions")`. Which settings there are, its kind says.

    Raises:
        InputError: a setting that these games never read, or a value that is not allowed.
    """
    if missing_module(id):
        find(id, may_import=True)  # which says why it cannot be imported
    config = (known_kind(id, may_import=True) or kind_like(id)).config
    check_settings(config, id, settings)
    return config(id, **settings)


def check_settings(config: type[GameConfig], env_id: str, settings: dict[str, Any]) -> None:
    """Refuses what games of a kind never read."""
    for name, value in settings.items():
        others = [field.name for field in dataclasses.fields(config) if field.name != "id"]
        mistyped = not any(name in names(kind.config) for kind in KINDS)  # what no games have at all
        near = likely(name, others) if mistyped and name not in names(config) else ""
        if near:
            raise InputError(f"{name} is {shown(value)}{near}")
        allowed = f"nothing, as these games do not read it: {env_id} has {', '.join(others)}"
        check(name in names(config), name, value, allowed)


def changed(config: GameConfig, changes: dict[str, Any], may_import: bool = True) -> GameConfig:
    """The config with other values. Another `id` may be of another kind, whose config takes over what both have.

    Args:
        may_import: False: import nothing that the id names.

    Raises:
        InputError: a setting that these games never read, or a value that is not allowed.
    """
    env_id = changes.get("id", config.id)
    kind = known_kind(env_id, may_import)
    if isinstance(config, Unknown):
        config = remembered(config)
    waits = isinstance(config, Unknown) and env_id == config.id
    target = type(config) if kind is None or waits else kind.config
    check_settings(target, env_id, changes)
    if target is type(config):
        return dataclasses.replace(config, **changes) if changes else config
    shared = (names(config) & names(target)) - (config.apart ^ target.apart)
    kept = {name: getattr(config, name) for name in shared}
    return target(**{**kept, **changes})


def fitted(config: GameConfig) -> GameConfig:
    """The config, or its like of the kind that its id is of; nothing that the id names is imported."""
    return changed(config, {}, may_import=False)


def remembered(config: Unknown) -> GameConfig:
    """The config that was recorded, once its kind is registered."""
    recorded = json.loads(config.recorded)
    kind = next((kind for kind in KINDS if kind.name == recorded["kind"]), None)
    return config if kind is None else from_record({**recorded, "id": config.id, "flicker": config.flicker})


def from_record(content: dict[str, Any], file: Any = "config.json", at: str = "env") -> GameConfig:
    """The config that a config.json has: nothing is imported for it, and a kind that is not known here is kept as it is.

    Args:
        file: where it stands, for an error's line.
        at: where in the file.

    Raises:
        InputError: a setting is missing, unknown, of another type or not allowed; the line names it.
    """
    every = typed(content, Every, file, at)
    name, rest = every.get("kind"), {field: value for field, value in content.items() if field != "kind"}
    if name is None:  # from before there were kinds: one config with the settings of all
        config = (known_kind(rest["id"], may_import=False) or kind_like(rest["id"])).config
        unread = OLD.keys() - (names(config) - config.before.keys())
        kept = {field: value for field, value in rest.items() if field not in unread}
        return build(config, {**config.before, **seen_before(config, kept), **kept}, file, at)
    for kind in KINDS:
        if kind.name == name:
            return build(kind.config, {**seen_before(kind.config, rest), **rest}, file, at)
    return Unknown(every["id"], every.get("flicker", 0.0), json.dumps(content))


class Every(TypedDict):
    """What the record of every game has, whatever its kind."""

    id: str
    flicker: NotRequired[Finite]
    kind: NotRequired[str | None]


def seen_before(config: type[GameConfig], recorded: dict[str, Any]) -> dict[str, Any]:
    """How a run's observations were taken where its config says nothing of their layout: by the rules of then."""
    return {"layout": BEFORE} if config is Gym and not recorded.get("render") else {}


def as_record(config: GameConfig) -> dict[str, Any]:
    """What `from_record` reads; tuples are still tuples."""
    if isinstance(config, Unknown):
        return {**json.loads(config.recorded), "id": config.id, "flicker": config.flicker}
    return {"kind": config.kind, **{field.name: getattr(config, field.name) for field in dataclasses.fields(config)}}


# The settings that every game had before there were kinds, and what they were where nobody said so.
OLD: dict[str, Any] = {
    "frame_skip": 4, "sticky": None, "noop_max": 30, "time_limit": None, "render": False, "crop": (0.0, 1.0, 0.0, 1.0),
    "size": 84, "colour": False, "stack": 4, "fill": "zeros", "observe": "all", "flicker": 0.0, "length": 10,
    "blind": 0, "kwargs": "{}",
}  # fmt: skip


def as_before(config: GameConfig) -> dict[str, Any]:
    """The config as it was written before there were kinds, by which runs of all times are told apart and known again.

    What came later is named only where it is not as it was then.
    """
    now = as_record(config)
    kind = now.pop("kind")
    defaults = {field.name: field.default for field in dataclasses.fields(config)}
    found = dict(OLD)
    for name, value in now.items():
        if name in config.before:  # a setting of others then
            found |= {} if value == config.before[name] else {f"{kind}.{name}": value}
        elif name == "layout" and value == BEFORE:  # nobody could say otherwise
            continue
        elif name in OLD or name == "id" or value != defaults.get(name):
            found[name] = value
    return found
