"""Which lines of the copied source a recipe's file has.

A line that ends in `# only: name` is written only where the recipe has that feature, `# only: not name` where it has
not, `# only: one and not two` where both hold; a line that opens a block takes the block with it. The source itself
stays whole Python, which linters read.
"""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

from triptych.recipes import Recipe
from triptych.spec import Network

MARK = re.compile(r" *# only: ([\w ]+)$")


def features(recipe: Recipe, network: Network) -> dict[str, bool]:
    """What a recipe has, by the names of the marks."""
    config: Any = recipe.algorithm
    settings = settings_of(config)

    def has(name: str, without: Any = None) -> bool:
        return bool(settings.get(name, without) != without)

    return {
        "dqn": config.kind == "dqn",
        "drqn": config.kind == "drqn",
        "ppo": config.kind == "ppo",
        "off_policy": config.family == "off-policy",
        "memory": bool(sum(network.state_sizes)),
        **{kind: any(layer.kind == kind for layer in recipe.network) for kind in ("rnn", "gru", "lstm")},
        "skip": any(getattr(layer, "skip", False) for layer in recipe.network),
        "pictures": network.observation.is_picture,
        "stack": network.observation.is_picture and network.observation.shape[0] > 1,
        "tests": recipe.evaluation_period is not None,
        "episodes": recipe.episodes is not None,
        "solved_at": recipe.solved_at is not None,
        "adam": recipe.optimiser.kind == "adam",
        "rmsprop": recipe.optimiser.kind == "rmsprop",
        "max_norm": recipe.optimiser.max_norm is not None,
        "final_rate": recipe.optimiser.final_rate is not None,
        "huber": config.loss == "huber",
        "squared": config.loss == "squared",
        "absolute": config.loss == "absolute",
        "raw": config.reward == "raw",
        "sign": config.reward == "sign",
        "clipped": config.reward == "clip",
        "scaled": has("reward_scale", 1.0) and config.reward == "raw",
        "life_loss": has("life_loss_reward"),
        "double": has("double", False),
        "n_step": has("n_step", 1),
        "skip_first": has("skip_first", 0),
        "learn_from": has("learn_from"),
        "exponential": has("epsilon_shape", "linear"),
        "epsilon_from": has("epsilon_from", 0),
        "linear": not has("epsilon_shape", "linear") and not has("epsilon_from", 0),
        "linear_from": not has("epsilon_shape", "linear") and has("epsilon_from", 0),
        "burn_in": has("burn_in", 0),
        "stored_state": has("stored_state", False),
        "normalise": has("normalise_advantages", False),
        "entropy_end": has("entropy_end"),
        "clip_end": has("clip_end"),
    }


def settings_of(config: Any) -> dict[str, Any]:
    """The settings that an algorithm has, by name."""
    return {field.name: getattr(config, field.name) for field in fields(config)}


def chosen(text: str, has: dict[str, bool]) -> str:
    """The lines that a file has, without their marks."""
    kept, left_out = [], None  # the indentation of a block that is left out
    for line in text.splitlines():
        indentation = len(line) - len(line.lstrip())
        if left_out is not None and (not line.strip() or indentation > left_out):
            continue
        left_out = None
        mark = MARK.search(line)
        line = line[: mark.start()] if mark else line
        if mark and not holds(mark[1], has):
            left_out = indentation if line.rstrip().endswith(":") or ":  #" in line else None
            continue
        kept.append(line.rstrip())
    text = "\n".join(kept)
    text = text.replace(", clip=None", ", clip" if has["ppo"] else "")
    text = text.replace(" ahead mask", " ahead mask" if has["n_step"] else " mask")
    # Without a burn-in all steps are learned from.
    return text if has["burn_in"] else re.sub(r"\[(self\.)?args\.burn_in :\]", "", text)


def holds(said: str, has: dict[str, bool]) -> bool:
    """Whether a mark's condition holds: features, or what is none, joined by `and`."""
    return all(has[one.removeprefix("not ")] != one.startswith("not ") for one in said.split(" and "))
