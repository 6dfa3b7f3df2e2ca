"""Trained weights, found and made an agent again."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import gymnasium

from triptych import envs, frameworks
from triptych.algorithms import definition
from triptych.envs.single import AsSeen
from triptych.frameworks import check_framework, xla
from triptych.recipes import BUILT_IN, Recipe, resolve
from triptych.recipes.serialise import from_dict, to_dict
from triptych.runs.names import LOGS
from triptych.runs.records import Named, last_framework, path_of, read_beside, read_config
from triptych.runs.trust import Allowed, Stored, allow
from triptych.spec.weights import Weights, check_numbers, check_weights
from triptych.training.agent import Agent, Policy
from triptych.training.outside import Outside
from triptych.utils import machine
from triptych.utils.checks import InputError, check
from triptych.utils.console import warn
from triptych.utils.files import read_tensors
from triptych.utils.seeds import generator


def load_agent(
    run: Named,
    *,
    weights: Literal["best", "latest"] = "best",
    framework: str | None = None,
    runs_dir: str | Path = "runs",
    policy: Policy | None = None,
    epsilon: float = 0.0,
    seed: int = 0,
    recipe: str | None = None,
    trust: bool = False,
) -> Agent:
    """The agent of a run folder, of a run's name under `runs_dir`, of what `train` returned, or of a weights file; it has `predict`, see `Outside`.

    Args:
        recipe: a Python file of the user's to run first, which registers what the run needs.
        trust: run what the run names: the file that its recipe came from, the module of its environment's id.

    Raises:
        InputError: no such run, its weights are damaged or another network's, or it needs code that may not run.
    """
    source = find_weights(run, weights, framework, runs_dir, Allowed(recipe, trust))
    games = envs.make(source.recipe.env, 1)
    games.close()
    return make_agent(source, games, policy, epsilon, seed, partial(Outside, games))


@dataclass(frozen=True)
class Source:
    """Weights, and what is needed to play with them."""

    file: Path
    tensors: Weights
    updates: int | None  # behind them, where the file says so
    recipe: Recipe  # as it is played now
    trained: Recipe  # as it was trained
    framework: str


def find_weights(run: Named, weights: str, framework: str | None, runs_dir: str | Path, allowed: Allowed) -> Source:
    """The weights of a run, or of a file, with their recipe; `allowed` says what of the code that it needs may run."""
    check(weights in ("best", "latest"), "weights", weights, "best, latest")
    path = path_of(run, runs_dir)
    if path.is_file():
        tensors, metadata = read_tensors(path)
        if metadata is None or "recipe" not in metadata:
            raise InputError(f"{path} was not written by triptych: it names no recipe; allowed: a run or its weights")
        allow(beside(path, metadata["recipe"]), allowed)
        recipe, framework = from_dict(metadata["recipe"]), framework or "torch"
    else:
        config = read_config(path, allowed)
        recipe, framework = config["recipe"], framework or last_framework(path, config)
        path = weights_file(path / "checkpoints", weights)
        tensors, metadata = read_tensors(path)
        recipe = as_saved(recipe, metadata, path)
    check_framework(framework)
    played = dataclasses.replace(recipe, env=recipe.env.tested)
    return Source(path, tensors, (metadata or {}).get("updates"), played, recipe, framework)


def recipe_of(path: Path, allowed: Allowed) -> Recipe:
    """The recipe of a run folder, whether or not it holds weights, or of a weights file."""
    if path.is_dir():
        found: Recipe = read_config(path, allowed)["recipe"]
        return found
    return find_weights(path, "latest", None, "", allowed).recipe


def as_saved(recipe: Recipe, metadata: dict[str, Any] | None, file: Path) -> Recipe:
    """A run's recipe with the layers that its weights had when they were saved: a resume may have given the run others since."""
    layers = ((metadata or {}).get("recipe") or {}).get("network")
    recorded = to_dict(recipe)
    if layers is None or layers == recorded["network"]:
        return recipe
    return from_dict(recorded | {"network": layers}, file)


def beside(path: Path, recorded: Any) -> Stored:
    """The recipe of a weights file, with the mark of the run folder that it lies in, if it does."""
    folder = path.absolute().parent.parent
    if path.absolute().parent.name != "checkpoints" or not (folder / "config.json").is_file():
        return Stored(path, recorded)
    return Stored(path, recorded, folder, read_beside(folder))


def weights_file(folder: Path, weights: str) -> Path:
    """The file of a run's best or latest weights; told where they are not those that were asked for."""
    found = file_of(folder, weights)
    if found.stem != weights:
        why = "the run has not played a full window of episodes after its first update (--best-window)"
        warn(f"{folder} holds no best weights, as {why}: playing the latest, as --weights latest does")
    return found


def file_of(folder: Path, weights: str) -> Path:
    """The same without a word; before the first full window of episodes the latest are the best.

    Raises:
        InputError: there are none.
    """
    names = ["best", "latest"] if weights == "best" else ["latest"]
    found = [path for name in names if (path := folder / f"{name}.safetensors").exists()]
    if not found:
        if any((folder.parent / log).exists() for log in LOGS):
            raise InputError(
                f"{folder.parent} has logs, but its weights are not there (no {' and no '.join(f'checkpoints/{name}.safetensors' for name in names)}); "
                "allowed: a run folder that holds them, or a weights file"
            )
        raise InputError(f"{folder} holds no {weights} weights; allowed: a run that has begun")
    return found[0]


def holds_weights(folder: Path) -> bool:
    """Whether the folder of a run's checkpoints has any."""
    return any((folder / f"{name}.safetensors").exists() for name in ("best", "latest"))


def make_agent(
    source: Source,
    games: envs.Games,
    policy: str | None,
    epsilon: float,
    seed: int,
    kind: Callable[..., Agent] = Agent,
) -> Agent:
    """The agent of weights; `kind` makes it, as `Agent` is made."""
    recipe = source.recipe
    network = recipe.make_network(games.observation, games.num_actions)
    check_weights(source.tensors, network, str(source.file))
    check_numbers(source.tensors, str(source.file))
    frameworks.set_threads(machine.threads_for(recipe.threads))
    xla.set_convolutions(read_beside(source.file.absolute().parent.parent).get("convolutions", ""))
    loss = definition(recipe.algorithm).make_loss(recipe.algorithm)
    learner = frameworks.load(source.framework).Learner(
        network, loss, recipe.optimiser, source.tensors, recipe.precision
    )
    return kind(learner, network, policy or recipe.algorithm.policy, epsilon, generator(seed, "explore"))


def make_env(
    run: Named | Recipe, *, runs_dir: str | Path = "runs", recipe: str | None = None, trust: bool = False
) -> gymnasium.Env:
    """The environment as an agent sees it, with Gymnasium's `reset` and `step`.

    Args:
        run: a run folder, a run's name under `runs_dir`, what `train` returned, a weights file, a recipe's name or file, or a Recipe.
        recipe: a Python file of the user's to run first, where a run needs it.
        trust: run what a run names, as in `load_agent`.

    Raises:
        InputError: there is no such run or recipe, it needs code that may not run, or its games cannot be made.
    """
    if (
        not isinstance(run, Recipe)
        and str(run) not in BUILT_IN
        and (path := path_of(run, runs_dir)).exists()
        and path.suffix != ".py"
    ):
        config = recipe_of(path, Allowed(recipe, trust)).env
    else:
        config = resolve(run if isinstance(run, Recipe) else str(run), {}).env
    return AsSeen(envs.make(config, 1))
