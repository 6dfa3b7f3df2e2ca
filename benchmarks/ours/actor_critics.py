"""An actor-critic of ours on KungFuMaster, in a process of its own.

ours/actor_critics.py a2c|ppo|recurrent-ppo THREADS ROLLOUTS FRAMEWORK PRECISION
"""

from __future__ import annotations

import json
import sys
import time

from triptych import Recipe, envs, frameworks
from triptych.algorithms import a2c, ppo
from triptych.envs import EnvConfig
from triptych.frameworks import versions, xla
from triptych.spec import LSTM, Adam, Conv, Dense, Flatten
from triptych.training.build import compile_learner, make_training
from triptych.training.loop import run_loop
from triptych.utils import machine

GAMES = {"a2c": 16, "ppo": 8, "recurrent-ppo": 8}


def recipe_of(name: str, threads: int, precision: str) -> Recipe:
    """Stable-Baselines3's network and settings for Atari, and sb3-contrib's with one LSTM for policy and value."""
    body = (Conv(32, 8, 4), Conv(64, 4, 2), Conv(64, 3, 1), Flatten(), Dense(512))
    return Recipe(
        env=EnvConfig("KungFuMasterNoFrameskip-v4"),
        network=(*body, LSTM(256)) if name == "recurrent-ppo" else body,
        algorithm=a2c.Config(reward="sign") if name == "a2c" else ppo.Config(reward="sign"),
        optimiser=Adam(learning_rate=2.5e-4, epsilon=1e-5, max_norm=0.5),
        steps=10**9,
        num_envs=GAMES[name],
        precision=precision,  # type: ignore[arg-type]
        threads=threads,
    )


def main(name: str, threads: int, rollouts: int, framework: str, precision: str) -> None:
    recipe = recipe_of(name, threads, precision)
    frameworks.set_threads(threads)
    xla.set_convolutions(xla.usual())
    games = envs.make(recipe.env, recipe.num_envs, threads)
    training = make_training(recipe, games, frameworks.load(framework).Learner)
    compile_learner(training)
    done, start, steps = 0, 0.0, 0
    for tick in run_loop(training):
        if tick.updates:
            float(tick.updates[-1]["loss"])  # waits for it
            done += 1
            if done == 1:  # from the end of one rollout's updates to the end of another's
                start, steps = time.perf_counter(), training.counters.steps
            if done == 1 + rollouts:
                break
    rate = (training.counters.steps - steps) / (time.perf_counter() - start)
    games.close()
    print(json.dumps({"rate": rate, "processor": machine.processor(), "versions": versions()}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:6])
