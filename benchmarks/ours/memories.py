"""An actor-critic with a memory in one framework, in a process of its own: steps/s over whole rollouts and their updates.

ours/memories.py RECIPE FRAMEWORK MEMORY ROLLOUTS THREADS
"""

from __future__ import annotations

import json
import sys
import time

from triptych import envs, frameworks, load_recipe, override
from triptych.frameworks import versions, xla
from triptych.training.build import compile_learner, make_training
from triptych.training.loop import run_loop
from triptych.utils import machine


def main(name: str, framework: str, memory: str, rollouts: int, threads: int) -> None:
    recipe = override(load_recipe(name), {"steps": 10**9, "memory": memory})
    frameworks.set_threads(threads)
    xla.set_convolutions(xla.usual())
    games = envs.make(recipe.env, recipe.num_envs, threads)
    training = make_training(recipe, games, frameworks.load(framework).Learner)
    begun = time.perf_counter()
    compile_learner(training)
    found = {"compile_seconds": time.perf_counter() - begun}
    done, start, busy, steps = 0, 0.0, 0.0, 0
    for tick in run_loop(training):
        if tick.updates:
            float(tick.updates[-1]["loss"])  # waits for it
            done += 1
            if done == 1:  # from the end of one rollout's updates to the end of another's
                start, busy, steps = time.perf_counter(), time.process_time(), training.counters.steps
            if done == 1 + rollouts:
                break
    taken = training.counters.steps - steps
    found |= {"steps_per_second": taken / (time.perf_counter() - start)}
    found |= {"steps_per_processor_second": taken / (time.process_time() - busy)}
    games.close()
    print(json.dumps(found | {"processor": machine.processor(), "versions": versions()}))


if __name__ == "__main__":
    main(*sys.argv[1:4], *map(int, sys.argv[4:6]))
