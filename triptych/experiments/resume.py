"""Going on with a run: what the command line and Python call."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triptych import frameworks
from triptych.experiments.going_on import GoingOn, decide, is_over, schedules, write_changes
from triptych.experiments.train import film_end, open_games
from triptych.frameworks import DISTRIBUTIONS, check_framework
from triptych.recipes.feasibility import prepare
from triptych.runs.checkpoints import Checkpoints
from triptych.runs.folder import RunFolder
from triptych.runs.names import run_path
from triptych.runs.records import (
    RunResult,
    ending,
    last_framework,
    last_step,
    read_config,
    summary_or_none,
    write_summary,
)
from triptych.runs.trust import Allowed
from triptych.training.callbacks.base import callbacks_of
from triptych.training.session import Session
from triptych.utils import machine
from triptych.utils.console import put, warn

DEFAULTED = {field.name for field in dataclasses.fields(RunResult) if field.default is not dataclasses.MISSING}


def resume(
    run: str | Path,
    framework: str | None = None,
    *,
    runs_dir: str | Path = "runs",
    quiet: bool = True,
    callbacks: Iterable[Any] = (),
    recipe: str | None = None,
    trust: bool = False,
    device: str = "auto",
    steps: int | str | None = None,
    exact: bool = False,
    accept_changes: bool = False,
    video: bool = True,
) -> RunResult:
    """Goes on with a run from its last checkpoint, in any framework, and returns what it came to; a finished run stays as it is.

    Args:
        callbacks: what watches the run, as in `train`.
        recipe: a Python file of the user's to run first, which registers what the run needs.
        trust: run what the run names: the file that its recipe came from, the module of its environment's id.
        device: as in `train`.
        steps: at which the run ends now, also where it had ended before; "+1000": so many more than it has.
        exact: go on from the last checkpoint that gives the numbers of a run that never stopped, though that repeats steps.
        accept_changes: take settings that were changed in config.json since the checkpoint.
        video: film a test game at the end, as `train` does.

    Raises:
        InputError: the folder is no run, none of its checkpoints is whole, its settings are not those of the checkpoint, or
            it needs code that may not run.
        RunFailed, MachineFailed: as in `train`.
    """
    wish = Wish(framework, quiet, Allowed(recipe, trust), callbacks, device, steps, exact, accept_changes, video)
    return go_on(run, runs_dir, wish)[0]


@dataclass(frozen=True)
class Wish:
    """How a run is to go on; see `resume`."""

    framework: str | None
    quiet: bool
    allowed: Allowed
    callbacks: Iterable[Any] = ()
    device: str = "auto"
    steps: int | str | None = None
    exact: bool = False
    accept_changes: bool = False
    video: bool = True


def go_on(run: str | Path, runs_dir: str | Path, wish: Wish) -> tuple[RunResult, bool]:
    """What `resume` does, and whether the run was finished already."""
    path = run_path(str(run), runs_dir)
    config = read_config(path, dataclasses.replace(wish.allowed, again=True))
    framework = wish.framework or last_framework(path, config)
    threads = int(config["threads"])
    watching = callbacks_of(wish.callbacks)
    check_framework(framework)
    with RunFolder(path) as folder:
        checkpoints = Checkpoints(folder, config["recipe"], threads)
        manifest, state = checkpoints.load()
        if is_over(manifest, config["recipe"]) and wish.steps is None:
            decide(config, manifest, None, wish.accept_changes)
            return finished(path, framework, manifest, wish.quiet), True
        if wish.exact:
            manifest, state = checkpoints.load(exact=True)
        going = decide(config, manifest, wish.steps, wish.accept_changes)
        warn(*other_machine(config, machine.describe("", threads, DISTRIBUTIONS)))
        prepared = prepare(going.recipe, framework, is_new=False, threads=threads)
        with open_games(prepared):
            frameworks.set_threads(prepared.threads)
            frameworks.set_device(wish.device, framework)
            repeated = max(0, last_step(folder) - manifest["step"])
            checkpoints.belong_to(going.recipe)
            session = Session(
                folder, prepared, framework,
                quiet=wish.quiet, callbacks=watching, checkpoints=checkpoints, exact=wish.exact,
            )  # fmt: skip
            session.restore(state, bool(manifest.get("exact", True)))
            checkpoints.rewind(manifest)  # only now: what cannot be taken up changes nothing on the disk
            note_resume(session, config, manifest, going)
            if not wish.quiet:
                put(f"resumed at step {manifest['step']}, repeating {repeated} steps")
            session.introduce()
            result = session.go()
    if wish.video:
        film_end(result, going.recipe, wish.quiet)
    return result, False


def note_resume(session: Session, config: dict[str, Any], manifest: dict[str, Any], going: GoingOn) -> None:
    """Writes down that a run goes on, and says what is not as it was."""
    exact, step = bool(manifest.get("exact", True)), int(manifest["step"])
    cuts = bool(manifest.get("cuts", not exact))
    now = machine.describe("", session.threads, DISTRIBUTIONS)
    row = {"step": step, "framework": session.framework, "threads": session.threads, "processor": now["processor"]}
    row |= {"versions": as_words(now["versions"]), "exact": exact, "changes": going.words}
    session.folder.append_resume(row)
    write_changes(session.path, config, going, step, cuts)
    if going.changes:
        warn(f"goes on with other settings from step {step:,}: {going.words}")
        warn(*schedules(config["recipe"], going.recipe, step))
    if cuts:
        warn(
            f"games were cut at step {step:,}, where the run was stopped: its numbers are not those of a run that never stopped "
            "(--exact goes on from the last checkpoint that gives them)"
        )


def other_machine(config: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What keeps a resumed run from its exact numbers, a line each."""
    lines = []
    for what in ("processor", "versions"):
        was = config[what]
        if now[what] == was:
            continue
        if what == "versions":
            was = {name: version for name, version in was.items() if now[what].get(name) != version}
        lines.append(f"{what} differ from the run's ({was}): float32 figures may differ in the last bits")
    if not config["resume_exact"]:
        lines.append("this run cannot be resumed to the same numbers; its config.json says so under resume_exact")
    return lines


def finished(path: Path, framework: str, manifest: dict[str, Any], quiet: bool) -> RunResult:
    """What a run that needs no more steps came to. A summary of an earlier session is mended on the way."""
    stopped_by, step = manifest["state"]["stopped_by"], manifest["step"]
    told = summary_or_none(path)
    if (told.get("stopped_by"), told.get("steps")) != (stopped_by, step):
        told = ending(path, framework, manifest)
        write_summary(path, told)
    if not quiet:
        command = f"triptych evaluate {shlex.quote(str(path))}"
        put(
            f"{path} is finished ({stopped_by}, step {step:,}); nothing to do; play it: {command}; "
            f"give it more steps: triptych resume {shlex.quote(str(path))} --steps +{step}"
        )
    names = {field.name for field in dataclasses.fields(RunResult)}
    values: dict[str, Any] = dict.fromkeys(names - DEFAULTED) | {name: told[name] for name in names & told.keys()}
    return RunResult(**values | {"path": path})


def as_words(versions: dict[str, str]) -> str:
    return " ".join(f"{name}={version}" for name, version in versions.items())
