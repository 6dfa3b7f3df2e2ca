"""Training and resuming: what the command line and Python call."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path
from typing import Any

from triptych import envs
from triptych.frameworks import DISTRIBUTIONS, check_framework
from triptych.recipes import Recipe, resolve
from triptych.recipes.feasibility import check_films, check_read, check_replay
from triptych.recipes.serialise import to_dict
from triptych.runs.checkpoints import Checkpoints
from triptych.runs.folder import RESUMES, RunFolder
from triptych.runs.names import fresh_name, new_path, run_path, safe
from triptych.runs.records import ending, last_framework, last_step, read_config, read_summary, write_summary
from triptych.runs.trust import Allowed, marks
from triptych.training.profiler import Profile
from triptych.training.session import RunResult, Sitting
from triptych.utils import machine
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
    **changes: Any,
) -> RunResult:
    """Trains one agent in one framework and returns what the run came to.

    Args:
        recipe: a recipe's name, a path to a Python file that defines `recipe`, or a Recipe.
        framework: torch, jax or keras.
        run_name: the new folder under `runs_dir`; None: a fresh one, named after `label`.
        label: what is trained, in such a name; None: the recipe's name, or the environment's.
        profile: print at the end where the time went.
        changes: recipe fields by name: steps=1000, seed=3, batch_size=64, **{"algorithm.gamma": 0.9}.

    Raises:
        InputError: something given cannot be used; nothing was loaded or written.
    """
    resolved = resolve(recipe, changes)
    check_framework(framework)
    threads = machine.threads_for(resolved.threads)
    games = envs.make(resolved.env, resolved.num_envs, threads)
    resolved.make_network(games.observation, games.num_actions)
    check_read(resolved.env, games)
    check_replay(resolved, games)
    check_films(resolved)
    label = label or (recipe if isinstance(recipe, str) else resolved.env.id)
    name = fresh_name(f"{safe(label)}-{framework}", runs_dir) if run_name is None else run_name
    path = new_path(name, runs_dir)
    warn(*resolved.warnings(), *machine.precision_notes(resolved.precision))
    with RunFolder(path) as run:
        exact = games.saves or envs.forgets(resolved.env, min(2, resolved.num_envs), threads)  # more take long to make
        if not exact:
            warn(f"reset(seed=) of {resolved.env.id} does not forget the past: a resumed run may give other numbers")
        watcher = Profile() if profile else None
        sitting = Sitting(run, resolved, framework, games, threads, quiet, profile=watcher)
        sitting.save()  # boundary 0: from here on the folder is a run
        # GPU kernels may add in another order each time, so the promise holds on the processor only.
        exact = exact and sitting.training.learner.device == "cpu"
        write_json(path / "config.json", config_of(path, resolved, framework, exact, sitting))
        sitting.introduce()
        return sitting.go()


def config_of(path: Path, recipe: Recipe, framework: str, exact: bool, sitting: Sitting) -> dict[str, Any]:
    """What config.json says of a new run: its settings, what it was made on, and that this user made it here."""
    recorded = to_dict(recipe)
    return {
        "recipe": recorded,
        "env_id": recipe.env.id,
        "framework": framework,
        "seed": recipe.seed,
        "resume_exact": exact,
        **machine.describe(sitting.training.learner.device, sitting.threads, DISTRIBUTIONS),
        **marks(recorded, path),
    }


def resume(
    run: str | Path,
    framework: str | None = None,
    *,
    runs_dir: str | Path = "runs",
    quiet: bool = True,
    recipe: str | None = None,
    trust: bool = False,
) -> RunResult:
    """Goes on with a run from its last boundary, in any framework, and returns what it came to; a finished run stays as it is.

    Args:
        recipe: a Python file of the user's to run first, which registers what the run needs.
        trust: run what the run names: the file that its recipe came from, the module of its environment's id.

    Raises:
        InputError: the folder is no run, none of its checkpoints is whole, or it needs code that may not run.
    """
    return go_on(run, framework, runs_dir, quiet, Allowed(recipe, trust))[0]


def go_on(
    run: str | Path, framework: str | None, runs_dir: str | Path, quiet: bool, allowed: Allowed
) -> tuple[RunResult, bool]:
    """What `resume` does, and whether the run was finished already."""
    path = run_path(str(run), runs_dir)
    config = read_config(path, allowed)
    recipe: Recipe = config["recipe"]
    framework = framework or last_framework(path, config)
    check_framework(framework)
    threads = int(config["threads"])
    now = machine.describe("", threads, DISTRIBUTIONS)
    warn(*other_machine(config, now))
    games = envs.make(recipe.env, recipe.num_envs, threads)
    check_films(recipe)
    with RunFolder(path) as folder:
        checkpoints = Checkpoints(folder, recipe)
        manifest, arrays = checkpoints.load()
        if manifest["state"]["stopped_by"]:
            games.close()
            return finished(path, framework, manifest, quiet), True
        repeated = max(0, last_step(folder) - manifest["step"])
        checkpoints.rewind(manifest)
        sitting = Sitting(folder, recipe, framework, games, threads, quiet, checkpoints)
        sitting.restore(manifest, arrays)
        row = {"step": manifest["step"], "framework": framework, "threads": threads, "processor": now["processor"]}
        folder.append("resumes.csv", row | {"versions": as_words(now["versions"])}, RESUMES)
        if not quiet:
            print(f"resumed at step {manifest['step']}, repeating {repeated} steps", flush=True)
        sitting.introduce()
        return sitting.go(), False


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
    """What a run that needs no more steps came to. A summary of an earlier sitting is mended on the way."""
    stopped_by, step, told = manifest["state"]["stopped_by"], manifest["step"], read_summary(path)
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
