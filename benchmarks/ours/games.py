"""Our games under random play, in a process of its own.

ours/games.py NUM_ENVS THREADS SECONDS
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np

from triptych import envs
from triptych.recipes import load_recipe


def main(num_envs: int, threads: int, seconds: int) -> None:
    games = envs.make(load_recipe("space-invaders").env, num_envs, threads)
    rng = np.random.default_rng(0)
    games.reset(np.arange(num_envs))

    def step() -> None:
        games.send(rng.integers(games.num_actions, size=num_envs))
        games.recv()

    for _ in range(50):
        step()
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        step()
        count += num_envs
    print(json.dumps({"rate": count / (time.perf_counter() - start)}))
    games.close()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
