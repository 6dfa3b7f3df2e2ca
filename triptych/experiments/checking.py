"""`check`: silent mistakes, looked for before a run."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from triptych.checkup.afterwards import judge_log
from triptych.checkup.afterwards.reading import what_was_read
from triptych.checkup.audit.whole import LEAST
from triptych.checkup.audit.whole import audit as audited
from triptych.checkup.checker import is_somebodys, judge_own_game
from triptych.checkup.emulated import judge_emulator
from triptych.checkup.environment import judge_numbers, judge_play
from triptych.checkup.looks import Checkup
from triptych.checkup.memory import judge_memory
from triptych.checkup.own.whole import check_own
from triptych.checkup.probes import ALL, EQUATIONS, EXACT
from triptych.checkup.probes.subject import Subject
from triptych.checkup.settings import judge_settings
from triptych.checkup.upright import judge_upright
from triptych.envs.atari import Atari
from triptych.envs.gym import Gym
from triptych.experiments.own_code import TIME_LIMIT, check_file, is_own
from triptych.experiments.teach import with_teacher
from triptych.frameworks import check_framework, load, set_device, set_threads
from triptych.recipes import Recipe, resolve
from triptych.recipes.feasibility import prepare
from triptych.report import logs
from triptych.runs.names import is_log
from triptych.training.base import Training
from triptych.training.build import compile_learner, make_training
from triptych.utils.checks import check as require
from triptych.utils.failures import machine_failures


@machine_failures()
def check(
    subject: Any = None,
    framework: str | None = None,
    *,
    label: str | None = None,
    audit: int = 0,
    runs_dir: str | Path = "runs",
    device: str = "auto",
    columns: Iterable[str] = (),
    frames_are: str = "steps",
    time_limit: float = TIME_LIMIT,
    **changes: Any,
) -> Checkup:
    """Looks for silent mistakes in a recipe before it is trained, or in what a run or another tool has logged.

    Args:
        subject: a recipe's name, a path to a Python file that defines `recipe`, or a Recipe. A run folder, a run's name, or a log of
            another tool, of which the rest is not asked. Or code of your own: a path to a file that defines an agent, an object with
            some of the methods of docs/how-to/check-my-code.md, or a class of such objects.
        framework: torch, jax or keras: whose agent is looked at. None: torch. Of a file of your own what `make_agent` is given.
        label: what to call it; None: by its name.
        audit: steps that are trained, in memory, of which everything is looked up in what the games said; 0: none.
        device: as in `train`.
        columns, frames_are: of a log, as in `check_log`.
        time_limit: seconds that a file with code of your own may take.
        changes: recipe fields, as in `train`.

    Raises:
        InputError: something given cannot be used, or is not used for what is looked at; a recipe that cannot be run here is refused as `train` refuses it.
        EnvironmentFailed: the environment failed.
    """
    columns = tuple(columns)
    defaults: dict[str, tuple[Any, Any]] = {  # what is given, and what it is where it is not
        "framework": (framework, None),
        "label": (label, None),
        "audit": (audit, 0),
        "runs_dir": (str(runs_dir), "runs"),
        "device": (device, "auto"),
        "columns": (columns, ()),
        "frames_are": (frames_are, "steps"),
        "time_limit": (time_limit, TIME_LIMIT),
    }
    given = [*changes, *(name for name, (value, default) in defaults.items() if value != default)]
    if isinstance(subject, str | Path) and is_log(str(subject), runs_dir):
        refuse(given, "a log", "label", "runs_dir", "columns", "frames_are")
        return named(check_log(str(subject), runs_dir=runs_dir, columns=columns, frames_are=frames_are), label)
    if isinstance(subject, str | Path) and is_own(str(subject)):
        refuse(given, "a file with code of your own", "framework", "label", "time_limit")
        if framework is not None:
            check_framework(framework)
        return named(check_file(subject, framework or "torch", time_limit), label)
    if not (subject is None or isinstance(subject, str | Path | Recipe)):
        refuse(given, "code of your own", "label")
        return check_own(subject, label or called(subject))
    refuse(
        [name for name in given if name not in changes], "a recipe", "framework", "label", "audit", "runs_dir", "device"
    )
    return check_recipe(
        subject, framework or "torch", label=label, audit=audit, runs_dir=runs_dir, device=device, changes=changes
    )


def refuse(given: Iterable[str], what: str, *used: str) -> None:
    """Refuses arguments that nothing would come of.

    Raises:
        InputError: there is one.
    """
    unused = [name for name in given if name not in used]
    require(not unused, f"an argument for {what}", ", ".join(unused), ", ".join(used))


def named(found: Checkup, label: str | None) -> Checkup:
    """A checkup by another name."""
    found.subject = label or found.subject
    return found


def called(own: Any) -> str:
    """A class's or a function's name, an object's class's."""
    return str(getattr(own, "__name__", type(own).__name__))


def check_recipe(
    subject: Any,
    framework: str,
    *,
    label: str | None,
    audit: int,
    runs_dir: str | Path,
    device: str,
    changes: dict[str, Any],
) -> Checkup:
    """Looks at a recipe, as `check` says."""
    check_framework(framework)
    allowed = f"{LEAST} or more, or 0 for no audit"
    require(audit == 0 or audit >= LEAST, "audit", audit, allowed)
    recipe = with_teacher(resolve(str(subject) if isinstance(subject, Path) else subject, changes), runs_dir)
    found = Checkup(label or (subject if isinstance(subject, str) else recipe.env.id))
    prepared = prepare(recipe, framework)
    try:
        found.look("settings", lambda: judge_settings(recipe))
        found.look("memory", lambda: judge_memory(recipe, prepared.games))
        set_threads(prepared.threads)
        set_device(device, framework)
        training = make_training(recipe, prepared.games, load(framework).Learner, teacher=prepared.teacher)
        try:
            probe(training, found)
            found.look("the game's numbers", lambda: judge_numbers(prepared.games))
            found.look("the game's pictures, beside its screen", lambda: judge_upright(recipe.env, prepared.games))
        finally:
            training.close()
    finally:
        prepared.games.close()
    if audit:
        found.look(f"the stream of {audit:,} steps", lambda: audited(recipe, framework, audit).told())
    found.look("the game", lambda: judge_play(recipe.env))
    if isinstance(recipe.env, Atari):
        found.look("the game, beside its emulator", partial(judge_emulator, recipe.env))
    if isinstance(recipe.env, Gym) and is_somebodys(recipe.env):
        found.look("the game, by Gymnasium's checker", partial(judge_own_game, recipe.env))
    return found


def check_log(
    name: str, *, runs_dir: str | Path = "runs", columns: Iterable[str] = (), frames_are: str = "steps"
) -> Checkup:
    """Says what looks wrong in a run that is over, or in a log of another tool.

    Args:
        columns: `THEIRS=ours`, what a column of others is called here.
        frames_are: what a foreign file's `frames` column counts: "steps", or "emulator" frames.

    Raises:
        InputError: there is nothing that can be read.
    """
    found = Checkup(name)
    for log in logs.read(name, Path(runs_dir), frames_are, columns=tuple(columns)):
        found.look(f"the log of {log.name}", partial(judge_log, log), log.name, tuple(what_was_read(log)))
    return found


def probe(training: Training, found: Checkup) -> None:
    """All probes of an agent at its first weights."""
    compile_learner(training)
    subject = Subject(training)
    for what, judge in ALL.items():
        if what in EXACT and subject.unknown:
            found.leave_out(what, f"{', '.join(subject.unknown)} is computed in no second way")
        elif what in EQUATIONS and not subject.is_ours:
            found.leave_out(what, f"the equations of {subject.config.kind} are not known here")
        elif what == "the memory" and not subject.state_size:
            continue
        else:
            found.look(what, partial(judge, subject))
