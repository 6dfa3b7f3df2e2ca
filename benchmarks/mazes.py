"""The mazes alone, by random play: steps/s, and steps a second of processor time, which a busy machine changes less.

python benchmarks/mazes.py --json
"""

from __future__ import annotations

import argparse
import json
import time
from statistics import median
from typing import Any

import numpy as np

from triptych import envs
from triptych.utils import machine

GAMES = ("triptych/Maze-v0", "triptych/MazeRaycast-v0")
SECONDS = 2.0  # of processor time, a turn


def play(env_id: str, num_envs: int) -> dict[str, float]:
    """Rates of random play, mazes drawn as they are needed."""
    games = envs.make(envs.EnvConfig(env_id), num_envs)
    games.reset(np.arange(num_envs))
    actions = np.random.default_rng(0).integers(games.num_actions, size=(1_000, num_envs))
    steps, wall, work = 0, time.perf_counter(), time.process_time()
    while time.process_time() - work < SECONDS:
        for action in actions:
            games.send(action)
            games.recv()
            steps += num_envs
            if time.process_time() - work >= SECONDS:
                break
    return {"rate": steps / (time.perf_counter() - wall), "rate_of_a_core": steps / (time.process_time() - work)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--num-envs", type=int, nargs="+", default=[16, 64])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    asked = parser.parse_args()
    if min(*asked.num_envs, asked.turns) < 1:
        parser.error("--num-envs and --turns are at least 1")
    found: list[dict[str, Any]] = []
    for env_id in GAMES:
        for num_envs in asked.num_envs:
            turns = [play(env_id, num_envs) for _ in range(asked.turns)]
            rates = {name: median(turn[name] for turn in turns) for name in turns[0]}
            found.append({"env": env_id, "num_envs": num_envs, **rates})
            print(
                f"{env_id}, {num_envs} games: {rates['rate']:,.0f} steps/s, {rates['rate_of_a_core']:,.0f} a second of a core"
            )
    if asked.json:
        print(json.dumps({"mazes": found, "turns": asked.turns, "processor": machine.processor()}))


if __name__ == "__main__":
    main()
