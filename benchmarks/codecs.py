"""Codecs on single 84x84 frames: bytes a frame, and the time to write one and to read five in a row (a stack and the next).

python benchmarks/codecs.py --games space-invaders breakout --json
python benchmarks/codecs.py --games space-invaders --policy results/space-invaders/torch

lz4 and blosc2 are no part of Triptych: they run in an environment of their own. Dictionaries are trained on 600 frames of the
first third of each recording, everything is measured on the rest.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from replay import EPSILON, environment
from turns import guarded, measured, python_of

from triptych import envs, load_agent
from triptych.recipes import load_recipe
from triptych.report.random_play import RandomPlay
from triptych.utils import machine

NUM_ENVS = 8
GAMES = ("space-invaders", "breakout", "seaquest", "assault", "kung-fu-master", "ms-pacman")


def record(game: str, policy: str, frames: int, path: Path) -> None:
    """Plays and keeps the frames, one game after the other: [N, T, 84, 84]."""
    config = dataclasses.replace(load_recipe("space-invaders").env, id=environment(game))
    games = envs.make(config, NUM_ENVS, machine.cores())
    player = RandomPlay(games.num_actions) if policy == "random" else load_agent(policy, epsilon=EPSILON)
    obs, seen = games.reset(np.arange(NUM_ENVS)), []
    for _ in range(frames // NUM_ENVS):
        seen.append(obs[:, -1].copy())
        games.send(player.predict(obs)[0])
        obs = games.recv().obs
    games.close()
    np.save(path, np.stack(seen, axis=1))


def measure(game: str, policy: str, frames: int, python: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frames.npy"
        record(game, policy, frames, path)
        return measured(python, "peers/picture_codecs.py", path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", nargs="+", default=GAMES)
    parser.add_argument("--policy", default="random", help="random, or a run folder, for every game named")
    parser.add_argument("--frames", type=int, default=24_000)
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    asked = parser.parse_args()
    if asked.frames < 3_000:
        parser.error(f"--frames is {asked.frames}; allowed: 3000 or more")
    if asked.policy != "random" and not Path(asked.policy).exists():
        parser.error(f"--policy is {asked.policy!r}; allowed: random, or a run folder that exists")
    for game in asked.games:
        envs.find(environment(game))  # before anything is installed
    python, found = python_of("codecs"), {}
    for game in asked.games:
        found[game] = measure(game, asked.policy, asked.frames, python)
        for codec, row in found[game]["codecs"].items():
            print(
                f"{game:16} {codec:28} {row['bytes']:6.0f} bytes  write {row['write_us']:6.1f} us  "
                f"read five {row['read_five_us']:6.1f} us",
                flush=True,
            )
    if asked.json:
        about = {"policy": asked.policy, "frames": asked.frames, "processor": machine.processor()}
        versions = next(iter(found.values()))["versions"]
        print(
            json.dumps({"games": {game: rows["codecs"] for game, rows in found.items()}, "versions": versions} | about)
        )


if __name__ == "__main__":
    guarded(main)
