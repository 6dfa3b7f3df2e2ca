"""Our side of a benchmark, in a process of its own.

ours/dqn.py dqn|parts NUM_ENVS THREADS WARM_UP STEPS FRAMEWORK PRECISION [BATCH]
"""

from __future__ import annotations

import csv
import dataclasses
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from triptych import envs, frameworks, override, train
from triptych.frameworks import versions, xla
from triptych.recipes import Recipe, load_recipe
from triptych.training.build import make_training
from triptych.utils import machine

BEFORE = 400  # steps after the warm-up before the clock starts


def recipe_of(num_envs: int, threads: int, warm_up: int, steps: int, precision: str, batch: int = 32) -> Recipe:
    """Stable-Baselines3's network and settings for Atari."""
    recipe = load_recipe("space-invaders")
    changes: dict[str, Any] = {
        "num_envs": num_envs, "threads": threads, "warm_up": warm_up, "steps": warm_up + BEFORE + steps,
        "algorithm.update_every": 4, "algorithm.replay_size": 20_000, "algorithm.target_every": (1_000, "steps"),
        "algorithm.learn_from": None, "batch_size": batch, "precision": precision, "log_every": 200, "evaluate_every": 0,
        "checkpoint_every": 10**9, "learning_rate": 1e-4, "network.4.units": 512, "algorithm.epsilon_end": 0.01,
        "algorithm.epsilon_steps": (warm_up + steps) // 10,
    }  # fmt: skip
    changed = override(recipe, changes)
    return dataclasses.replace(changed, network=changed.network[:5], solved_at=None)


def dqn(recipe: Recipe, framework: str, start: int) -> dict[str, Any]:
    """Trains as a user would and reads the rate from the log."""
    with tempfile.TemporaryDirectory() as folder:
        run = train(recipe, framework, run_name="run", runs_dir=folder, quiet=True)
        with open(Path(run.path) / "metrics.csv", encoding="utf-8") as file:
            rows = [(int(row["steps"]), int(row["updates"]), float(row["seconds"])) for row in csv.DictReader(file)]
    first = next(row for row in rows if row[0] >= start)
    last = rows[-1]
    rate = (last[0] - first[0]) / (last[2] - first[2])
    return {"rate": rate, "updates": last[1], "peak_memory": run.peak_memory}


def rate_of(action: Any, steps: int, seconds: float = 6.0) -> float:
    """Steps/s of an action that stands for `steps` of them."""
    for _ in range(10):
        action()
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        action()
        count += 1
    return count * steps / (time.perf_counter() - start)


def parts(recipe: Recipe, framework: str) -> dict[str, Any]:
    """The learner without games, and the games without a learner."""
    frameworks.set_threads(machine.threads_for(recipe.threads))
    xla.set_convolutions(xla.usual())
    game_threads = min(recipe.num_envs, machine.threads_for(recipe.threads))
    games = envs.make(recipe.env, recipe.num_envs, machine.threads_for(recipe.threads))
    training = make_training(recipe, games, frameworks.load(framework).Learner)
    batch = training.replay.example(recipe.algorithm.batch_size)
    every = max(1, recipe.algorithm.update_every // recipe.num_envs)  # iterations between updates
    each = max(1, recipe.num_envs // recipe.algorithm.update_every)  # updates then
    count = 0

    def learn() -> None:
        nonlocal count
        count += 1
        training.agent.act(training.obs)
        if count % every == 0:
            for _ in range(each):
                float(training.learner.update(batch, 1e-4)["loss"])

    rng = np.random.default_rng(0)

    def play() -> None:
        games.send(rng.integers(games.num_actions, size=recipe.num_envs))
        games.recv()

    found = {"learner_alone": rate_of(learn, recipe.num_envs), "games_alone": rate_of(play, recipe.num_envs)}
    games.close()
    return found | {"game_threads": game_threads, "processor": machine.processor(), "versions": versions()}


if __name__ == "__main__":
    what, num_envs, threads, warm_up, steps, framework, precision, *batch = sys.argv[1:]
    work = (int(num_envs), int(threads), int(warm_up), int(steps), precision, *map(int, batch))
    recipe = recipe_of(*work)
    print(json.dumps(dqn(recipe, framework, int(warm_up) + BEFORE) if what == "dqn" else parts(recipe, framework)))
