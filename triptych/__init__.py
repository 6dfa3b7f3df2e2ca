"""One deep-RL experiment, three frameworks, one report: DQN in PyTorch, JAX and Keras, proved equal."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from triptych.experiments.compare import compare
    from triptych.experiments.evaluate import evaluate
    from triptych.experiments.load import load_agent
    from triptych.experiments.lockstep.prove import lockstep
    from triptych.experiments.train import resume, train
    from triptych.recipes import Recipe, load_recipe
    from triptych.recipes.override import override
    from triptych.spec import register_memory
    from triptych.utils.checks import InputError

__version__ = "0.1.0"
__all__ = [
    "InputError",
    "Recipe",
    "compare",
    "evaluate",
    "load_agent",
    "load_recipe",
    "lockstep",
    "override",
    "register_memory",
    "resume",
    "train",
]

# The module that defines each public name, imported when the name is first asked for.
HOMES = {
    "InputError": "utils.checks",
    "Recipe": "recipes",
    "compare": "experiments.compare",
    "evaluate": "experiments.evaluate",
    "load_agent": "experiments.load",
    "load_recipe": "recipes",
    "lockstep": "experiments.lockstep.prove",
    "override": "recipes.override",
    "register_memory": "spec",
    "resume": "experiments.train",
    "train": "experiments.train",
}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module 'triptych' has no attribute {name!r}")
    return getattr(importlib.import_module(f"triptych.{HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
