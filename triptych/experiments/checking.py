"""`check`: silent mistakes, looked for before a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from triptych.checkup.audit.whole import LEAST
from triptych.checkup.audit.whole import audit as audited
from triptych.checkup.looks import Checkup
from triptych.checkup.memory import judge_memory
from triptych.checkup.settings import judge_settings
from triptych.experiments.teach import with_teacher
from triptych.frameworks import check_framework, set_device
from triptych.recipes import Recipe, resolve
from triptych.recipes.feasibility import prepare
from triptych.utils.checks import check as require
from triptych.utils.failures import machine_failures


@machine_failures()
def check(
    subject: str | Recipe | None = None,
    framework: str = "torch",
    *,
    label: str | None = None,
    audit: int = 0,
    runs_dir: str | Path = "runs",
    device: str = "auto",
    **changes: Any,
) -> Checkup:
    """Looks for silent mistakes in a recipe before it is trained.

    Args:
        subject: a recipe's name, a path to a Python file that defines `recipe`, or a Recipe.
        framework: torch, jax or keras: whose agent is looked at.
        label: what to call it; None: by its name.
        audit: steps that are trained, in memory, of which everything is looked up in what the games said; 0: none.
        device: as in `train`.
        changes: recipe fields, as in `train`.

    Raises:
        InputError: something given cannot be used; a recipe that cannot be run here is refused as `train` refuses it.
        EnvironmentFailed: the environment failed.
    """
    check_framework(framework)
    allowed = f"{LEAST} or more, or 0 for no audit"
    require(audit == 0 or audit >= LEAST, "audit", audit, allowed)
    recipe = with_teacher(resolve(subject, changes), runs_dir)
    found = Checkup(label or (subject if isinstance(subject, str) else recipe.env.id))
    prepared = prepare(recipe, framework)
    try:
        set_device(device, framework)
        found.look("settings", lambda: judge_settings(recipe))
        found.look("memory", lambda: judge_memory(recipe, prepared.games))
    finally:
        prepared.games.close()
    if audit:
        found.look(f"the stream of {audit:,} steps", lambda: audited(recipe, framework, audit).told())
    return found
