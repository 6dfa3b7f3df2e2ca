"""Training and resuming: what the command line and Python call."""

from __future__ import annotations

import contextlib
import dataclasses
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triptych import envs, frameworks
from triptych.experiments.film import film_run
from triptych.experiments.going_on import GoingOn, decide, is_over, schedules, write_changes
from triptych.experiments.start import Start, settings_behind
from triptych.frameworks import DISTRIBUTIONS, check_framework
from triptych.recipes import Recipe, resolve
from triptych.recipes.feasibility import Prepared, prepare
from triptych.recipes.serialise import to_dict
from triptych.runs.checkpoints import Checkpoints
from triptych.runs.folder import RunFolder
from triptych.runs.names import fresh_name, new_path, run_path, safe
from triptych.runs.records import (
    RunResult,
    ending,
    last_framework,
    last_step,
    read_config,
    summary_or_none,
    write_summary,
)
from triptych.runs.trust import Allowed, marks
from triptych.training.callbacks.base import callbacks_of
from triptych.training.profiler import Profile
from triptych.training.session import Session
from triptych.utils import machine
from triptych.utils.checks import EnvironmentFailed
from triptych.utils.console import put, warn
from triptych.utils.files import write_json

DEFAULTED = {field.name for field in dataclasses.fields(RunResult) if field.default is not dataclasses.MISSING}


def train(
    recipe: str | Recipe | None = None,
    framework: str = "torch",
    *,
    run_name: str | None = None,
    label: str | None = None,
    runs_dir: str | Path = "runs",
    quiet: bool = True,
    profile: bool = False,
    video: bool = True,
    callbacks: Iterable[Any] = (),
    device: str = "auto",
    from_run: str | Path | None = None,
    exact: bool = False,
    **changes: Any,
) -> RunResult:
    """Trains one agent in one framework and returns what the run came to.

    Args:
        recipe: a recipe's name, a path to a Python file that defines `recipe`, or a Recipe; None with `from_run`: that run's.
        framework: torch, jax or keras.
        run_name: the new folder under `runs_dir`; None: a fresh one, named after `label`.
        label: what is trained, in such a name; None: the recipe's name, or the environment's.
        profile: print at the end where the time went.
        video: film a test game of the best weights at the end, into the run's `videos/best.mp4`, where the game can draw itself.
        callbacks: what watches the run, see `triptych.Callback`: objects, classes, functions of (run, tick), or "module:name".
        device: "auto" (a GPU, where the framework sees one), "cpu", "cuda", or "cuda:1".
        from_run: a run, or a weights file, whose weights this run begins with (a run's best ones); None: they are drawn.
        exact: where the run is stopped, write no checkpoint from which a resume would give other numbers than a run that
            never stopped: it then goes on from the last regular one.
        changes: recipe fields by name: steps=1000, seed=3, batch_size=64, **{"algorithm.gamma": 0.9}.

    A run that diverges (its loss or weights are no longer finite) returns, with `stopped_by` "diverged".

    Raises:
        InputError: something given cannot be used; nothing was loaded or written.
        RunFailed: the environment or a callback failed; its `result` tells what the run came to, and the run can be resumed.
        EnvironmentFailed: the environment failed before anything was written.
        MachineFailed: the disk is full, or there is no memory left; the last checkpoint stands.
    """
    if recipe is None and from_run is not None:
        recipe = settings_behind(from_run, runs_dir)
    resolved = resolve(recipe, changes)
    label = label or (recipe if isinstance(recipe, str) else resolved.env.id)
    watching = callbacks_of(callbacks)
    start = None if from_run is None else Start.read(from_run, runs_dir)
    prepared = prepare(resolved, framework)
    with open_games(prepared):
        if start is not None:
            start.check(prepared.network)
        frameworks.set_threads(prepared.threads)  # before a framework is loaded to ask for its GPUs
        frameworks.set_device(device, framework)
        name = fresh_name(f"{safe(label)}-{framework}", runs_dir) if run_name is None else run_name
        path = new_path(name, runs_dir)
        warn(*prepared.notes)
        with RunFolder(path) as folder:
            new_path(name, runs_dir)  # looked at again behind its lock: another process may have made it meanwhile
            how = {"quiet": quiet, "callbacks": watching, "exact": exact, "profile": Profile() if profile else None}
            result = begin(folder, prepared, framework, start, how)
    if video:
        film_end(result, prepared.recipe, quiet)
    return result


def film_end(result: RunResult, recipe: Recipe, quiet: bool) -> None:
    """Films a run that has come to its end; one that was interrupted is to go on first."""
    if result.stopped_by not in ("interrupted", "diverged"):
        film_run(result.path, recipe, result.framework, quiet)


@contextlib.contextmanager
def open_games(prepared: Prepared) -> Iterator[None]:
    """Closes the games at the end; not after a second Ctrl-C, as what hangs in a step may hang there, too."""
    try:
        yield
    except KeyboardInterrupt:
        raise
    except BaseException:
        prepared.games.close()
        raise
    prepared.games.close()


def begin(folder: RunFolder, prepared: Prepared, framework: str, start: Start | None, how: dict[str, Any]) -> RunResult:
    """Makes a run of a folder, and trains."""
    exact = is_exact(prepared)
    weights = None if start is None else start.tensors
    session = Session(folder, prepared, framework, weights=weights, **how)
    session.save()  # the checkpoint at step 0: from here on the folder is a run
    origin = {} if start is None else {"from": start.told}
    write_json(folder.path / "config.json", described(session, exact) | origin)
    session.introduce()
    return session.go()


def is_exact(prepared: Prepared) -> bool:
    """Whether a resumed run will give the same numbers, as far as its games go; a warning where it will not."""
    config, games = prepared.recipe.env, prepared.games
    try:
        exact = games.saves or envs.forgets(config, min(2, games.num_envs), prepared.threads)  # more take long to make
    except EnvironmentFailed:  # as the run itself will, with its weights saved
        return False
    if not exact:
        warn(f"reset(seed=) of {config.id} does not forget the past: a resumed run may give other numbers")
    return exact


def described(session: Session, exact: bool) -> dict[str, Any]:
    """What stands in config.json."""
    recipe, device, recorded = session.recipe, session.training.learner.device, to_dict(session.recipe)
    return {
        "recipe": recorded,
        "env_id": recipe.env.id,
        "framework": session.framework,
        "seed": recipe.seed,
        # GPU kernels may add in another order each time, so the promise holds on the processor only.
        "resume_exact": exact and device == "cpu",
        **machine.describe(device, session.threads, DISTRIBUTIONS),
        **marks(recorded, session.path),
    }


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
