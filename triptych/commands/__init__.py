"""The commands: a dataclass each, whose fields are its flags. Nothing heavy is imported before one runs."""

from __future__ import annotations

from typing import Any

from triptych.commands.pages import Look, Report, Show, Study
from triptych.commands.proofs import Compare, Lockstep
from triptych.commands.runs import Evaluate, Recipes, Resume, Train

COMMANDS: dict[str, Any] = {
    "recipes": Recipes,
    "train": Train,
    "compare": Compare,
    "lockstep": Lockstep,
    "evaluate": Evaluate,
    "resume": Resume,
    "look": Look,
    "show": Show,
    "report": Report,
    "study": Study,
}
