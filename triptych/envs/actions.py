"""What the actions of a game are called."""

from __future__ import annotations

import enum
from typing import Any

# Of Gymnasium's own games, which do not say it themselves; by the name of the class.
KNOWN: dict[str, tuple[str, ...]] = {
    "CartPoleEnv": ("left", "right"),
    "WideCartPole": ("left", "right"),
    "MountainCarEnv": ("left", "none", "right"),
    "AcrobotEnv": ("torque -1", "none", "torque +1"),
    "LunarLander": ("none", "left engine", "main engine", "right engine"),
    "FrozenLakeEnv": ("left", "down", "right", "up"),
    "CliffWalkingEnv": ("up", "right", "down", "left"),
    "TaxiEnv": ("down", "up", "right", "left", "pick up", "drop off"),
    "BlackjackEnv": ("stick", "hit"),
}


def action_names(games: Any) -> tuple[str, ...]:
    """The names of a set's actions [A]; "action 0" and so on where nobody says them.

    A kind of games of one's own says them in `action_names`; other games are asked as Atari's, MiniGrid's and ViZDoom's
    answer: `get_action_meanings()`, an enum `actions`, buttons.
    """
    count, first = games.num_actions, games.first_action
    found = getattr(games, "action_names", None)
    if found is None:
        envs = getattr(games, "envs", None)
        found = names_of(envs[0].unwrapped) if isinstance(envs, list) and envs else None
    if found is None or len(found) != count:
        return tuple(f"action {first + place}" for place in range(count))
    return tuple(str(name) for name in found)


def names_of(env: Any) -> tuple[str, ...] | None:
    """What one game calls its actions; None: it does not say. A user's game may answer anything."""
    try:
        if hasattr(env, "get_action_meanings"):
            return tuple(readable(name) for name in env.get_action_meanings())
        actions = getattr(env, "actions", None)
        if isinstance(actions, type) and issubclass(actions, enum.Enum):
            return tuple(readable(action.name) for action in actions)
        if hasattr(env, "button_map") and hasattr(env, "game"):
            buttons = [button.name for button in env.game.get_available_buttons()]
            return tuple(readable(" + ".join(pressed(buttons, held)) or "none") for held in env.button_map)
    except Exception:
        return None
    return KNOWN.get(type(env).__name__)


def pressed(buttons: list[str], held: Any) -> list[str]:
    return [button for button, down in zip(buttons, held, strict=True) if down]


def readable(name: str) -> str:
    """`UPRIGHTFIRE` -> `up right fire`, `TURN_LEFT` -> `turn left`."""
    name = str(name).replace("_", " ").lower()
    if name.replace("fire", "").replace("up", "").replace("down", "").replace("left", "").replace("right", "") == "":
        for word in ("up", "down", "left", "right", "fire"):
            name = name.replace(word, f" {word}")
    return {"noop": "no-op"}.get(name, " ".join(name.split()))
