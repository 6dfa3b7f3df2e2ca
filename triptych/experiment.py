"""Training and resuming: what the command line and Python call."""

from __future__ import annotations

import importlib.util
import shlex
from pathlib import Path
from typing import Any

from triptych import envs, frameworks, machine
from triptych.changes import override, to_dict
from triptych.checkpoints import Checkpoints
from triptych.checks import InputError
from triptych.files import write_json
from triptych.fits import check_read, check_replay
from triptych.messages import warn
from triptych.profile import Profile
from triptych.recipes import Recipe, default_recipe, load_recipe
from triptych.runs import (
    LOGS,
    RESUMES,
    RunFolder,
    fresh_name,
    last_framework,
    new_path,
    read_config,
    read_log,
    read_summary,
    run_path,
    write_summary,
)
from triptych.sitting import RunResult, Sitting
from triptych.videos import check_films

DISTRIBUTIONS = {"torch": ("torch",), "jax": ("jax", "flax", "optax"), "keras": ("keras", "tensorflow")}


def resolve(recipe: str | Recipe | None, changes: dict[str, Any]) -> Recipe:
    """A recipe by name, file or object, with changes by field name; None: the settings that fit `env`.

    Raises:
        InputError: unknown recipe or field, or a value that is not allowed.
    """
    if isinstance(recipe, Recipe):
        return override(recipe, changes)
    if recipe is not None:
        return override(load_recipe(recipe), changes)
    env = changes.get("env")
    if env is None:
        raise InputError("no recipe and no env given; allowed: a recipe's name, or --env with a Gymnasium id")
    return override(default_recipe(env, is_picture(env)), changes)


def is_picture(env_id: str) -> bool:
    """Whether an id shows pictures."""
    games = envs.make(envs.EnvConfig(env_id), 1)
    games.close()
    return games.observation.is_picture


def check_framework(framework: str) -> None:
    """Refuses an unknown or missing framework without loading it."""
    if framework not in frameworks.FRAMEWORKS:
        raise InputError(f"framework is {framework!r}; allowed: {', '.join(frameworks.FRAMEWORKS)}")
    for package in DISTRIBUTIONS[framework]:
        if importlib.util.find_spec(package) is None:
            extra = frameworks.FRAMEWORKS[framework]
            raise InputError(
                f"framework {framework} needs {package}, which is not installed: pip install 'triptych[{extra}]'"
            )


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
        config = {
            "recipe": to_dict(resolved),
            "env_id": resolved.env.id,
            "framework": framework,
            "seed": resolved.seed,
            # GPU kernels may add in another order each time, so the promise holds on the processor only.
            "resume_exact": exact and sitting.training.learner.device == "cpu",
            **machine.describe(sitting.training.learner.device, threads),
        }
        write_json(path / "config.json", config)
        sitting.introduce()
        return sitting.go()


def resume(
    run: str | Path, framework: str | None = None, *, runs_dir: str | Path = "runs", quiet: bool = True
) -> RunResult | None:
    """Goes on with a run from its last boundary, in any framework; None where it was finished already.

    Raises:
        InputError: the folder is no run, or none of its checkpoints is whole.
    """
    path = run_path(str(run), runs_dir)
    config = read_config(path, own=True)
    recipe: Recipe = config["recipe"]
    recipe_file(recipe)
    framework = framework or last_framework(path, config)
    check_framework(framework)
    threads = int(config["threads"])
    now = machine.describe("", threads)
    for name, what in (("processor", "processor"), ("versions", "versions")):
        if now[name] != config[name]:
            was = (
                {key: value for key, value in config[name].items() if now[name].get(key) != value}
                if name == "versions"
                else config[name]
            )
            warn(f"{what} differ from the run's ({was}): float32 figures may differ in the last bits")
    if not config["resume_exact"]:
        warn("this run cannot be resumed to the same numbers; its config.json says so under resume_exact")
    games = envs.make(recipe.env, recipe.num_envs, threads)
    check_films(recipe)
    with RunFolder(path) as folder:
        checkpoints = Checkpoints(folder, recipe)
        manifest, arrays = checkpoints.load()
        finished = manifest["state"]["stopped_by"]
        if finished:
            told = read_summary(path)
            if (told.get("stopped_by"), told.get("steps")) != (finished, manifest["step"]):
                write_summary(path, ending(path, framework, manifest))
            print(
                f"{path} is finished ({finished}, step {manifest['step']:,}); nothing to do; play it: triptych evaluate {shlex.quote(str(path))}"
            )
            return None
        repeated = last_step(folder) - manifest["step"]
        checkpoints.rewind(manifest)
        sitting = Sitting(folder, recipe, framework, games, threads, quiet, checkpoints)
        sitting.restore(manifest, arrays)
        row = {"step": manifest["step"], "framework": framework, "threads": threads, "processor": now["processor"]}
        versions = " ".join(f"{name}={version}" for name, version in now["versions"].items())
        folder.append("resumes.csv", row | {"versions": versions}, RESUMES)
        print(f"resumed at step {manifest['step']}, repeating {max(0, repeated)} steps", flush=True)
        sitting.introduce()
        return sitting.go()


def ending(path: Path, framework: str, manifest: dict[str, Any]) -> dict[str, Any]:
    """The summary of a run that was killed between its last boundary and its summary: what the boundary knows."""
    state = manifest["state"]
    counters, best, scores = state["counters"], state["best"], state["scores"]
    return {
        "path": str(path),
        "framework": framework,
        "steps": counters["steps"],
        "updates": counters["updates"],
        "episodes": counters["episodes"],
        "running_reward": sum(scores) / len(scores) if scores else None,
        "best_score": best["score"],
        "best_step": best["step"],
        "checkpoint": manifest["step"],
        "stopped_by": state["stopped_by"],
        "seconds": state["seconds"],
    }


def recipe_file(recipe: Recipe) -> None:
    """Runs the user's file that a stored recipe came from, where its environment is not known otherwise."""
    if not recipe.source:
        return
    try:
        envs.find(recipe.env.id)
    except InputError:
        warn(f"{recipe.env.id} is not registered: running {recipe.source}, which the recipe came from")
        load_recipe(recipe.source)


def last_step(folder: RunFolder) -> int:
    """About how far a stopped run had come: the last step that a log or, after Ctrl-C, the summary names."""
    paths = [folder.path / name for name in LOGS if (folder.path / name).exists()]
    steps = [int(row["steps"]) for path in paths for row in read_log(path)[-1:]]
    return max([*steps, int(read_summary(folder.path).get("steps", 0))])


def safe(name: str) -> str:
    """A file name made of a recipe's name or an environment's id."""
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in Path(name).stem)
