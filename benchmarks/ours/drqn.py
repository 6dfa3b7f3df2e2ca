"""A recipe with memory in one framework, in a process of its own: the parts of a step, and a stretch of training.

ours/drqn.py RECIPE FRAMEWORK MEMORY UPDATES
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from triptych import envs, frameworks, load_recipe, override
from triptych.frameworks import versions, xla
from triptych.training.build import make_training
from triptych.training.loop import run_loop
from triptych.utils import machine


def milliseconds(action: Callable[[], Any], times: int = 30) -> float:
    """Median of some calls, after as many unmeasured ones as a third of them."""
    taken = []
    for _ in range(times + times // 3):
        start = time.perf_counter()
        action()
        taken.append(time.perf_counter() - start)
    return 1e3 * statistics.median(taken[times // 3 :])


def main(name: str, framework: str, memory: str, updates: int) -> None:
    changes: dict[str, Any] = {"warm_up": 400, "algorithm.learn_from": None, "algorithm.replay_size": 10_000}
    recipe = override(load_recipe(name), changes | ({} if memory == "as-it-is" else {"memory": memory}))
    threads = machine.threads_for(recipe.threads)
    frameworks.set_threads(threads)
    xla.set_convolutions(xla.usual())
    games = envs.make(recipe.env, recipe.num_envs, threads)
    training = make_training(recipe, games, frameworks.load(framework).Learner)
    learner, batch = training.learner, training.replay.example(recipe.algorithm.batch_size)
    found = {"update_ms": milliseconds(lambda: float(learner.update(batch, 0.0)["loss"]))}
    found["act_ms"] = milliseconds(lambda: training.agent.act(training.obs, training.state, training.started))
    start = steps = 0.0
    for _ in run_loop(training):
        counters = training.counters
        if not start and counters.updates >= 10:
            start, steps, first = time.perf_counter(), counters.steps, counters.updates
        if start and counters.updates >= first + updates:
            float(learner.update(batch, 0.0)["loss"])  # waits for what is under way
            break
    found["steps_per_second"] = (training.counters.steps - steps) / (time.perf_counter() - start)
    found["sample_ms"] = milliseconds(
        lambda: training.replay.sample(training.rngs["sample"], recipe.algorithm.batch_size)
    )
    games.close()
    print(json.dumps(found | {"threads": threads, "processor": machine.processor(), "versions": versions()}))


if __name__ == "__main__":
    main(*sys.argv[1:4], int(sys.argv[4]))
