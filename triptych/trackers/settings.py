"""A run's settings as the trackers show them: config.json, flat."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from triptych.runs.records import read_config

LEFT_OUT = ("mark", "recipe", "changes")  # a signature of this machine; what is taken apart; what a resume has changed


def read_settings(folder: Path) -> dict[str, Any]:
    """What config.json says, by path: {"algorithm.gamma": 0.99, "framework": "torch"}.

    The recipe's fields have no `recipe.` in front of them. Nothing that the recipe names is run.

    Raises:
        InputError: the folder is no run.
    """
    config = read_config(folder)
    recorded = config.pop("recorded")
    kept = {name: value for name, value in config.items() if name not in LEFT_OUT}
    return flat(kept) | flat(recorded) | {"exp_name": folder.resolve().name, "env_id": config["env_id"]}


def flat(content: Any, path: str = "") -> dict[str, Any]:
    """Nested dicts as one, the keys joined by dots; lists of plain values as text, others by their places."""
    if isinstance(content, list) and not any(isinstance(item, dict | list) for item in content):
        return {path: " ".join(map(str, content))}
    if isinstance(content, dict | list):
        items = content.items() if isinstance(content, dict) else enumerate(content)
        found: dict[str, Any] = {}
        for key, value in items:
            found |= flat(value, f"{path}.{key}" if path else str(key))
        return found
    return {path: content}
