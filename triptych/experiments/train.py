"""Training and resuming: what the command line and Python call."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from triptych import envs, frameworks
from triptych.experiments.film import film_run
from triptych.frameworks import DISTRIBUTIONS
from triptych.recipes import Recipe, resolve
from triptych.recipes.feasibility import Prepared, prepare
from triptych.recipes.serialise import to_dict
from triptych.runs.checkpoints import Checkpoints
from triptych.runs.folder import RESUMES, RunFolder
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
from triptych.training.callbacks.base import Callback, callbacks_of
from triptych.training.profiler import Profile
from triptych.training.session import Session
from triptych.utils import machine
from triptych.utils.checks import EnvironmentFailed
from triptych.utils.console import warn
from triptych.utils.files import write_json


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
    **changes: Any,
) -> RunResult:
    """Trains one agent in one framework and returns what the run came to.

    Args:
        recipe: a recipe's name, a path to a Python file that defines `recipe`, or a Recipe.
        framework: torch, jax or keras.
        run_name: the new folder under `runs_dir`; None: a fresh one, named after `label`.
        label: what is trained, in such a name; None: the recipe's name, or the environment's.
        profile: print at the end where the time went.
        video: film a test game of the best weights at the end, into the run's `videos/best.mp4`, where the game can draw itself.
        callbacks: what watches the run, see `triptych.Callback`: objects, classes, functions of (run, tick), or "module:name".
        device: "auto" (a GPU, where the framework sees one), "cpu", "cuda", or "cuda:1".
        changes: recipe fields by name: steps=1000, seed=3, batch_size=64, **{"algorithm.gamma": 0.9}.

    Raises:
        InputError: something given cannot be used; nothing was loaded or written.
    """
    resolved = resolve(recipe, changes)
    label = label or (recipe if isinstance(recipe, str) else resolved.env.id)
    watching = callbacks_of(callbacks)
    prepared = prepare(resolved, framework)
    with closing(prepared.games):
        frameworks.set_threads(prepared.threads)  # before a framework is loaded to ask for its GPUs
        frameworks.set_device(device, framework)
        name = fresh_name(f"{safe(label)}-{framework}", runs_dir) if run_name is None else run_name
        path = new_path(name, runs_dir)
        warn(*prepared.notes)
        result = begin(path, prepared, framework, quiet, watching, profile)
    if video:
        film_end(result, prepared.recipe, quiet)
    return result


def film_end(result: RunResult, recipe: Recipe, quiet: bool) -> None:
    """Films a run that has come to its end; one that was interrupted is to go on first."""
    if result.stopped_by != "interrupted":
        film_run(result.path, recipe, result.framework, quiet)


def begin(
    path: Path, prepared: Prepared, framework: str, quiet: bool, callbacks: list[Callback], profile: bool
) -> RunResult:
    """Makes the run's folder and trains."""
    with RunFolder(path) as folder:
        exact = is_exact(prepared)
        watcher = Profile() if profile else None
        session = Session(folder, prepared, framework, quiet=quiet, callbacks=callbacks, profile=watcher)
        session.save()  # the checkpoint at step 0: from here on the folder is a run
        write_json(path / "config.json", described(session, exact))
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
) -> RunResult:
    """Goes on with a run from its last checkpoint, in any framework, and returns what it came to; a finished run stays as it is.

    Args:
        callbacks: what watches the run, as in `train`.
        recipe: a Python file of the user's to run first, which registers what the run needs.
        trust: run what the run names: the file that its recipe came from, the module of its environment's id.
        device: as in `train`.

    Raises:
        InputError: the folder is no run, none of its checkpoints is whole, or it needs code that may not run.
    """
    return go_on(run, framework, runs_dir, quiet, Allowed(recipe, trust), callbacks, device)[0]


def go_on(
    run: str | Path,
    framework: str | None,
    runs_dir: str | Path,
    quiet: bool,
    allowed: Allowed,
    callbacks: Iterable[Any] = (),
    device: str = "auto",
) -> tuple[RunResult, bool]:
    """What `resume` does, and whether the run was finished already."""
    path = run_path(str(run), runs_dir)
    config = read_config(path, dataclasses.replace(allowed, again=True))
    recipe: Recipe = config["recipe"]
    framework = framework or last_framework(path, config)
    threads = int(config["threads"])
    now = machine.describe("", threads, DISTRIBUTIONS)
    warn(*other_machine(config, now))
    watching = callbacks_of(callbacks)
    prepared = prepare(recipe, framework, is_new=False, threads=threads)
    with closing(prepared.games), RunFolder(path) as folder:
        frameworks.set_threads(prepared.threads)
        frameworks.set_device(device, framework)
        checkpoints = Checkpoints(folder, recipe)
        manifest, state = checkpoints.load()
        if manifest["state"]["stopped_by"]:
            return finished(path, framework, manifest, quiet), True
        repeated = max(0, last_step(folder) - manifest["step"])
        checkpoints.rewind(manifest)
        session = Session(folder, prepared, framework, quiet=quiet, callbacks=watching, checkpoints=checkpoints)
        session.restore(state)
        row = {"step": manifest["step"], "framework": framework, "threads": threads, "processor": now["processor"]}
        folder.append("resumes.csv", row | {"versions": as_words(now["versions"])}, RESUMES)
        if not quiet:
            print(f"resumed at step {manifest['step']}, repeating {repeated} steps", flush=True)
        session.introduce()
        return session.go(), False


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
        print(f"{path} is finished ({stopped_by}, step {step:,}); nothing to do; play it: {command}")
    values: dict[str, Any] = {field.name: told.get(field.name) for field in dataclasses.fields(RunResult)}
    return RunResult(**values | {"path": path})


def as_words(versions: dict[str, str]) -> str:
    return " ".join(f"{name}={version}" for name, version in versions.items())
