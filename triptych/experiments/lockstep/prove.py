"""`lockstep`: proves that the frameworks are the same."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triptych.experiments.compare import ALL, checked
from triptych.experiments.jobs import work
from triptych.experiments.lockstep import judge, play
from triptych.frameworks import versions
from triptych.recipes import Recipe
from triptych.recipes.serialise import to_dict
from triptych.runs.folder import RunFolder
from triptych.runs.names import fresh_name, new_path, safe
from triptych.utils import machine
from triptych.utils.checks import InputError, check
from triptych.utils.console import say
from triptych.utils.failures import machine_failures
from triptych.utils.files import write_json

UNSEEN = {"rewards": "a reward", "ends": "an episode that terminated", "truncations": "an episode that was truncated"}


@dataclass(frozen=True)
class LockstepResult:
    """Whether the frameworks took the same actions and learned the same, and how much that proves."""

    agree: bool
    steps: int  # after the warm-up; the least of the frameworks, as are the next three
    updates: int
    greedy_actions: int
    target_copies: int
    rewards: int  # that were not 0; with none of them a target is never more than a discounted value
    ends: int  # of episodes, by termination
    truncations: int  # of episodes, by a time limit
    worst_relative: float
    first_difference: dict[str, Any] | None
    actions_part_at: int | None  # step at which an action or a game differs, None: never; what follows is not compared
    unseen: list[str]  # what the games never showed, so that nothing of it is proved
    too_few: list[str]  # counts below the floor: then nothing is proved and agree is False
    control: (
        dict[str, Any] | None
    )  # worst_relative, first_difference: the first framework from itself, rounded otherwise
    overrides: dict[str, Any]
    logs: dict[str, str]  # framework -> its CSV
    processor: str
    versions: dict[str, str]


@machine_failures()
def lockstep(
    recipe: str | Recipe | None = None,
    steps: int = 30_000,
    frameworks: tuple[str, ...] = ALL,
    *,
    runs_dir: str | Path = "runs",
    run_name: str | None = None,
    label: str | None = None,
    control: bool = False,
    quiet: bool = True,
    **changes: Any,
) -> LockstepResult:
    """Proves that the frameworks are the same: in float64 they take the same actions for `steps` after the warm-up.

    Args:
        control: the first framework also plays against itself, its weights moved by their last bit after each update.
            Where that parts as far as the frameworks do, rounding suffices to explain them.

    Raises:
        InputError: something given cannot be used.
        WorkerError: a framework's process ended without a result.
    """
    names = tuple(frameworks)
    check(len(names) > 1, "frameworks", " ".join(names), "two or more")
    check(steps > 0, "steps", steps, "above 0")
    resolved, overrides = play.provable(
        checked(recipe, names, changes, lambda found: play.provable(found, steps)[0], runs_dir), steps
    )
    if not quiet:
        say(*at_the_start(overrides, steps, resolved.algorithm.steps_before_learning))
    label = label or safe(recipe if isinstance(recipe, str) else resolved.env.id)
    folder = new_path(run_name or fresh_name(f"lockstep-{label}", runs_dir), runs_dir)
    with RunFolder(folder):
        if any(path.name != ".lock" for path in folder.iterdir()):
            raise InputError(f"folder {folder} is not empty; allowed: another --run-name")
        job = {"recipe": to_dict(resolved), "folder": str(folder), "quiet": quiet, "control": False}
        job["trust"] = True  # the recipe is the user's own
        counts = [work("lockstep", job | {"framework": name}) for name in names]
        result = conclude(folder, list(names), counts, overrides, play.floors(resolved))
        write_json(folder / "verdict.json", dataclasses.asdict(result))  # the control's process may end without its own
        if control:
            work("lockstep", job | {"framework": names[0], "control": True})
            verdict = judge.judge(folder, [names[0], "control"])
            found = {"worst_relative": verdict.worst, "first_difference": verdict.first}
            result = dataclasses.replace(result, control=found)
            write_json(folder / "verdict.json", dataclasses.asdict(result))
    return result


def at_the_start(overrides: dict[str, Any], steps: int, warm_up: int) -> list[str]:
    """What of the recipe is not taken, and how its steps are counted, told before it runs."""
    others = [f"{name} = {value}" for name, value in overrides.items() if name != "precision"]
    lines = []
    if "precision" in overrides:
        lines.append("proof     in float64: in a lower precision rounding alone drives the frameworks apart")
    if others:
        lines.append(f"proof     these settings are changed for it: {', '.join(others)}")
    if warm_up:
        total = steps + warm_up
        lines.append(
            f"proof     --steps {steps:,} counts from the end of the warm-up of {warm_up:,}: {total:,} steps in all"
        )
    return lines


def conclude(
    folder: Path, names: list[str], counts: list[dict[str, int]], overrides: dict[str, Any], floors: dict[str, int]
) -> LockstepResult:
    """Reads the logs of a proof and says what they show."""
    least = {name: min(count[name] for count in counts) for name in counts[0]}
    verdict = judge.judge(folder, names)
    too_few = [
        f"{name}: {least[name]}, needed {floor}, which take about {math.ceil(least['steps'] * floor / max(1, least[name])):,} steps"
        for name, floor in floors.items()
        if least[name] < floor
    ]
    return LockstepResult(
        agree=verdict.first is None and not too_few,
        worst_relative=verdict.worst,
        first_difference=verdict.first,
        actions_part_at=None if math.isinf(verdict.parted) else int(verdict.parted),
        unseen=[what for name, what in UNSEEN.items() if least[name] == 0],
        too_few=too_few,
        control=None,
        overrides=overrides,
        logs={name: str(folder / f"{name}.csv") for name in names},
        processor=machine.processor(),
        versions=versions(),
        **least,
    )
