"""Replay memory beside other libraries: the same Space Invaders frames into each, its bytes and its sampling.

python benchmarks/replay_peers.py --transitions 40000 --json

One recording of random play goes into each buffer, in a process of its own in turn, until it is full. `bytes_per_transition` is what that added to the process,
read from the system, by the transitions; `trimmed_per_transition` the same after the allocator gave back what it can (a buffer that allocates large blocks and shrinks them leaves holes
behind). Ours has a fixed part, so it takes less a transition the more there are: `replay.py` measures a million. Sampling: batches of 32.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from turns import measured, median, python_of

from triptych import envs
from triptych.recipes import load_recipe
from triptych.utils import machine

NUM_ENVS = 8
BUFFERS = ("stable-baselines3", "sb3-extra-buffers", "cpprb")


def record(folder: Path, transitions: int) -> None:
    """Random play as arrays on disk: observations [T, N, 4, 84, 84] would be four times as much, so single frames."""
    games = envs.make(load_recipe("space-invaders").env, NUM_ENVS, machine.cores())
    rng, rows = np.random.default_rng(0), transitions // NUM_ENVS + 1
    shape = (rows, NUM_ENVS, 84, 84)
    frames = np.lib.format.open_memmap(folder / "frames.npy", "w+", np.uint8, shape)
    actions, ended = np.zeros((rows, NUM_ENVS), np.int64), np.zeros((rows, NUM_ENVS), bool)
    obs = games.reset(np.arange(NUM_ENVS))
    for row in range(rows):
        frames[row] = obs[:, -1]
        actions[row] = rng.integers(games.num_actions, size=NUM_ENVS)
        games.send(actions[row])
        step = games.recv()
        ended[row], obs = step.terminated | step.truncated, step.obs
    games.close()
    np.savez(folder / "rest.npz", actions=actions, ended=ended)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--transitions", type=int, default=60_000)
    parser.add_argument("--peers", nargs="+", choices=BUFFERS, default=BUFFERS)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    asked = parser.parse_args()
    if asked.transitions < 1_000 or asked.turns < 3:
        parser.error("--transitions are at least 1000, --turns at least 3")
    pythons = {peer: python_of(peer) for peer in asked.peers}
    found: dict[str, list[dict]] = {name: [] for name in ("triptych", *asked.peers)}
    with tempfile.TemporaryDirectory() as folder:
        record(Path(folder), asked.transitions)
        for _ in range(asked.turns):
            found["triptych"].append(measured(sys.executable, "ours/replay.py", folder))
            for peer, python in pythons.items():
                found[peer].append(measured(python, "peers/replay.py", peer, folder))
    rows = {}
    for name, turns in found.items():
        row = rows[name] = {
            key: median(turns, key) for key in ("bytes_per_transition", "trimmed_per_transition", "sample_ms")
        }
        print(
            f"{name:20} {row['bytes_per_transition']:9,.0f} bytes a transition, {row['trimmed_per_transition']:9,.0f} when trimmed, "
            f"32 in {row['sample_ms']:.2f} ms"
        )
    if asked.json:
        versions = {name: turns[0].get("version") for name, turns in found.items()}
        about = {
            "transitions": asked.transitions,
            "turns": asked.turns,
            "processor": machine.processor(),
            "versions": versions,
        }
        print(json.dumps({"buffers": rows} | about))


if __name__ == "__main__":
    main()
