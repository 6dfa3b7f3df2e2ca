"""Trained weights, found and made an agent again."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import gymnasium

from triptych import envs, frameworks
from triptych.algorithms import definition
from triptych.envs.single import AsSeen
from triptych.frameworks import check_framework
from triptych.recipes import Recipe, load_recipe, recipe_file
from triptych.recipes.serialise import from_dict
from triptych.runs.names import run_path
from triptych.runs.records import last_framework, read_config
from triptych.spec.weights import Weights, check_weights
from triptych.training.agent import Agent, Policy
from triptych.utils import machine
from triptych.utils.checks import InputError, check
from triptych.utils.console import warn
from triptych.utils.files import read_tensors
from triptych.utils.seeds import generator


def load_agent(
    run: str | Path,
    *,
    weights: Literal["best", "latest"] = "best",
    framework: str | None = None,
    runs_dir: str | Path = "runs",
    policy: Policy | None = None,
    epsilon: float = 0.0,
    seed: int = 0,
) -> Agent:
    """The agent of a run folder, of a run's name under `runs_dir`, or of a weights file; it has `predict`.

    Raises:
        InputError: no such run, or its weights are damaged or another network's.
    """
    source = find_weights(run, weights, framework, runs_dir)
    games = envs.make(source.recipe.env, 1)
    games.close()
    return make_agent(source, games, policy, epsilon, seed)


@dataclass(frozen=True)
class Source:
    """Weights, and what is needed to play with them."""

    file: Path
    tensors: Weights
    updates: int | None  # behind them, where the file says so
    recipe: Recipe  # as it is played now
    trained: Recipe  # as it was trained
    framework: str


def find_weights(run: str | Path, weights: str, framework: str | None, runs_dir: str | Path) -> Source:
    check(weights in ("best", "latest"), "weights", weights, "best, latest")
    path = run_path(str(run), runs_dir)
    if path.is_file():
        tensors, metadata = read_tensors(path)
        if metadata is None or "recipe" not in metadata:
            raise InputError(f"{path} was not written by triptych: it names no recipe; allowed: a run or its weights")
        recipe, framework = from_dict(metadata["recipe"]), framework or "torch"
        recipe = dataclasses.replace(recipe, source="")  # a weights file may be a stranger's: run nothing it names
    else:
        config = read_config(path, own=True)
        recipe, framework = config["recipe"], framework or last_framework(path, config)
        folder = path / "checkpoints"
        # Before the first full window of episodes the latest weights are the best.
        names = ["best", "latest"] if weights == "best" else ["latest"]
        found = [folder / f"{name}.safetensors" for name in names if (folder / f"{name}.safetensors").exists()]
        if not found:
            raise InputError(f"{folder} holds no {weights} weights; allowed: a run that has begun")
        path = found[0]
        if path.stem != weights:
            warn(f"{folder} holds no best weights yet (they need a full window of episodes): playing the latest")
        tensors, metadata = read_tensors(path)
    check_framework(framework)
    recipe_file(recipe)
    return Source(path, tensors, (metadata or {}).get("updates"), recipe, recipe, framework)


def make_agent(source: Source, games: envs.Games, policy: str | None, epsilon: float, seed: int) -> Agent:
    recipe = source.recipe
    network = recipe.make_network(games.observation, games.num_actions)
    check_weights(source.tensors, network, str(source.file))
    frameworks.set_threads(machine.threads_for(recipe.threads))
    loss = definition(recipe.algorithm).make_loss(recipe.algorithm)
    learner = frameworks.load(source.framework).Learner(
        network, loss, recipe.optimiser, source.tensors, recipe.precision
    )
    return Agent(learner, network, policy or recipe.algorithm.policy, epsilon, generator(seed, "explore"))


def make_env(run: str | Path | Recipe, *, runs_dir: str | Path = "runs") -> gymnasium.Env:
    """The environment as an agent sees it, with Gymnasium's `reset` and `step`.

    Args:
        run: a run folder, a run's name under `runs_dir`, a weights file, a recipe's name or file, or a Recipe.

    Raises:
        InputError: there is no such run or recipe, or its games cannot be made.
    """
    if isinstance(run, Recipe):
        recipe = run
    else:
        is_run = run_path(str(run), runs_dir).exists() and Path(run).suffix != ".py"
        recipe = find_weights(run, "latest", None, runs_dir).recipe if is_run else load_recipe(str(run))
    return AsSeen(envs.make(recipe.env, 1))
