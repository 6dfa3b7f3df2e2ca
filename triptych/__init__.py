"""One deep-RL experiment, three frameworks, one report: DQN in PyTorch, JAX and Keras, proved equal."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from triptych.bench import compare, lockstep
    from triptych.changes import override
    from triptych.checks import InputError
    from triptych.evaluation import evaluate, load_agent
    from triptych.experiment import resume, train
    from triptych.memory import register_memory
    from triptych.recipes import Recipe, load_recipe

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
    "InputError": "checks",
    "Recipe": "recipes",
    "compare": "bench",
    "evaluate": "evaluation",
    "load_agent": "evaluation",
    "load_recipe": "recipes",
    "lockstep": "bench",
    "override": "changes",
    "register_memory": "memory",
    "resume": "experiment",
    "train": "experiment",
}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module 'triptych' has no attribute {name!r}")
    return getattr(importlib.import_module(f"triptych.{HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
